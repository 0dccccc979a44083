"""Several servers read as one."""

import numpy as np
import pytest

from aiops.domain import Answer, Grid, Query
from aiops.edges.several import SeveralMetrics
from aiops.errors import DataUnusable

QUERY = Query("request_rate", "rate", "req/s", ("cluster", "namespace", "workload"))
GRID = Grid(0, 120, 60)


class Fixed:
    def __init__(self, now_s, *labels, value=1.0, warnings=()):
        self._now_s, self._labels, self._value, self._warnings = now_s, labels, value, warnings

    def read(self, query, grid):
        values = np.full((len(self._labels), len(grid.times)), self._value)
        return Answer(query, self._labels, values, grid.times, self._warnings, 3)

    def now_s(self):
        return self._now_s


class Broken:
    def read(self, query, grid):
        raise DataUnusable("down")


def test_each_series_carries_the_name_of_its_cluster():
    us = Fixed(10, {"namespace": "shop", "workload": "cart"}, value=1.0)
    eu = Fixed(20, {"namespace": "shop", "workload": "cart"}, value=2.0)
    answer = SeveralMetrics({"us": us, "eu": eu}).read(QUERY, GRID)
    assert [one["cluster"] for one in answer.labels] == ["eu", "us"]
    assert answer.values[:, 0].tolist() == [2.0, 1.0]
    assert answer.samples == 6


def test_a_cluster_label_of_the_server_is_kept():
    source = Fixed(10, {"cluster": "prod-eu-1", "namespace": "shop", "workload": "cart"})
    assert SeveralMetrics({"eu": source}).read(QUERY, GRID).labels[0]["cluster"] == "prod-eu-1"


def test_a_warning_of_one_server_names_it():
    source = Fixed(10, {"namespace": "shop", "workload": "cart"}, warnings=("remote read failed",))
    assert SeveralMetrics({"eu": source}).read(QUERY, GRID).warnings == ("eu: remote read failed",)


def test_one_server_down_fails_the_read_and_is_not_calm():
    with pytest.raises(DataUnusable):
        SeveralMetrics({"eu": Fixed(10), "us": Broken()}).read(QUERY, GRID)


def test_time_is_that_of_the_latest_server_to_get_there():
    assert SeveralMetrics({"eu": Fixed(20), "us": Fixed(10)}).now_s() == 10
