"""TLS as it goes wrong: an unknown authority, an old certificate, another host, no client certificate."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aiops.domain import Grid, Query
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.errors import DataUnusable

EMPTY = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'


class Quiet(BaseHTTPRequestHandler):
    """Answers every request with an empty matrix."""

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", formatdate(usegmt=True))
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def certificate(folder: Path, name: str, issuer: Any = None, **subject: Any) -> Any:
    """Write NAME.pem and NAME.key; return what can issue further ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(subject.get("ip", "127.0.0.1")))])
    builder = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(issuer[0] if issuer else title)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=10))
        .not_valid_after(now + dt.timedelta(days=subject.get("days", 10)))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(alternative, critical=False)
    )
    signed = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{name}.key").write_bytes(key.private_bytes(*form))
    return title, key


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return `serve(**subject) -> url`; the authority's certificate is `tmp_path / "ca.pem"`."""
    servers = []
    authority = certificate(tmp_path, "ca")
    certificate(tmp_path, "client", authority)

    def start(*, wants_client: bool = False, **subject: Any) -> str:
        certificate(tmp_path, "server", authority, **subject)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
        if wants_client:
            context.load_verify_locations(tmp_path / "ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
        server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] - refusals are the point
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"https://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def read(url: str, **files: Path) -> int:
    metrics = PrometheusMetrics(PrometheusSettings(url=url, timeout_s=5.0, **files))
    try:
        return len(metrics.read(Query("q", "up", "", ("cluster",)), Grid(0, 60, 60)).labels)
    finally:
        metrics.close()


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(serve: Any, tmp_path: Path) -> None:
    assert read(serve(), ca=tmp_path / "ca.pem") == 0


@pytest.mark.parametrize(
    ("subject", "ca", "why"),
    [
        ({}, None, "self-signed|unable to get local issuer"),
        ({"days": -1}, "ca.pem", "expired"),
        ({"ip": "127.0.0.2"}, "ca.pem", "IP address mismatch|doesn't match"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused_at_once(
    serve: Any, tmp_path: Path, subject: dict[str, Any], ca: str | None, why: str
) -> None:
    files = {"ca": tmp_path / ca} if ca else {}
    with pytest.raises(DataUnusable, match=rf"TLS failed: .*({why})"):
        read(serve(**subject), **files)


def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(serve: Any, tmp_path: Path) -> None:
    url, ca = serve(wants_client=True), tmp_path / "ca.pem"
    assert read(url, ca=ca, cert=tmp_path / "client.pem", key=tmp_path / "client.key") == 0
    with pytest.raises(DataUnusable, match=r"TLS failed|cut off"):
        read(url, ca=ca)
