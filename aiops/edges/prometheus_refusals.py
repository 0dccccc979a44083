"""What a failed exchange with a Prometheus means, in one line each: every failure is mapped here, once.

Only a query that the server itself calls bad is the user's to correct (ConfigError); whatever
else goes wrong means that nothing can be judged (DataUnusable).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from aiops.edges.redaction import redact
from aiops.errors import AiopsError, ConfigError, DataUnusable

_SHOWN = 300  # characters of a foreign text
# Prometheus, Thanos, Mimir and VictoriaMetrics each have their own limit, and their own words for it.
_QUOTED = re.compile(r'"[^"]*"')  # label values: `resource="limits.cpu"` is no limit that was passed
_TOO_MUCH = re.compile(r"too many (samples|chunks|series)|limit|exceed|maximum|maxSamples", re.IGNORECASE)


class Unreachable(Exception):
    """No reply at all. `why` and `todo` for a person; `again`: another attempt may succeed."""

    def __init__(self, why: str, todo: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.todo = todo
        self.again = again


class TooMuch(DataUnusable):
    """The server evaluates no query over so much at once; over a shorter span it may."""


class _Error(msgspec.Struct):
    errorType: str = ""  # noqa: N815 - the server's spelling
    error: str = ""


# Names of exceptions anywhere behind an error -> what it means; the first row that fits wins. By
# name, because requests, urllib3 and ssl each have their own and which one surfaces differs.
_MEANINGS = (
    (
        {"gaierror", "NameResolutionError"},
        Unreachable("the host name is not known", "check the host in `prometheus: {url: ...}`", again=True),
    ),
    (
        {"SSLError", "SSLCertVerificationError", "CertificateError", "SSLEOFError", "SSLZeroReturnError"},
        Unreachable(
            "TLS failed", "name your authority with `prometheus: {tls: {ca: FILE}}`; verification stays on"
        ),
    ),
    (
        {"ConnectTimeout", "ConnectTimeoutError", "ReadTimeout", "ReadTimeoutError", "TimeoutError"},
        Unreachable("no answer in time", "check that the server is up and reachable from here", again=True),
    ),
    (
        {"ConnectionRefusedError"},
        Unreachable("connection refused", "is Prometheus running, and is this its port?", again=True),
    ),
    (
        {
            "ProtocolError",
            "IncompleteRead",
            "ChunkedEncodingError",
            "ConnectionResetError",
            "BrokenPipeError",
        },
        Unreachable("the answer was cut off", "run again; check the proxy before it", again=True),
    ),
)


def reason(error: BaseException) -> Unreachable:
    """Return what a broken connection was about; the library's own text quotes the whole URL."""
    chain = list(_causes(error))
    names = {type(one).__name__ for one in chain}
    meaning = next((meaning for known, meaning in _MEANINGS if names & known), None)
    if meaning is None:
        why = f"no usable connection ({type(error).__name__})"
        return Unreachable(why, "check `prometheus: {url: ...}` and its `tls` files")
    details = [text for one in chain if (text := getattr(one, "verify_message", ""))]
    why = f"{meaning.why}: {shown(details[0])}" if details else meaning.why
    return Unreachable(why, meaning.todo, again=meaning.again)


def refusal(
    status: int, content_type: str, body: bytes, query: str, where: str, secrets: tuple[str, ...]
) -> AiopsError:
    """Return the error that an HTTP status other than 200 means. `query` is shown when it is at fault.

    The server's text is shown without `secrets`, which it may have got from us.
    """
    told = _told(body)
    text = f": {shown(redact(told.error, secrets))}" if told and told.error else ""
    if status == 400 and told and told.errorType == "bad_data":
        return ConfigError(
            f"the server rejects this query{text}: {shown(query)}",
            where=where,
            todo="correct `queries` in aiops.yaml; a preset that is rejected is a bug of aiops",
        )
    if status in (401, 403):
        return DataUnusable(
            f"HTTP {status}, the server refuses our credentials",
            where=where,
            todo="check `prometheus: {auth: ...}`",
        )
    if status == 422 and told:
        too_much = _TOO_MUCH.search(_QUOTED.sub("", told.error))
        return (TooMuch if too_much else DataUnusable)(
            f"HTTP 422, the query could not be evaluated{text}",
            where=where,
            todo="it may touch too many samples: record parts of it by rules, or shard by namespace",
        )
    if status in (429, 502, 503, 504):
        return DataUnusable(
            f"HTTP {status}, the server is busy or starting{text}", where=where, todo="run again later"
        )
    found = (
        "an HTML page" if "html" in content_type.lower() or body.lstrip()[:1] == b"<" else f"HTTP {status}"
    )
    return DataUnusable(
        f"expected a Prometheus, found {found} with status {status}{text}",
        where=where,
        todo="check `prometheus: {url: ...}`, path prefix included",
    )


def shown(text: str) -> str:
    """Return foreign text on one line, in ASCII, shortened."""
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    printable = "".join(char if char.isprintable() else "?" for char in line)
    return printable if len(printable) <= _SHOWN else f"{printable[:_SHOWN]}..."


def _told(body: bytes) -> _Error | None:
    """Return what a Prometheus says went wrong, None when this is not its way to say it."""
    try:
        return msgspec.json.decode(body, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything behind it: causes, contexts, and what urllib3 puts in args."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
