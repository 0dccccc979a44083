from __future__ import annotations

import numpy as np
import pytest

from aiops.detect import familiar, scoring
from aiops.detect.settings import DetectSettings
from aiops.detect.sustain import sustain
from aiops.domain import Incident, State

HOUR, DAY = 3_600, 86_400
MIDNIGHT = 1_773_878_400  # Thursday 2026-03-19 00:00 UTC
SETTINGS = DetectSettings()


def _found(world, starter, newest_s: int) -> tuple[Incident, ...]:
    history = world.history(newest_s + 120)
    scores = scoring.score(history, starter, SETTINGS)
    return familiar.recognised(sustain(scores, history, SETTINGS), scores, history, SETTINGS)


@pytest.mark.parametrize("hour", [3, 14, 20])
def test_the_onset_is_known_beyond_the_judged_hours_and_after_a_day_it_is_a_new_level(
    world, starter, happens, hour: int
) -> None:
    onset = MIDNIGHT - DAY + hour * HOUR
    world.events.append(happens(0, "error_ratio", onset, lambda values: values + 0.3))
    world.events.append(happens(1, "latency_p95", onset, lambda values: values * 3))
    for after_h, kind in ((16, None), (23, None), (25, "new-level")):
        found = _found(world, starter, onset + after_h * HOUR)
        assert [one.state for one in found] == [State.FIRING] * 2 + [State.INACTIVE] * 2
        assert [one.onset_s for one in found[:2]] == [onset, onset]
        assert [one.familiar and one.familiar.kind for one in found] == [kind, kind, None, None]


def test_a_gap_before_the_judged_hours_does_not_hide_the_onset(world, starter, happens) -> None:
    onset = MIDNIGHT - 10 * HOUR

    def gap(values: np.ndarray, times: np.ndarray) -> None:
        values[:, :, (times > onset + HOUR) & (times < onset + 3 * HOUR)] = np.nan

    world.events += [happens(0, "error_ratio", onset, lambda values: values + 0.3), gap]
    assert onset == _found(world, starter, MIDNIGHT + 8 * HOUR)[0].onset_s


def test_a_crash_loop_is_news_however_old_it_is(world, starter, happens) -> None:
    world.events.append(happens(0, "restarts", MIDNIGHT - 20 * HOUR, lambda values: values + 6))
    found = _found(world, starter, MIDNIGHT + 10 * HOUR)[0]
    assert found.state is State.FIRING
    assert found.familiar is None


def test_what_is_inactive_is_left_as_it_is(world, starter) -> None:
    history = world.history()
    scores = scoring.score(history, starter, SETTINGS)
    plain = sustain(scores, history, SETTINGS)
    assert plain == familiar.recognised(plain, scores, history, SETTINGS)
