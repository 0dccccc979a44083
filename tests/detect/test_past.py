from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.detect import local_time, past, scoring
from aiops.detect.settings import Calendar, DetectSettings

DAY = 86_400
AFTERNOON = 1_773_934_320  # 15:32 UTC


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("days_ago", [1, 7])
def test_an_excluded_span_teaches_nothing(world, starter, days_ago: int, *, with_model: bool) -> None:
    """A load test makes the same hour neither expected nor the bands wider: it is as if not seen."""
    start = AFTERNOON // DAY * DAY - days_ago * DAY + 9 * 3_600
    excluded = tuple(datetime.fromtimestamp(at, tz=UTC).isoformat() for at in (start, start + 7_199))
    settings = DetectSettings(calendar=Calendar(excluded=(excluded,)))
    model = starter if with_model else None

    def load_test(values: np.ndarray, times: np.ndarray) -> None:
        values[:3, :3, (times >= start) & (times < start + 7_200)] *= 20

    def nothing(values: np.ndarray, times: np.ndarray) -> None:
        values[..., (times >= start) & (times < start + 7_200)] = np.nan

    world.events.append(load_test)
    tested = scoring.score(world.history(AFTERNOON), model, settings)
    taught = scoring.score(world.history(AFTERNOON), model, DetectSettings())
    world.events[:] = [nothing]
    unseen = scoring.score(world.history(AFTERNOON), model, settings)
    np.testing.assert_array_equal(unseen.values, tested.values)
    assert (taught.values != tested.values).any()


def test_an_excluded_span_of_the_judged_day_is_judged_all_the_same(world) -> None:
    today = AFTERNOON // DAY * DAY
    excluded = tuple(datetime.fromtimestamp(today + at, tz=UTC).isoformat() for at in (-3_600, 3_600))
    history = world.history(AFTERNOON)
    (span,) = local_time.spans(today, Calendar())
    batch = past.batch(history, None, span, Calendar(excluded=(excluded,)))
    seen = np.isfinite(batch.values).all(axis=0)
    assert not seen[(batch.times >= today - 3_600) & (batch.times < today)].any()
    assert seen[batch.times >= today].all()
    assert seen[batch.times < today - 3_600].all()
