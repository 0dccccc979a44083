"""`aiops.backtest/1` as types, read from a file that anybody may have written.

Only what the page shows is named here; keys that a later aiops adds are passed over.
"""

from __future__ import annotations

import msgspec

from aiops.errors import ConfigError
from aiops.page.document import MAX_BYTES, Workload, _Read

SCHEMA = "aiops.backtest/1"
_TODO = "make one with `aiops backtest --format json`"


class People(_Read, frozen=True):
    """What people did about a proposal within a day."""

    answer: str
    value: str = ""
    at: str | None = None


class Verdict(_Read, frozen=True):
    """What people and recovery say of a proposal."""

    ruling: str = "unknown"
    why: str = ""


class Proposed(_Read, frozen=True):
    """One pull request that would have been opened. `strength`: the highest threshold that leaves it."""

    workload: Workload
    action: str
    field: str
    old: str
    new: str
    reason: str = ""
    onset: str | None = None
    opened: str | None = None
    ended: str | None = None
    outcome: str = "none"
    calm: str | None = None
    people: People = People("early")
    verdict: Verdict = Verdict()
    plan: str | None = None
    strength: float | None = None


class Act(_Read, frozen=True):
    """A rollback that people made; `ahead_s`: how much earlier it had been proposed."""

    workload: Workload
    old: str
    new: str
    at: str | None = None
    ahead_s: int | None = None


class Threshold(_Read, frozen=True):
    """What a threshold would have left."""

    threshold: float
    proposals: int
    a_week: float


class Budget(_Read, frozen=True):
    """How many proposals a week are wished for, and which threshold leaves so few."""

    a_week: float
    threshold: float | None = None


class Promise(_Read, frozen=True):
    """The share of healthy days of a workload on which a score is reached, as calibrated."""

    score: float
    share: float


class Reached(_Read, frozen=True):
    """On how many days of a workload a score was reached for long enough to fire."""

    score: float
    days: int


class Calibration(_Read, frozen=True):
    """What was promised of scores, and what came."""

    workload_days: int
    predicted: Promise
    observed: tuple[Reached, ...] = ()


class Backtest(_Read, frozen=True):
    """The whole of `aiops.backtest/1`. `start`, `to`: first and last run."""

    schema: str
    to: str
    runs: int
    start: str = msgspec.field(name="from")
    unusable: int = 0
    plans: dict[str, object] | None = None
    proposals: tuple[Proposed, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    budget: Budget | None = None
    calibration: Calibration | None = None
    rollbacks_by_people: tuple[Act, ...] = ()


class _Any(_Read, frozen=True):
    schema: str = ""


def is_one(data: bytes) -> bool:
    """Tell whether a document says of itself that it is a backtest."""
    try:
        return len(data) <= MAX_BYTES and msgspec.json.decode(data, type=_Any).schema == SCHEMA
    except (msgspec.DecodeError, RecursionError):
        return False


def load(data: bytes, where: str) -> Backtest:
    """Return the backtest. Raises ConfigError, one line, for anything else."""
    try:
        return msgspec.json.decode(data, type=Backtest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"not a backtest: {error}", where=where, todo=_TODO) from error
