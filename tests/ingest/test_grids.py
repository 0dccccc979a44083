from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aiops.domain import Grid
from aiops.ingest.grids import chunks, columns

GRIDS = st.builds(
    lambda start, steps, step: Grid(start, start + (steps - 1) * step, step),
    st.integers(-(10**6), 2 * 10**9),
    st.integers(1, 400),
    st.integers(1, 3_600),
)


@given(GRIDS, st.integers(1, 50), st.integers(0, 10))
def test_chunks_hold_every_step_once_and_never_too_many(grid: Grid, points: int, beyond_s: int) -> None:
    ragged = Grid(grid.start_s, grid.end_s + min(beyond_s, grid.step_s - 1), grid.step_s)
    parts = chunks(ragged, points)
    assert np.array_equal(ragged.times, np.concatenate([part.times for part in parts]))
    assert max(len(part.times) for part in parts) <= points
    assert all(part.end_s == part.times[-1] for part in parts)


@given(GRIDS, st.integers(1, 60), st.integers(-500, 500), st.integers(1, 100))
def test_a_column_is_the_place_of_the_same_time(recorded: Grid, times: int, offset: int, steps: int) -> None:
    step_s = recorded.step_s * times
    start_s = recorded.start_s + offset * recorded.step_s
    wanted = Grid(start_s, start_s + (steps - 1) * step_s, step_s)
    found = columns(recorded, wanted)
    assert found is not None
    known = {int(time): place for place, time in enumerate(recorded.times)}
    assert [known.get(int(time), -1) for time in wanted.times] == found.tolist()


def test_steps_between_the_recorded_ones_have_no_column() -> None:
    recorded = Grid(0, 600, 60)
    assert columns(recorded, Grid(30, 600, 60)) is None
    assert columns(recorded, Grid(0, 600, 90)) is None
    assert columns(recorded, Grid(0, 600, 30)) is None
