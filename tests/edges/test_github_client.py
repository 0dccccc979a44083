from __future__ import annotations

import base64
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from edges import github_server
from edges.github_double import REPO, Double, Fault
from hypothesis import given
from hypothesis import strategies as st

from aiops.edges import github_client, github_errors
from aiops.edges.redaction import redact
from aiops.errors import ConfigError, ForgeBusy, ForgeRefused

TOKEN = "ghp_canary/+0123456789abcdefghij"


@pytest.fixture
def double() -> Iterator[Double]:
    with github_server.running(Double()) as running:
        yield running


def connect(double: Double, deadline_s: float = 20):
    return github_client.repository(TOKEN, double.base_url, "acme/gitops", deadline_s=deadline_s)


def always(fault: Fault):
    return lambda _verb, _path: fault


def test_the_token_travels_in_one_header_and_nothing_is_asked_twice(double):
    assert connect(double).full_name == "acme/gitops"
    ((verb, path, headers),) = double.journal
    assert (verb, path, headers["Authorization"]) == ("GET", REPO, f"Bearer {TOKEN}")


def test_an_enterprise_address_keeps_its_path():
    with github_server.running(Double(prefix="/api/v3")) as double:
        assert connect(double).full_name == "acme/gitops"
        assert [path for _, path, _ in double.journal] == [f"/api/v3{REPO}"]


BUSY, REFUSED = ForgeBusy, ForgeRefused
RATE = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
}


@pytest.mark.parametrize(
    ("fault", "kind", "expected"),
    [
        (Fault("status", 401, body={"message": "Bad credentials"}), REFUSED, "the token was not accepted"),
        (
            Fault("status", 403, body={"message": "Resource not accessible"}),
            REFUSED,
            "Resource not accessible",
        ),
        (Fault("status", 403, {"Retry-After": "99999"}), BUSY, "99999 s of quiet"),
        (Fault("status", 403, {"Retry-After": "Mon, 23 Nov 2026 12:00:00 GMT"}), BUSY, "limits our requests"),
        (Fault("status", 403, {"Retry-After": "soon\u00b2"}), BUSY, "limits our requests"),
        (Fault("status", 403, body=RATE), BUSY, "limits our requests"),
        (Fault("status", 403, {"X-RateLimit-Remaining": "0"}), BUSY, "limits our requests"),
        (Fault("status", 429), BUSY, r"limits our requests \(429\)"),
        (Fault("status", 404, body={"message": "Not Found"}), REFUSED, "hides a missing permission"),
        (
            Fault("status", 422, body={"message": "Validation Failed", "errors": [{"message": "x"}]}),
            REFUSED,
            "x",
        ),
        (
            Fault(
                "status",
                422,
                body={"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]},
            ),
            REFUSED,
            "Validation Failed head invalid$",
        ),
        (
            Fault("status", 422, body={"message": "No", "errors": ["not a\nmember"]}),
            REFUSED,
            "No not a member$",
        ),
        (Fault("status", 422, body={"message": "No", "errors": None}), REFUSED, "No$"),
        (Fault("status", 422, body={"message": "No", "errors": 3}), REFUSED, "No$"),
        (Fault("status", 500), BUSY, r"the forge failed \(500\)"),
        (Fault("status", 502, body="<html>"), BUSY, "the answer is not GitHub's"),
        (Fault("status", 503), BUSY, r"the forge failed \(503\)"),
        (Fault("reset"), BUSY, "no complete answer"),
        (Fault("truncate", applied=True), BUSY, "no complete answer"),
        (Fault("html", applied=True), REFUSED, "not like GitHub's API"),
    ],
    ids=range(20),
)
def test_what_the_forge_says_becomes_one_line_at_once(double, fault, kind, expected):
    double.fault = always(fault)
    begin = time.monotonic()
    with pytest.raises(kind, match=expected) as caught:
        connect(double)
    assert type(caught.value).exit_code == (30 if kind is REFUSED else 31)
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len(double.journal) == 1
    assert time.monotonic() - begin < 5


def test_a_server_that_answers_a_byte_at_a_time_does_not_outlive_the_deadline(double):
    double.fault = always(Fault("drip", applied=True))
    begin = time.monotonic()
    with pytest.raises(ForgeBusy):
        connect(double, deadline_s=1)
    assert time.monotonic() - begin < 4


def test_nothing_is_sent_after_the_deadline(double):
    with pytest.raises(ForgeBusy, match="the deadline of this run is over"):
        connect(double, deadline_s=0)
    assert double.journal == []


def test_a_port_where_nobody_listens_is_busy(double):
    with pytest.raises(ForgeBusy, match="no complete answer"):
        github_client.repository(TOKEN, "http://127.0.0.1:1", "acme/gitops", deadline_s=5)


def test_a_redirect_within_the_origin_is_followed(double):
    moved = {"Location": f"{double.base_url}{REPO}"}
    double.fault = lambda _verb, path: Fault("status", 301, moved) if path.endswith("/old") else None
    found = github_client.repository(TOKEN, double.base_url, "acme/old", deadline_s=20)
    assert found.full_name == "acme/gitops"


def test_a_circle_of_redirects_ends(double):
    double.fault = always(Fault("status", 307, {"Location": f"{double.base_url}{REPO}"}))
    with pytest.raises(ForgeRefused, match="too many redirects"):
        connect(double)
    assert len(double.journal) == 3


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("form", ["{url}/x", "//{host}/x", "https://user:pw@{host}/x"])
def test_a_redirect_to_another_origin_is_refused_and_never_sees_the_token(double, status, form):
    with github_server.running(Double()) as other:
        location = form.format(url=other.base_url, host=other.base_url.removeprefix("http://"))
        double.fault = always(Fault("status", status, {"Location": location}))
        with pytest.raises(ForgeRefused, match="redirects to another address"):
            connect(double)
        assert other.journal == []


@pytest.mark.parametrize(
    "form", ["{url}/repos/acme/gitops/pulls?page=2", "http://evil.invalid/x", "ftp://x/y"]
)
def test_a_link_header_to_another_origin_is_refused_and_never_sees_the_token(double, form):
    with github_server.running(Double()) as other:
        repo = connect(double)
        link = {"Link": f'<{form.format(url=other.base_url)}>; rel="next"'}
        double.fault = lambda _verb, path: (
            Fault("normal", headers=link, applied=True) if "pulls" in path else None
        )
        double.add_pull("x", "bot")
        with pytest.raises(ForgeRefused), github_errors.speaking("listing", (TOKEN,)):
            list(repo.get_pulls())
        assert other.journal == []


def test_an_address_in_an_answer_that_points_elsewhere_never_sees_the_token(double):
    with github_server.running(Double()) as other:
        repo = connect(double)
        double.add_pull("x", "bot", url=f"{other.base_url}/repos/acme/gitops/pulls/1")
        (pull,) = repo.get_pulls()
        with pytest.raises(ForgeRefused), github_errors.speaking("editing", (TOKEN,)):
            pull.edit(title="x")
        assert other.journal == []


def test_the_token_is_not_logged(double, caplog):
    caplog.set_level(logging.DEBUG)
    connect(double)
    assert TOKEN not in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    "url", ["", "api.github.com", "ftp://x", "https://", "https://u:p@x", "https://x?a=b"]
)
def test_an_address_that_is_none_is_a_configuration_error(url):
    with pytest.raises(ConfigError, match="expected an address") as caught:
        github_client.repository(TOKEN, url, "acme/gitops")
    assert caught.value.where == "GITHUB_API_URL"


def test_python_without_asserts_is_refused(tmp_path):
    code = (
        "from aiops.edges import github_client\n"
        "from aiops.errors import ConfigError\n"
        "try:\n    github_client.repository('t', 'http://127.0.0.1:1', 'a/b')\n"
        "except ConfigError as error:\n    print(error.exit_code, error)\n"
    )
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("2 python: GitHub is not used under `python -O`")


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"Bearer {TOKEN}",
        quote(TOKEN, safe=""),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode(),
        base64.urlsafe_b64encode(f"user:{TOKEN}".encode()).decode(),
        f"https://{TOKEN}@github.com/x",
        "https://user:password@host/x",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjMifQ.c2lnbmF0dXJl",
        "github_pat_" + "a" * 30,
        "ghs_" + "a" * 36,
    ],
)
def test_no_form_of_a_secret_survives(text):
    shown = redact(f"before {text} after", (TOKEN,))
    assert "***" in shown
    for secret in (
        TOKEN,
        "canary",
        base64.b64encode(TOKEN.encode()).decode()[4:-6],
        "password",
        "eyJ",
        "aaaaaaa",
    ):
        assert secret not in shown
    assert shown.startswith("before ")


@given(
    before=st.binary(max_size=12), secret=st.text(st.sampled_from("abcXYZ019_-"), min_size=16, max_size=50)
)
def test_no_base64_around_a_secret_survives(before, secret):
    encoded = base64.b64encode(before + secret.encode()).decode()
    shown = redact(encoded, (secret,))
    inside = base64.b64encode(b"\0" * (len(before) % 3) + secret.encode()).decode()[4:-4]
    assert inside not in shown


def test_text_without_a_secret_stays():
    assert redact("the forge\nsays  no", ("",)) == "the forge says no"
