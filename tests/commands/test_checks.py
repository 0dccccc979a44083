"""What `aiops doctor` says of one workload (its age, samples and places to edit) and of the sources."""

from __future__ import annotations

import numpy as np
import pytest
from gitops.folders import MemoryFiles

from aiops.commands import checks
from aiops.commands.checks import Seen
from aiops.domain import Panel, Signal, Workload

STEPS = 1_440
WEB = Workload("", "shop", "Deployment", "web")
DEPLOYMENT = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  %s
  template:
    spec:
      containers: [{name: web, image: "shop/web:1.0.0"}]
"""
AUTOSCALER = b"""apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  %s
"""


def seen(hours, workload=WEB):
    """Return a workload with one signal that began so many hours ago."""
    signals = (Signal("request_rate", "", "up", 0),)

    def panel(steps, step_s, there):
        values = np.full((1, 1, steps), np.nan, dtype=np.float32)
        values[..., -min(there, steps) :] = 1.0
        times = 3_600 * 1_000_000 + (np.arange(steps, dtype=np.int64) - steps + 1) * step_s
        return Panel(values, times, step_s, (workload,), signals)

    return Seen(3_600 * 1_000_000, panel(STEPS, 60, hours * 60), panel(672, 3_600, hours + 1), None)


def said(files, hours=600, workload=WEB):
    (one,) = checks.workloads(seen(hours, workload), files and MemoryFiles(files), ())
    return one.state, one.found


def test_a_whole_workload_is_ok_and_a_young_one_is_not_with_a_repository_or_without():
    files = {"web.yaml": DEPLOYMENT % b"replicas: 2"}

    assert said(files) == ("ok", "1 of 1 signals, image in web.yaml")
    assert said(None) == ("ok", "1 of 1 signals")
    assert said(files, 3) == ("warning", "1 of 1 signals, known for 3 h, image in web.yaml")
    assert said(None, 3) == ("warning", "1 of 1 signals, known for 3 h")


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        (None, "replicas: no place sets the number of replicas; write it first"),
        (b"", "hpa.max: HorizontalPodAutoscaler/web does not write its maximum; write it first"),
        (b"maxReplicas: 9", None),
    ],
)
def test_a_capacity_that_cannot_be_edited_is_said_beside_an_image_that_can(bounds, told):
    files = {"web.yaml": DEPLOYMENT % b"minReadySeconds: 0"}
    if bounds is not None:
        files["hpa.yaml"] = AUTOSCALER % bounds

    found = "1 of 1 signals, image in web.yaml"
    assert said(files) == (("ok", found) if told is None else ("warning", f"{found}, {told}"))


def test_a_missing_manifest_is_said_once_and_what_is_never_scaled_needs_no_replicas():
    (state, found) = said({"other.yaml": DEPLOYMENT.replace(b"web", b"other") % b"replicas: 2"})
    assert (state, found.count("image: "), found.count("replicas: ")) == ("warning", 1, 0)

    agent = Workload("", "shop", "DaemonSet", "web")
    files = {"web.yaml": DEPLOYMENT.replace(b"Deployment", b"DaemonSet") % b"minReadySeconds: 0"}
    assert said(files, workload=agent) == ("ok", "1 of 1 signals, image in web.yaml")


@pytest.mark.parametrize(
    ("used", "state", "said"),
    [
        (("istio", "kubernetes"), "ok", "who calls whom is asked"),
        (("hubble", "kubernetes"), "ok", "who calls whom is asked"),
        (("clients", "kubernetes"), "warning", "nothing is scaled"),
        (("nginx", "kubernetes"), "warning", "little but pods that cannot start leads to a proposal"),
        (("kubernetes",), "warning", "little but pods that cannot start leads to a proposal"),
    ],
)
def test_what_a_source_of_requests_will_never_lead_to_is_said(used, state, said):
    (line,) = checks.sources(used)
    assert (line.state, said in line.text) == (state, True)
