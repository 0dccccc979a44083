"""The held-out days, signal by signal: the same errors as the card's, and a day that was not picked."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.detect import calibrate, examples, held_out
from aiops.detect.examples import Example
from aiops.detect.settings import Calendar
from aiops.domain import Grid

DAY, START, STEP = 86_400, 20_500 * 86_400, 300


def days(world, number: int = 5) -> list[Example]:
    return examples.days([world.panel(Grid(START, START + number * DAY - STEP, STEP))])


def judged(model, held: list[Example]) -> held_out.HeldOut:
    found = held_out.judge(model, held, Calendar())
    assert found is not None
    return found


def of_signal(found: held_out.HeldOut, name: str) -> held_out.OfSignal:
    return next(one for one in found.signals if one.signal.name == name)


def test_all_signals_together_have_the_errors_of_the_card(world, starter) -> None:
    held = days(world)
    assert judged(starter, held).errors == calibrate.forecast_metrics(starter, held, Calendar())


def test_each_signal_has_its_own_errors_and_restarts_have_none(world, starter) -> None:
    held = days(world)
    found = judged(starter, held)

    assert [one.signal.name for one in found.signals] == ["error_ratio", "latency_p95", "request_rate"]
    assert (found.days, found.from_s, found.to_s) == (3, START + 2 * DAY, START + 5 * DAY)
    assert all(0.5 < one.inside <= 1 for one in found.signals)
    assert len({one.errors.mae for one in found.signals}) == 3


@pytest.mark.parametrize("number", [5, 4])  # 4 workloads on 3 and on 2 days: 12 and 8, both even
def test_the_day_to_look_at_is_the_one_in_the_middle_and_of_two_the_worse(world, starter, number) -> None:
    held = days(world, number)
    errors = []
    for one in held:
        day = calibrate.last_day(starter, one, Calendar())
        off = np.abs(day.seen - day.forecast[..., 1])
        errors += [np.nanmean(off[i]) for i, name in enumerate(one.names) if name == "request_rate"]
    shown = of_signal(judged(starter, held), "request_rate")

    assert shown.days == len(errors) == 4 * (number - 2)
    assert shown.typical is not None
    assert shown.typical.error == pytest.approx(sorted(errors)[len(errors) // 2])
    assert sum(error < shown.typical.error - 1e-12 for error in errors) == len(errors) // 2


def test_what_is_shown_is_what_was_measured_in_its_unit(world, starter) -> None:
    found = judged(starter, days(world))
    panel = world.panel(Grid(START, START + 5 * DAY - STEP, STEP))
    for one in found.signals:
        day = one.typical
        assert day is not None
        row = panel.workloads.index(day.workload), panel.signals.index(one.signal)
        at = (day.start_s - START) // STEP
        np.testing.assert_allclose(day.observed, panel.values[row][at : at + DAY // STEP], rtol=1e-6)
        assert (day.lower < day.expected).all()
        assert (day.expected < day.upper).all()
        assert np.abs(day.expected - day.observed).mean() < 0.5 * np.ptp(panel.values[row])


def test_a_day_with_few_samples_counts_in_the_errors_and_is_not_looked_at(world, starter) -> None:
    whole = of_signal(judged(starter, days(world)), "request_rate")
    hole = START + 4 * DAY + DAY // 3

    def few(values: np.ndarray, times: np.ndarray) -> None:
        values[:, 0, times >= hole] = np.nan

    world.events.append(few)
    found = of_signal(judged(starter, days(world)), "request_rate")

    assert (whole.days, found.days) == (12, 8)
    assert found.errors != whole.errors
    assert found.typical is not None
    assert found.typical.start_s < START + 4 * DAY


def test_a_signal_that_was_never_there_for_half_a_day_has_nothing_to_look_at(world, starter) -> None:
    def mornings(values: np.ndarray, times: np.ndarray) -> None:
        values[:, 0, times % DAY >= DAY // 3] = np.nan

    world.events.append(mornings)
    found = of_signal(judged(starter, days(world)), "request_rate")

    assert (found.days, found.typical) == (0, None)


def test_without_a_day_or_without_samples_there_is_nothing_to_judge(world, starter) -> None:
    assert held_out.judge(starter, [], Calendar()) is None
    last = START + 2 * DAY

    def silent(values: np.ndarray, times: np.ndarray) -> None:
        values[:, :, times >= last] = np.nan

    world.events.append(silent)
    assert held_out.judge(starter, days(world, 3), Calendar()) is None
