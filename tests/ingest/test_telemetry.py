"""Exporters are told by the names of their metrics; what a server lacks is not named."""

from __future__ import annotations

import numpy as np

from aiops.domain import Answer
from aiops.ingest import presets, telemetry


def test_what_is_there_is_named_with_its_series_in_a_fixed_order():
    names = ("kube_pod_owner", "istio_requests_total", "http_requests_total")
    values = np.array([[1, 12], [np.nan, 40], [np.nan, np.nan]])
    found = telemetry.found(
        Answer(telemetry.query(), tuple({"__name__": name} for name in names), values, np.array([0, 60]))
    )

    assert [(one.name, one.preset, count) for one, count in found.items()] == [
        ("Istio", "istio", 40),
        ("kube-state-metrics", "kubernetes", 12),
    ]


def test_every_preset_can_be_found_and_every_preset_that_is_named_exists():
    assert {one.preset for one in telemetry.KNOWN} - {""} == set(presets.NAMES)
