from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aiops.diagnose import changes
from aiops.diagnose.rows import Sources
from aiops.domain import Answer, Query, Workload

API = Workload("c", "shop", "Deployment", "api")
LABELS = ("cluster", "namespace", "workload", "container", "image_spec")


def image(rows: dict[tuple[str, str], Sequence[float]], workload: str = "api") -> Answer:
    """Return pods per (container, image) and step; steps are minutes 0, 1, 2, ..."""
    labels = tuple(
        dict(zip(LABELS, ("c", "shop", workload, container, spec), strict=True)) for container, spec in rows
    )
    values = np.array(list(rows.values()), dtype=np.float64)
    return Answer(
        Query("image", "", "", LABELS), labels, values, np.arange(values.shape[1], dtype=np.int64) * 60
    )


NAN = float("nan")
CASES: list[tuple[str, dict[tuple[str, str], list[float]], list[tuple[str, str, str, int]]]] = [
    ("nothing changed", {("app", "a:1"): [2] * 8}, []),
    (
        "a rolling update",
        {("app", "a:1"): [2, 2, 2, 1, NAN, NAN, NAN, NAN], ("app", "a:2"): [NAN, NAN, NAN, 1, 2, 2, 2, 2]},
        [("app", "a:1", "a:2", 180)],
    ),
    (
        "a stuck update, both stay",
        {("app", "a:1"): [2] * 8, ("app", "a:2"): [0, 0, 1, 1, 1, 1, 1, 1]},
        [("app", "a:1", "a:2", 120)],
    ),
    (
        "there and back again",
        {("app", "a:1"): [1, 1, 0, 0, 0, 0, 0, 1], ("app", "a:2"): [0, 0, 1, 1, 1, 1, 1, 0]},
        [("app", "a:1", "a:2", 120), ("app", "a:2", "a:1", 420)],
    ),
    ("a lost scrape is no change", {("app", "a:1"): [1, 1, NAN, NAN, NAN, NAN, 1, 1]}, []),
    (
        "a pod that blinks is no change",
        {("app", "a:1"): [1] * 8, ("app", "a:2"): [1, 1, 0, 0, 1, 1, 1, 1]},
        [],
    ),
    ("a workload that is new has no change", {("app", "a:1"): [NAN, NAN, NAN, 1, 1, 1, 1, 1]}, []),
    (
        "a sidecar is its own container",
        {
            ("app", "a:1"): [1] * 6,
            ("istio-proxy", "p:1"): [1, 1, 0, 0, 0, 0],
            ("istio-proxy", "p:2"): [0, 0, 1, 1, 1, 1],
        },
        [("istio-proxy", "p:1", "p:2", 120)],
    ),
]


@pytest.mark.parametrize(("rows", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_image_change_is_the_first_step_of_a_new_image(
    rows: dict[tuple[str, str], list[float]], expected: list[tuple[str, str, str, int]]
) -> None:
    found = [
        (c.subject, c.old, c.new, c.at_s) for c in changes.image_changes(Sources({"image": image(rows)}), API)
    ]
    assert expected == found


def test_another_workload_changes_nothing_here() -> None:
    rows = {("app", "a:1"): [1.0, 0, 0], ("app", "a:2"): [0.0, 1, 1]}
    assert changes.image_changes(Sources({"image": image(rows, workload="web")}), API) == ()
    assert changes.image_changes(Sources({}), API) == ()


def test_replicas_that_move_are_a_change_with_both_numbers() -> None:
    labels = ({"cluster": "c", "namespace": "shop", "workload": "api"},)
    answer = Answer(
        Query("replicas_desired", "", "", ()),
        labels,
        np.array([[2, 2, NAN, 2, 5.0]]),
        np.arange(5, dtype=np.int64) * 60,
    )
    found = [
        (c.kind, c.old, c.new, c.at_s)
        for c in changes.replica_changes(Sources({"replicas_desired": answer}), API)
    ]
    assert found == [("replicas", "2", "5", 240)]
