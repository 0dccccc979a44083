from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.domain import Answer, Query, Signal, Workload
from aiops.errors import ConfigError, DataUnusable
from aiops.ingest import panels

TIMES = np.arange(0, 240, 60, dtype=np.int64)
ISTIO = Query(
    "rate",
    "",
    "req/s",
    ("cluster", "destination_workload_namespace", "destination_workload"),
    "cluster",
    "destination_workload_namespace",
    "destination_workload",
    Signal("rate", "req/s", "both", 0.5),
)
CPU = Query(
    "cpu", "", "ratio", ("cluster", "namespace", "workload"), signal=Signal("cpu", "ratio", "up", 0.1)
)
KIND = Query("workload_kind", "", "", ("cluster", "namespace", "workload", "owner_kind"))


def answer(query: Query, *rows: tuple[tuple[str, ...], list[float]]) -> Answer:
    labels = tuple(dict(zip(query.labels, names, strict=True)) for names, _ in rows)
    values = np.array([values for _, values in rows], dtype=np.float64).reshape(len(rows), len(TIMES))
    return Answer(query, labels, values, TIMES)


def test_signals_of_different_sources_meet_at_their_workload() -> None:
    panel = panels.assemble(
        [
            answer(ISTIO, (("eu", "shop", "web"), [1, 2, 3, 4])),
            answer(CPU, (("eu", "shop", "db"), [5, 5, 5, 5]), (("eu", "shop", "web"), [6, 6, 6, np.nan])),
        ],
        {("eu", "shop", "web"): "Deployment"},
    )
    assert panel.workloads == (
        Workload("eu", "shop", "", "db"),
        Workload("eu", "shop", "Deployment", "web"),
    )
    assert panel.values.dtype == np.float32
    nan = np.nan
    np.testing.assert_array_equal([[[nan] * 4, [5, 5, 5, 5]], [[1, 2, 3, 4], [6, 6, 6, nan]]], panel.values)
    assert ([signal.name for signal in panel.signals], panel.step_s) == (["rate", "cpu"], 60)


def test_what_is_infinite_or_absurd_is_no_sample() -> None:
    panel = panels.assemble([answer(CPU, (("", "shop", "web"), [np.inf, -np.inf, 1.1e12, 1e12]))], {})
    np.testing.assert_array_equal([[[np.nan, np.nan, np.nan, np.float32(1e12)]]], panel.values)


def test_one_cluster_is_not_the_other() -> None:
    panel = panels.assemble(
        [answer(CPU, (("eu", "shop", "web"), [1] * 4), (("us", "shop", "web"), [2] * 4))], {}
    )
    assert [workload.cluster for workload in panel.workloads] == ["eu", "us"]
    assert panel.values[:, 0, 0].tolist() == [1, 2]


def test_two_series_for_one_workload_are_refused_not_added_up() -> None:
    rows = [(("eu", "shop", "web"), [1.0] * 4), (("eu", "shop", "web"), [2.0] * 4)]
    with pytest.raises(DataUnusable, match="two series for eu/shop/web"):
        panels.assemble([answer(CPU, *rows)], {})


def test_a_query_that_names_no_workload_is_the_users_to_correct() -> None:
    with pytest.raises(ConfigError, match="labels namespace and workload, found 1 without"):
        panels.assemble([answer(CPU, (("eu", "", ""), [1.0] * 4))], {})


@pytest.mark.parametrize(
    "key",
    [
        ("", "shop", "web\n## title"),
        ("", "shop", "<b>"),
        ("", "shop", "a" * 254),
        ("", "sh op", "web"),
        ("", "shop", "wéb"),
        ("", "shop", "w\u202eb"),
        ("", "shop", "٣"),
        ("e u", "shop", "web"),
        ("", "", "web"),
        ("", "shop", "../../etc/passwd"),
    ],
)
def test_hostile_names_are_left_out_and_said(key: tuple[str, str, str]) -> None:
    found = answer(CPU, (("", "shop", "good"), [1.0] * 4), (key, [1.0] * 4))
    assert [workload.name for workload in panels.assemble([found], {key: "Deployment"}).workloads] == ["good"]
    (line,) = panels.dropped([found])
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 400


def test_usable_names_are_not_reported_as_dropped() -> None:
    longest = "a" * 253
    found = answer(CPU, (("gke_p_eu-1", "kube-system", longest), [1.0] * 4))
    assert panels.dropped([found]) == ()
    assert panels.assemble([found], {}).workloads[0].name == longest


def test_what_serves_and_was_never_sampled_is_there_without_values() -> None:
    kinds = {("eu", "shop", "lost"): "Deployment", ("eu", "shop", "nightly"): "CronJob"}
    panel = panels.assemble([answer(CPU, (("eu", "shop", "web"), [1.0] * 4))], kinds)
    assert [workload.name for workload in panel.workloads] == ["web", "lost"]
    assert np.isnan(panel.values[1]).all()


def test_a_kind_is_the_one_that_was_seen_last() -> None:
    nan = np.nan
    rows = [
        (("eu", "shop", "web", "Deployment"), [1, 1, 1, 1]),
        (("eu", "shop", "moved", "Deployment"), [1, 1, nan, nan]),
        (("eu", "shop", "moved", "StatefulSet"), [nan, 1, 1, 1]),
        (("eu", "shop", "both", "Deployment"), [1, 1, 1, 1]),
        (("eu", "shop", "both", "StatefulSet"), [1, 1, 1, 1]),
        (("eu", "shop", "bad name", "Deployment"), [1, 1, 1, 1]),
    ]
    assert panels.workload_kinds(answer(KIND, *rows)) == {
        ("eu", "shop", "both"): "",
        ("eu", "shop", "moved"): "StatefulSet",
        ("eu", "shop", "web"): "Deployment",
    }


def test_answers_of_different_grids_are_a_mistake_of_the_caller() -> None:
    other = Answer(CPU, (), np.empty((0, 2)), TIMES[:2])
    with pytest.raises(ValueError, match="grid"):
        panels.assemble([answer(CPU), other], {})


NAMES = st.tuples(st.sampled_from(["", "eu"]), st.sampled_from(["a", "b"]), st.text(max_size=3))
ROWS = st.dictionaries(NAMES, st.lists(st.floats(width=64), min_size=4, max_size=4), max_size=8)


@given(ROWS, ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_series_never_changes_a_panel(
    first: dict[tuple[str, str, str], list[float]],
    second: dict[tuple[str, str, str], list[float]],
    shuffle: object,
) -> None:
    def build(order: list[list[tuple[tuple[str, ...], list[float]]]]) -> panels.Panel | None:
        try:
            return panels.assemble([answer(ISTIO, *order[0]), answer(CPU, *order[1])], {})
        except ConfigError:
            return None

    rows = [list(first.items()), list(second.items())]
    one = build(rows)
    for row in rows:
        shuffle.shuffle(row)  # type: ignore[attr-defined]
    other = build(rows)
    if one is None or other is None:
        assert one is other
        return
    assert one.workloads == other.workloads == tuple(sorted(one.workloads))
    np.testing.assert_array_equal(one.values, other.values)
    assert not np.isinf(one.values).any()
