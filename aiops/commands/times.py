"""Times as people type them on the command line."""

from __future__ import annotations

import datetime as dt

from aiops.errors import ConfigError


def parse(text: str, option: str) -> int:
    """Return unix seconds of `1773829800`, `2026-03-18T10:30:00Z` or `2026-03-18` (UTC).

    Raises ConfigError for anything else, a time without a zone included: a local time on one
    machine is another time on the next.
    """
    if text.isdigit():
        return int(text)
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"expected a time like 2026-03-18T10:30:00Z or unix seconds, found {text!r}", where=option
        ) from error
    if found.tzinfo is None and len(text) > len("2026-03-18"):
        raise ConfigError(
            f"expected a time with its zone, found {text!r}", where=option, todo="add Z for UTC"
        )
    return int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())
