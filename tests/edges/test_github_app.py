"""An App's key becomes a narrow token of an hour, and the key is nowhere to be read."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from edges import github_server
from edges.github_apps import TOKEN, WRITE, Apps
from edges.github_double import REPO, Double, Fault

from aiops import connect
from aiops.commands import checks
from aiops.config import Config
from aiops.edges import github_app
from aiops.errors import ConfigError, ForgeBusy, ForgeRefused

PRIVATE = rsa.generate_private_key(65537, 2048)
KEY = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
CONFIG = Config.model_validate(
    {"prometheus": {"url": "http://x"}, "repository": {"github": "acme/gitops"}, "forge": "github"}
)


@pytest.fixture
def double(monkeypatch) -> Iterator[Apps]:
    with github_server.running(Apps(WRITE)) as running:
        for name in ("GITHUB_TOKEN", "GITHUB_APP_PRIVATE_KEY_FILE"):
            monkeypatch.delenv(name, raising=False)
        running.seed({"a.yaml": b""})
        monkeypatch.setenv("GITHUB_API_URL", running.base_url)
        monkeypatch.setenv("GITHUB_APP_ID", "4711")
        monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", KEY)
        yield running


def made(double: Double) -> github_app.Installation:
    return github_app.installation("4711", KEY, double.base_url, "acme/gitops", deadline_s=20)


def test_the_app_asks_with_a_signature_of_its_key_that_ends_within_ten_minutes(double):
    assert made(double).token == TOKEN

    bearers = {headers["Authorization"].removeprefix("Bearer ") for _, _, headers in double.journal}
    (signed,) = bearers
    claims = jwt.decode(signed, PRIVATE.public_key(), algorithms=["RS256"])
    assert claims["iss"] == "4711"
    assert 0 < claims["exp"] - claims["iat"] <= 600


def test_the_token_is_for_one_repository_and_for_nothing_that_is_not_needed(double):
    double.granted = {**WRITE, "administration": "write", "actions": "write"}

    assert made(double).excess == ("actions", "administration")
    wanted = {"contents": "write", "pull_requests": "write"}
    assert double.asked == [("POST", {"repositories": ["gitops"], "permissions": wanted})]


def test_with_tracking_issues_it_is_for_issues_as_well_and_doctor_says_so(double):
    wanting = CONFIG.model_copy(update={"issues": True})
    double.granted = {**WRITE, "issues": "write"}
    lines = {one.name: one for one in checks.access(connect.access(wanting, 20), wanting)}
    assert double.asked[0][1]["permissions"] == {
        "contents": "write", "pull_requests": "write", "issues": "write",
    }  # fmt: skip
    assert (lines["forge"].state, lines["issues"].state) == ("ok", "ok")
    assert checks.access(connect.access(CONFIG, 20), CONFIG)[0].found == "the App 4711 may also issues"

    double.granted = WRITE
    line = {one.name: one for one in checks.access(connect.access(wanting, 20), wanting)}["issues"]
    assert (line.state, line.found, line.exit_code) == ("problem", "no tracking issue can be opened", 30)


def test_an_app_that_may_only_read_asks_for_no_more(double):
    double.granted = {"contents": "read", "metadata": "read"}

    assert not made(double).may_push
    assert double.asked[0][1]["permissions"] == {"contents": "read"}


def test_the_repository_is_then_read_with_the_token_and_never_with_the_signature(double):
    access = connect.access(CONFIG, 20)

    assert access is not None
    assert (access.app, access.may_push, access.excess, access.protected) == ("4711", True, (), True)
    used = {path: headers["Authorization"] for _, path, headers in double.journal}
    assert used[REPO] == used[f"{REPO}/pulls"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("granted", "state", "expected"),
    [
        (WRITE, "ok", "pull requests are readable, the App 4711 may push"),
        ({**WRITE, "contents": "read"}, "problem", "the App 4711 may read only"),
        ({**WRITE, "secrets": "read"}, "warning", "the App 4711 may also secrets"),
    ],
)
def test_doctor_tells_what_the_app_was_granted_not_what_the_account_may(double, granted, state, expected):
    double.granted = granted
    line = checks.access(connect.access(CONFIG, 20), CONFIG)[0]
    assert (line.state, line.found) == (state, expected)


@pytest.mark.parametrize(
    ("fault", "kind", "expected"),
    [
        (Fault("status", 404, body={"message": "Not Found"}), ForgeRefused, "App 4711 is not installed on"),
        (Fault("status", 401, body={"message": "{signed}"}), ForgeRefused, "this machine's clock"),
        (Fault("status", 422, body={"message": "no {signed} {key}"}), ForgeRefused, r"no \*\*\*"),
        (Fault("html", applied=True), ForgeBusy, "not GitHub's"),
        (Fault("status", 200, body={"id": 5, "permissions": []}), ForgeBusy, "not GitHub's"),
        (Fault("reset"), ForgeBusy, "no complete answer"),
    ],
    ids=range(6),
)
def test_what_github_says_to_an_app_is_one_line_without_the_key(double, fault, kind, expected):
    def repeating(_verb, _path):
        signed = double.journal[-1][2]["Authorization"].removeprefix("Bearer ") if double.journal else ""
        if fault.body and "message" in fault.body:
            said = fault.body["message"].replace("{signed}", signed).replace("{key}", KEY)
            return replace(fault, body={"message": said})
        return fault

    double.fault = repeating
    with pytest.raises(kind, match=expected) as caught:
        made(double)
    assert_silent(str(caught.value))


def test_an_app_without_any_needed_permission_asks_for_no_token(double):
    double.granted = {"metadata": "read"}
    with pytest.raises(ForgeRefused, match="neither contents nor pull_requests"):
        made(double)
    assert double.asked == []


@pytest.mark.parametrize(
    "key",
    [KEY[:-100], "", "canary", KEY.replace("RSA PRIVATE", "PUBLIC")],
    ids=["cut", "empty", "word", "public"],
)
def test_a_key_that_is_none_is_one_line_that_does_not_quote_it(double, key):
    with pytest.raises(ConfigError, match="not an unencrypted RSA private key") as caught:
        github_app.installation("4711", key, double.base_url, "acme/gitops", deadline_s=20)
    assert caught.value.__suppress_context__
    assert_silent(str(caught.value))
    assert double.journal == []


def test_a_key_whose_line_ends_became_letters_is_read(double, monkeypatch):
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", KEY.replace("\n", "\\n"))
    assert connect.access(CONFIG, 20) is not None


def test_the_key_may_lie_in_a_file(double, monkeypatch, tmp_path):
    monkeypatch.delenv("GITHUB_APP_PRIVATE_KEY")
    (tmp_path / "key.pem").write_text(KEY, encoding="ascii")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY_FILE", str(tmp_path / "key.pem"))
    assert connect.access(CONFIG, 20) is not None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GITHUB_TOKEN": "t"}, "both GITHUB_TOKEN and GITHUB_APP_ID"),
        ({"GITHUB_APP_PRIVATE_KEY": ""}, "expected one of GITHUB_APP_PRIVATE_KEY and"),
        ({"GITHUB_APP_PRIVATE_KEY_FILE": "/key"}, "expected one of GITHUB_APP_PRIVATE_KEY and"),
        (
            {"GITHUB_APP_PRIVATE_KEY": "", "GITHUB_APP_PRIVATE_KEY_FILE": "/nowhere"},
            "cannot read the key: FileNotFoundError",
        ),
        ({"GITHUB_APP_ID": "x\n::warning::"}, "the number or the client id"),
    ],
    ids=range(5),
)
def test_an_environment_that_says_two_things_is_refused(double, monkeypatch, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=expected):
        connect.access(CONFIG, 20)
    assert double.journal == []


def test_no_log_or_error_holds_key_or_token_when_github_repeats_them(double, caplog, capfd):
    double.fault = lambda _verb, path: (
        Fault("status", 403, body={"message": f"no {TOKEN} {KEY}"}) if path == REPO else None
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(ForgeRefused, match="no \\*") as caught:
        connect.access(CONFIG, 20)
    assert_silent("".join([str(caught.value), caplog.text, *capfd.readouterr()]))


def assert_silent(text: str) -> None:
    """No line of the key, no signature and no token."""
    lines = [line for line in KEY.splitlines() if not line.startswith("-----")]
    assert [line for line in [*lines, TOKEN, "eyJ"] if line in text] == []
    assert base64.b64encode(TOKEN.encode()).decode().rstrip("=")[:-1] not in text
