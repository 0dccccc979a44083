from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.domain import Answer, Grid, Query
from aiops.edges import recording
from aiops.edges.recording import RecordedMetrics
from aiops.errors import AiopsError, ConfigError, DataUnusable

GRID = Grid(1_700_000_040, 1_700_000_040 + 60 * 119, 60)
RATE = Query("rate", "rate(x[5m])", "req/s", ("cluster", "namespace", "workload"))
EMPTY = Query("nothing", "absent_metric", "", ("cluster",))


class Source:
    """Answers from a table, and counts."""

    def __init__(
        self, rows: dict[Query, dict[tuple[str, ...], list[float]]], warnings: tuple[str, ...] = ()
    ) -> None:
        self.rows = rows
        self.warnings = warnings

    def read(self, query: Query, grid: Grid) -> Answer:
        names, rows = sorted(query.labels), self.rows.get(query, {})
        values = np.array(list(rows.values()), dtype=np.float64).reshape(len(rows), len(grid.times))
        labels = tuple(dict(zip(names, key, strict=True)) for key in rows)
        return Answer(query, labels, values, grid.times, self.warnings, 7)


def steps() -> list[float]:
    """Return the number of each step, so that a value tells where it came from."""
    return [float(step) for step in range(len(GRID.times))]


SOURCE = Source(
    {RATE: {("eu", "shop", "web"): steps(), ("us", 'q"\n', "wéb"): [np.nan, 0.1, *[5e-324] * 118]}}
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    recording.record(SOURCE, [RATE, EMPTY], GRID, tmp_path / "r", lambda _: None)
    return tmp_path / "r"


def test_an_answer_comes_back_as_it_was(folder: Path) -> None:
    replay = RecordedMetrics(folder)
    for query in (RATE, EMPTY):
        said, again = SOURCE.read(query, GRID), replay.read(query, GRID)
        assert (said.query, said.labels, said.samples) == (again.query, again.labels, again.samples)
        np.testing.assert_array_equal(said.values, again.values)
        np.testing.assert_array_equal(said.times, again.times)
        assert again.values.dtype == np.float64


def test_a_partial_answer_stays_partial(tmp_path: Path) -> None:
    recording.record(Source({}, ("store down",)), [EMPTY], GRID, tmp_path / "r", lambda _: None)
    assert RecordedMetrics(tmp_path / "r").read(EMPTY, GRID).warnings == ("store down",)


@given(times=st.integers(1, 70), offset=st.integers(-200, 200), length=st.integers(1, 60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_coarser_grid_sees_the_value_of_its_own_time(
    folder: Path, times: int, offset: int, length: int
) -> None:
    step_s, start_s = 60 * times, GRID.start_s + 60 * offset
    grid = Grid(start_s, start_s + (length - 1) * step_s, step_s)
    answer = RecordedMetrics(folder).read(RATE, grid)
    expected = {
        int(time): (int(time) - GRID.start_s) / 60
        for time in grid.times
        if GRID.start_s <= time <= GRID.end_s
    }
    rows = [
        row for labels, row in zip(answer.labels, answer.values, strict=True) if labels["cluster"] == "eu"
    ]
    found = [
        {int(time): value for time, value in zip(grid.times, row, strict=True) if np.isfinite(value)}
        for row in rows
    ]
    assert ([expected] if expected else []) == found
    np.testing.assert_array_equal(grid.times, answer.times)


def test_now_is_the_newest_recorded_step(folder: Path, tmp_path: Path) -> None:
    assert RecordedMetrics(folder).now_s() == GRID.end_s
    recording.record(Source({}), [EMPTY], Grid(0, 150, 60), tmp_path / "ragged", lambda _: None)
    assert RecordedMetrics(tmp_path / "ragged").now_s() == 120


@pytest.mark.parametrize("grid", [Grid(GRID.start_s + 1, GRID.end_s, 60), Grid(GRID.start_s, GRID.end_s, 90)])
def test_steps_that_were_not_recorded_are_a_question_of_settings(folder: Path, grid: Grid) -> None:
    with pytest.raises(ConfigError, match="recorded every 60 s") as refused:
        RecordedMetrics(folder).read(RATE, grid)
    assert "step: 60s" in refused.value.todo


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (Query("rate", "rate(x[10m])", "", RATE.labels), "query rate was recorded with another text"),
        (Query("rate", RATE.expr, "", ("cluster",)), "query rate was recorded with another text"),
        (Query("other", "x", "", ()), "query other was not recorded"),
    ],
)
def test_a_query_that_is_not_the_recorded_one_is_named(folder: Path, query: Query, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        RecordedMetrics(folder).read(query, GRID)


def test_recording_tells_how_far_it_is(tmp_path: Path) -> None:
    heard: list[str] = []
    recording.record(SOURCE, [RATE, EMPTY], GRID, tmp_path / "r", heard.append)
    assert heard == ["recording nothing (1 of 2)", "recording rate (2 of 2)"]


def test_the_same_answers_are_recorded_as_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    recording.record(SOURCE, [EMPTY, RATE], GRID, tmp_path / "again", lambda _: None)
    assert contents(folder) == contents(tmp_path / "again")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_recording_replaces_an_older_one_at_once(folder: Path) -> None:
    recording.record(Source({}), [EMPTY], GRID, folder, lambda _: None)
    assert sorted(contents(folder)) == ["manifest.json", "nothing.parquet"]
    assert [path.name for path in folder.parent.iterdir()] == ["r"]


def test_a_recording_that_fails_leaves_the_older_one(folder: Path) -> None:
    class Dies(Source):
        def read(self, query: Query, grid: Grid) -> Answer:
            if query is RATE:
                raise DataUnusable("gone")
            return super().read(query, grid)

    before = contents(folder)
    with pytest.raises(DataUnusable, match="gone"):
        recording.record(Dies({}), [EMPTY, RATE], GRID, folder, lambda _: None)
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["r"]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="something else"):
        recording.record(SOURCE, [RATE], GRID, tmp_path, lambda _: None)
    with pytest.raises(ConfigError, match="a file"):
        recording.record(SOURCE, [RATE], GRID, tmp_path / "thesis.txt", lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    recording.record(SOURCE, [RATE], GRID, tmp_path, lambda _: None)
    assert RecordedMetrics(tmp_path).read(RATE, GRID).labels


# --- damaged and hostile folders --------------------------------------------------------------


@pytest.mark.parametrize("path", ["none", "empty"])
def test_a_folder_without_a_manifest_is_no_recording(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no recording here"):
        RecordedMetrics(tmp_path / path)


def rewritten(folder: Path, change: Any) -> Path:
    path = folder / recording.MANIFEST
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return folder


HOSTILE = [
    lambda m: m.update(schema="aiops.recording/2"),
    lambda m: m.update(extra=1),
    lambda m: m.pop("grid"),
    lambda m: m["grid"].update(step_s=0),
    lambda m: m["grid"].update(step_s=-60),
    lambda m: m["grid"].update(step_s="60"),
    lambda m: m["grid"].update(step_s=10**12),
    lambda m: m["grid"].update(end_s=10**15),
    lambda m: m["grid"].update(start_s=-(2**62)),
    lambda m: m["grid"].update(end_s=0),
    lambda m: m["grid"].update(end_s=10**30),
    lambda m: m["queries"].update({"../../etc/passwd": m["queries"]["rate"]}),
    lambda m: m["queries"].update({"rate\n": m["queries"]["rate"]}),
    lambda m: m["queries"]["rate"].pop("sha256"),
    lambda m: m["queries"]["rate"].update(labels="cluster"),
    lambda m: m.update(queries=[]),
]


@pytest.mark.parametrize("change", HOSTILE, ids=range(len(HOSTILE)))
def test_a_manifest_of_another_shape_is_refused(folder: Path, change: Any) -> None:
    with pytest.raises(DataUnusable, match=r"damaged manifest|expected a recording of schema"):
        RecordedMetrics(rewritten(folder, change))


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff", b" " * 1_000_001])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: bytes) -> None:
    (folder / recording.MANIFEST).write_bytes(text)
    with pytest.raises(DataUnusable):
        RecordedMetrics(folder)


def test_a_changed_byte_anywhere_is_noticed(folder: Path) -> None:
    path = folder / "rate.parquet"
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DataUnusable, match="expected the sha256 of the manifest"):
            RecordedMetrics(folder).read(RATE, GRID)
    path.write_bytes(whole)
    assert RecordedMetrics(folder).read(RATE, GRID).labels


def test_a_file_that_is_missing_or_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    path = folder / "rate.parquet"
    path.rename(tmp_path / "elsewhere.parquet")
    with pytest.raises(DataUnusable, match="a readable file"):
        RecordedMetrics(folder).read(RATE, GRID)
    path.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(DataUnusable, match="a regular file"):
        RecordedMetrics(folder).read(RATE, GRID)


def signed(folder: Path, content: bytes, **more: object) -> RecordedMetrics:
    """Put `content` in the place of an answer, with a manifest that vouches for it."""
    (folder / "rate.parquet").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return RecordedMetrics(rewritten(folder, lambda m: m["queries"]["rate"].update(sha256=digest, **more)))


def table(**columns: Any) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_a_vouched_file_of_another_shape_is_refused(folder: Path) -> None:
    import pyarrow as pa

    labels = {f"label_{name}": ["a", "b"] for name in RATE.labels}
    good = pa.array([steps(), steps()], pa.list_(pa.float64(), 120))
    cases = {
        "no parquet": b"PAR1 nothing PAR1",
        "other columns": table(values=good),
        "an extra column": table(**labels, values=good, more=[1, 2]),
        "lists of any length": table(**labels, values=pa.array([[1.0], [2.0, 3.0]])),
        "another length": table(**labels, values=pa.array([[1.0], [2.0]], pa.list_(pa.float64(), 1))),
        "numbers as labels": table(**{**labels, "label_cluster": [1, 2]}, values=good),
        "no label": table(**{**labels, "label_cluster": pa.array(["a", None])}, values=good),
        "no values": table(**labels, values=pa.array([steps(), None], pa.list_(pa.float64(), 120))),
        "another number of series": table(**{name: ["a"] for name in labels}, values=good[:1]),
    }
    for name, content in cases.items():
        with pytest.raises(DataUnusable, match="one row per series"):
            pytest.fail(f"{name}: {signed(folder, content).read(RATE, GRID)}")


def test_more_values_than_memory_are_refused_before_they_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_CELLS", 239)
    with pytest.raises(DataUnusable, match="one row per series"):
        RecordedMetrics(folder).read(RATE, GRID)


@given(st.binary(max_size=60), st.integers(0, 4_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_any_vouched_bytes_are_an_answer_or_a_refusal(folder: Path, piece: bytes, place: int) -> None:
    whole = recording._parquet(SOURCE.read(RATE, GRID))
    content = whole[:place] + piece + whole[place + len(piece) :]
    try:
        answer = signed(folder, content).read(RATE, GRID)
    except AiopsError:
        return
    assert answer.values.shape == (len(answer.labels), len(GRID.times))
