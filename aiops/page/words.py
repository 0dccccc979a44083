"""Numbers and times as a person reads them."""

from __future__ import annotations

import datetime as dt
import math

from aiops.page.document import Judged

_ORDER = ("anomalous", "error", "no-data", "learning", "healthy")


def worst_first(judged: tuple[Judged, ...]) -> list[Judged]:
    """Return the workloads as they are listed: by verdict, then by score, then by name."""
    rank = {verdict: place for place, verdict in enumerate(_ORDER)}
    return sorted(judged, key=lambda one: (rank.get(one.verdict, 1), -(one.score or 0.0), str(one.workload)))


def plain(value: float | None) -> str:
    """Return a number at three digits, without an exponent where one can do without."""
    if value is None or not math.isfinite(value):
        return "-"
    if value != 0 and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.2e}"
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rated(score: float | None) -> str:
    """Return a score as every command prints it."""
    return "-" if score is None or not math.isfinite(score) else f"{score:.1f}"


def measured(value: float | None, unit: str) -> str:
    """Return a value with its unit; a ratio in percent."""
    if value is None or not math.isfinite(value):
        return "not known"
    if unit.startswith("ratio"):
        return f"{plain(value * 100)} %"
    return f"{plain(value)} {unit}".strip()


def seconds(text: str | None) -> int | None:
    """Return the unix time of `2026-03-18T10:30:00Z`; None when it is none."""
    try:
        return int(dt.datetime.fromisoformat(text or "").timestamp())
    except (ValueError, OverflowError):
        return None


def clock(at_s: int) -> str:
    """Return `22:30`, UTC."""
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%H:%M")


def moment(text: str | None) -> str:
    """Return `2026-03-18 22:30 UTC`."""
    at_s = seconds(text)
    if at_s is None:
        return "time not known"
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def ago(since: str | None, now: str | None) -> str:
    """Return how long before `now`: `26 min`, `5 h`, `3 days`; "" when one of them is not known."""
    start, end = seconds(since), seconds(now)
    if start is None or end is None or end < start:
        return ""
    minutes = (end - start) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2_880 else f"{minutes // 1_440} days"


def count(number: int, noun: str) -> str:
    """Return `1 workload`, `2 workloads`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
