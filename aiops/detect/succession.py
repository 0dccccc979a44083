"""Whether a new model may take the place of the one that is there: their losses on the same days.

Comes in: both models and the panels the new one was trained on. The days are the last quarter, which
the new one did not learn from; those that the old one learned from are left out where others remain.
The loss is the pinball loss of the forecast 30 to 60 minutes ahead, the one that training minimises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiops.detect import calibrate, examples
from aiops.detect.examples import Example
from aiops.detect.model import Card, Model
from aiops.detect.settings import DAY_S, Calendar
from aiops.domain import Panel


@dataclass(frozen=True, slots=True)
class Comparison:
    """Losses on the same held-out days, lower is better; `unseen`: by both models."""

    days: int
    old: float
    new: float
    unseen: bool

    @property
    def keeps_old(self) -> bool:
        """Tell whether the old model is better. A tie goes to the new one: it knows newer days."""
        return self.old < self.new


def compare(
    old: Model, new: Model, panels: Sequence[Panel], held_out: float, calendar: Calendar
) -> Comparison | None:
    """Return the losses of both on the recent held-out days; None when there is no such day."""
    _, held = examples.split(panels, held_out)
    if not held:
        return None
    learned_s = _learned_until(old.card)
    later = [one for one in held if _day_s(one) >= learned_s]
    judged = later or held
    losses = [calibrate.forecast_metrics(one, judged, calendar).pinball for one in (old, new)]
    return Comparison(len(judged), losses[0], losses[1], bool(later))


def _learned_until(card: Card) -> float:
    """Return the end of what a model learned from, in unix seconds; 0 when its card does not tell."""
    ends = [card.data.get("from_s"), card.data.get("to_s"), card.training.get("held_out")]
    start, end, share = (one if isinstance(one, (int, float)) else None for one in ends)
    if start is None or end is None or share is None:
        return 0.0
    return end - share * (end - start)


def _day_s(example: Example) -> int:
    return int(example.batch.times[-1]) + example.batch.step_s - DAY_S
