from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.domain import Grid, Query
from aiops.errors import DataUnusable
from aiops.ingest import replies
from aiops.ingest.grids import chunks

QUERY = Query("requests", "x", "req/s", ("cluster", "namespace", "workload"))
GRID = Grid(0, 240, 60)


def series(values: list[list[Any]], **labels: str) -> dict[str, Any]:
    return {"metric": labels, "values": values}


def body(*result: dict[str, Any], **more: Any) -> bytes:
    return json.dumps(
        {"status": "success", "data": {"resultType": "matrix", "result": list(result)}, **more}
    ).encode()


def answer(*bodies: bytes, grid: Grid = GRID) -> replies.Answer:
    return replies.lay(QUERY, grid, [replies.parse(one, "here") for one in bodies], "here")


def test_a_reply_is_laid_on_the_grid_with_nan_where_no_sample_is() -> None:
    found = answer(body(series([[60, "1.5"], [180, "2"]], namespace="shop", workload="web", pod="p")))
    assert found.labels == ({"cluster": "", "namespace": "shop", "workload": "web"},)
    np.testing.assert_array_equal([[np.nan, 1.5, np.nan, 2, np.nan]], found.values)
    assert found.times.tolist() == [0, 60, 120, 180, 240]


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf", "1e400", "-1e999"])
def test_what_is_not_finite_is_no_sample(text: str) -> None:
    found = answer(body(series([[0, text], [60, "7"]], workload="web")))
    np.testing.assert_array_equal([[np.nan, 7, np.nan, np.nan, np.nan]], found.values)


@pytest.mark.parametrize(
    ("text", "value"), [("5e-324", 5e-324), ("1e308", 1e308), ("-0", 0.0), ("1E+2", 100.0)]
)
def test_every_finite_spelling_is_read(text: str, value: float) -> None:
    assert answer(body(series([[0, text]], workload="web"))).values[0, 0] == value


def test_a_series_that_never_is_finite_does_not_exist() -> None:
    assert answer(body(series([[0, "NaN"]], workload="web"))).labels == ()
    assert answer(body()).values.shape == (0, 5)


def test_warnings_are_kept_and_advice_about_the_expression_is_not() -> None:
    told = ["remote read failed", "PromQL info: metric might not be a counter"]
    assert answer(body(warnings=told, infos=["x"])).warnings == ("remote read failed",)


def test_samples_touched_are_added_up_over_chunks() -> None:
    data = {"resultType": "matrix", "result": [], "stats": {"samples": {"totalQueryableSamples": 21}}}
    one = json.dumps({"status": "success", "data": data}).encode()
    assert answer(one, one).samples == 42
    assert answer(body()).samples is None


def test_unknown_fields_are_ignored() -> None:
    one = {**series([[0, "1"]], workload="web"), "histograms": [[0, {"count": "1"}]], "new": {"x": [1]}}
    assert answer(body(one, isPartial=False, extra=[{}])).values[0, 0] == 1


WRONG = [
    (b"", "an empty body"),
    (b"<!DOCTYPE html><html></html>", "an HTML page"),
    (b"null", "cut off or of another shape"),
    (b"[]", "cut off or of another shape"),
    (b'{"status":"success"}', "status success"),
    (b'{"status":"error","error":"boom"}', "boom"),
    (b'{"status":"success","data":{"resultType":"vector","result":[]}}', "found 'vector'"),
    (b'{"status":"success","data":{"resultType":"matrix","result":{}}}', "cut off or of another shape"),
    (body(series([[0, "x"]])), "pairs of a time and a number"),
    (body(series([[0, "1", "2"]])), "pairs of a time and a number"),
    (body(series([[0, ""]])), "pairs of a time and a number"),
    (body(series([[0, "0x10"]])), "pairs of a time and a number"),
    (body(series([[0, None]])), "pairs of a time and a number"),
    (body({"metric": {"a": 1}, "values": []}), "cut off or of another shape"),
    (body(series([[30, "1"]])), "samples at the steps"),
    (body(series([[300, "1"]])), "samples at the steps"),
    (body(series([["NaN", "1"]])), "samples at the steps"),
    (body(series([["Inf", "1"]])), "samples at the steps"),
    (b'{"status":"success","data":' + b"[" * 100_000, "cut off or of another shape"),
    (b'{"status":"\xff\xfe"}', "cut off or of another shape"),
]


@pytest.mark.parametrize(("raw", "why"), WRONG, ids=range(len(WRONG)))
def test_everything_else_is_refused_with_what_was_found(raw: bytes, why: str) -> None:
    with pytest.raises(DataUnusable, match=why) as refused:
        answer(raw)
    assert refused.value.where == "here"


def test_a_reply_cut_off_anywhere_is_refused() -> None:
    whole = body(series([[0, "1"], [60, "2"]], namespace="shop", workload="web"), warnings=["w"])
    for length in range(len(whole)):
        with pytest.raises(DataUnusable):
            answer(whole[:length])


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer_or_a_refusal(raw: bytes) -> None:
    prefix = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":'
    for one in (raw, prefix + raw, prefix + raw + b"}]}}"):
        try:
            replies.parse(one, "")
        except DataUnusable:
            continue


def test_two_series_that_differ_only_in_a_dropped_label_are_refused_by_name() -> None:
    twins = body(
        series([[0, "1"]], workload="web", replica="a", job="x"),
        series([[0, "1"]], workload="web", replica="b", job="x"),
    )
    with pytest.raises(DataUnusable, match=r"\{replica='a'\} and \{replica='b'\}") as refused:
        answer(twins)
    assert "aggregate" in refused.value.todo


def test_too_many_series_or_values_are_refused_before_memory_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some = body(*(series([[0, "1"]], workload=f"w{n}") for n in range(5)))
    monkeypatch.setattr(replies, "MAX_CELLS", 24)
    with pytest.raises(DataUnusable, match="5 series x 5 steps"):
        answer(some)
    monkeypatch.setattr(replies, "MAX_SERIES", 4)
    with pytest.raises(DataUnusable, match="at most 4 series, found 5"):
        answer(some)


def test_a_label_of_a_million_characters_is_cut_and_no_longer_a_name() -> None:
    found = answer(
        body(series([[0, "1"]], workload="x" * 10**6), series([[0, "1"]], workload="x" * 10**6 + "y"))
    )
    assert [len(labels["workload"]) for labels in found.labels] == [1_025, 1_025]
    assert found.labels[0]["workload"].endswith("x…")


NUMBERS = st.one_of(st.floats(width=64), st.integers(-(10**15), 10**15).map(float))
NAMES = st.text(alphabet='abc"\\\x00é\U0001f600[],', max_size=6)


@given(
    st.dictionaries(NAMES, st.dictionaries(st.integers(0, 40), NUMBERS, max_size=40), max_size=6),
    st.integers(1, 50),
    st.randoms(use_true_random=False),
)
def test_any_matrix_is_stitched_from_any_chunks_without_a_missing_or_doubled_sample(
    matrix: dict[str, dict[int, float]], points: int, shuffle: Any
) -> None:
    grid = Grid(1_700_000_000, 1_700_000_000 + 40 * 15, 15)
    bodies = []
    for part in chunks(grid, points):
        result = []
        for name, values in matrix.items():
            inside = [(grid.start_s + 15 * step, value) for step, value in sorted(values.items())]
            text = [
                [time, prometheus_float(value)]
                for time, value in inside
                if part.start_s <= time <= part.end_s
            ]
            if text:
                result.append(series(text, workload=name))
        shuffle.shuffle(result)
        bodies.append(body(*result))
    found = answer(*bodies, grid=grid)
    expected = {
        name: {step: value for step, value in values.items() if math.isfinite(value)}
        for name, values in matrix.items()
    }
    assert {name: values for name, values in expected.items() if values} == {
        labels["workload"]: {step: row[step] for step in np.flatnonzero(np.isfinite(row)).tolist()}
        for labels, row in zip(found.labels, found.values, strict=True)
    }
    names = [labels["workload"] for labels in found.labels]
    assert sorted(names) == names


def prometheus_float(value: float) -> str:
    """Write a float as Go's strconv.FormatFloat(value, 'f', -1, 64) of the HTTP API does."""
    if math.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if math.isinf(value) else repr(value)
