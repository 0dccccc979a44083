from __future__ import annotations

import dataclasses

import pytest

from aiops.detect import succession, training
from aiops.detect.model import Model, open_session
from aiops.detect.settings import Calendar
from aiops.domain import Grid, Panel

pytest.importorskip("torch")
DAY = 86_400
START = 20_500 * DAY
QUICK = training.TrainSettings(name="quick", epochs=1, batches_per_epoch=2, rows_per_batch=4)
LONGER = dataclasses.replace(QUICK, batches_per_epoch=30)


def panel(world, days: int = 7) -> Panel:
    return world.panel(Grid(START, START + days * DAY - 300, 300))


def trained(panels: list[Panel], settings: training.TrainSettings) -> Model:
    onnx, card = training.train(panels, settings, lambda _: None)
    return Model(card, open_session(onnx))


def compared(old: Model, new: Model, panels: list[Panel]) -> succession.Comparison:
    found = succession.compare(old, new, panels, QUICK.held_out, Calendar())
    assert found is not None
    return found


def test_the_better_model_stays_whichever_was_there_first(world) -> None:
    week = [panel(world)]
    weak, good = trained(week, QUICK), trained(week, LONGER)

    assert compared(weak, good, week).keeps_old is False
    assert compared(good, weak, week).keeps_old is True
    assert compared(good, weak, week).old == compared(weak, good, week).new


def test_a_tie_goes_to_the_new_one(world) -> None:
    week = [panel(world)]
    model = trained(week, QUICK)

    assert compared(model, model, week).keeps_old is False


def test_days_that_the_old_one_learned_from_do_not_count_where_others_are_left(world) -> None:
    week = panel(world)
    new = trained([week], QUICK)
    (first, last) = (START, START + 7 * DAY)
    # Five days can be judged, the first two are history; the new one held out the last.
    knew_all = renamed(new, first, last + 3 * DAY)
    knew_none = renamed(new, first - 20 * DAY, first)

    assert (compared(knew_all, new, [week]).unseen, compared(knew_none, new, [week]).unseen) == (False, True)
    assert compared(knew_none, new, [week]).days == compared(knew_all, new, [week]).days == 1


def test_too_little_to_hold_a_day_out_compares_nothing(world) -> None:
    model = trained([panel(world)], QUICK)

    assert succession.compare(model, model, [panel(world, 2)], 0.25, Calendar()) is None


def renamed(model: Model, start_s: int, end_s: int) -> Model:
    data = {**model.card.data, "from_s": start_s, "to_s": end_s}
    return Model(model.card.model_copy(update={"data": data}), model.session)
