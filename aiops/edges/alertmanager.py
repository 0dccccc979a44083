"""Reads the silences of an Alertmanager: who asked not to be told of what, and until when.

Comes in: alerts as label sets. Goes out: for each the name of a silence that mutes it, by the rules
of Alertmanager: every matcher holds, a label that is not there is empty, a regular expression is
RE2 and covers the whole value. RE2 takes linear time, so a hostile pattern cannot hold up a run; it
comes with pyarrow, which is imported only where a silence has a pattern.

API: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (getSilences).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from aiops.edges.prometheus import PrometheusSettings, transport
from aiops.edges.prometheus_transport import TooLarge
from aiops.errors import ConfigError, DataUnusable

MAX_PATTERN = 1_000  # characters; a longer one is nobody's silence
_MAX_COMMENT, _MAX_AUTHOR = 80, 40


_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Matcher(msgspec.Struct, frozen=True, rename="camel"):
    """`is_equal` is absent in Alertmanager before 0.22, where all are."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class _Silence(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    matchers: tuple[_Matcher, ...]
    starts_at: _Instant
    ends_at: _Instant
    comment: str = ""
    created_by: str = ""


class AlertmanagerSilences:
    """One Alertmanager (the port `Silences`), asked at most once."""

    def __init__(self, settings: PrometheusSettings) -> None:
        """Check the address; nothing is sent yet. Raises ConfigError for a malformed URL."""
        try:
            self._url, self._transport = transport(settings)
        except ConfigError as error:
            raise ConfigError(
                error.message, where="alertmanager.url", todo="for example http://127.0.0.1:9093"
            ) from error
        self._timeout_s = settings.timeout_s
        self._known: tuple[_Silence, ...] | None = None

    def muting(self, alerts: Sequence[Mapping[str, str]], at_s: int) -> tuple[str | None, ...]:
        """Return for each label set what mutes it at a time, None = nothing.

        Raises DataUnusable when Alertmanager cannot be asked, or answers something else.
        """
        if self._known is None:
            self._known = self._read()
        at = datetime.fromtimestamp(at_s, UTC)
        active = sorted(
            (one for one in self._known if one.matchers and one.starts_at <= at < one.ends_at),
            key=lambda one: (one.ends_at, one.id),
        )
        return tuple(
            next((_name(one) for one in active if all(_holds(m, labels) for m in one.matchers)), None)
            for labels in alerts
        )

    def close(self) -> None:
        """Close the kept connection."""
        self._transport.close()

    def _read(self) -> tuple[_Silence, ...]:
        self._transport.end_s = time.monotonic() + self._timeout_s
        try:
            body = self._transport.request("GET", f"{self._url}/api/v2/silences")
            found = msgspec.json.decode(body.raw, type=tuple[_Silence, ...])
            return tuple(
                msgspec.structs.replace(
                    one, starts_at=one.starts_at.astimezone(UTC), ends_at=one.ends_at.astimezone(UTC)
                )
                for one in found
            )
        except (
            TooLarge,
            ConfigError,
            msgspec.MsgspecError,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:
            raise DataUnusable(
                "expected the silences of an Alertmanager, and something else answered",
                where=self._url,
                todo="check `alertmanager: {url: ...}`, path prefix included",
            ) from error


def _holds(matcher: _Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.name, "")
    same = _covers(matcher.value, value) if matcher.is_regex else value == matcher.value
    return same is matcher.is_equal


def _covers(pattern: str, value: str) -> bool:
    """Tell whether RE2 finds a pattern in the whole of a value. Raises DataUnusable for no pattern."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pattern if len(pattern) <= MAX_PATTERN else "("
    try:
        found = pc.match_substring_regex(pa.array([value]), pattern=f"^(?:{whole})$")
    except ValueError as error:  # pyarrow's own is one
        raise DataUnusable(
            "a silence has a matcher that is no regular expression", todo="look at its matchers"
        ) from error
    return bool(found[0].as_py())


def _name(silence: _Silence) -> str:
    """Return a silence in words; what people wrote is shortened, and printed as data."""
    comment, author = _plain(silence.comment)[:_MAX_COMMENT], _plain(silence.created_by)[:_MAX_AUTHOR]
    until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"{_plain(silence.id)[:8]} of {author or 'nobody'} until {until}: {comment or 'no comment'}"


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
