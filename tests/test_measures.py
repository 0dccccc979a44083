"""What a run tells about itself, and what it keeps to itself."""

from __future__ import annotations

import dataclasses

from one_run import AT_S, CART, result, seen

from aiops import measures
from aiops.detect.load_ahead import LEAD_S
from aiops.domain import Verdict
from aiops.errors import DataUnusable


def told(half="whole", found=None):
    made = measures.of(found or result(), 31, half, AT_S + 130.0, 12.5)
    return {
        one.name: {tuple(value for name, value in labels.items()): number for labels, number in one.samples}
        for one in made
    }


def test_every_value_for_others_carries_the_time_that_it_is_about():
    found = told()
    cart, web = ("eu", "shop", "Deployment", "cart"), ("eu", "shop", "Deployment", "web")
    assert found["aiops_workload_score"] == {cart: 33.0, web: 0.2}
    assert found["aiops_workload_score_target_time_seconds"] == {cart: AT_S, web: AT_S}
    assert found["aiops_predicted_load"] == {web: 42.0}
    assert found["aiops_predicted_load_target_time_seconds"] == {web: AT_S + LEAD_S}
    assert found["aiops_incident"] == {(*cart, "unknown", "rollback"): 1.0}


def test_a_workload_in_trouble_has_no_predicted_load():
    calm = dataclasses.replace(result(), incidents=(seen(CART, Verdict.HEALTHY),))
    assert list(told(found=calm)["aiops_predicted_load"].values()) == [5.0]
    assert 5.0 not in told()["aiops_predicted_load"].values()


def test_the_run_itself_is_counted():
    found = told()
    assert found["aiops_run_exit_code"] == {("whole",): 31.0}
    assert found["aiops_run_duration_seconds"] == {("whole",): 12.5}
    assert found["aiops_run_errors"] == {("whole", "forge-busy"): 1.0}
    assert found["aiops_run_proposals"] == {("whole", "rollback", "opened"): 1.0}
    assert found["aiops_run_workloads"] == {
        ("whole", "anomalous"): 1.0,
        ("whole", "healthy"): 1.0,
        ("whole", "learning"): 1.0,
        ("whole", "no-data"): 0.0,
        ("whole", "error"): 0.0,
    }
    assert [url for *_, url in found["aiops_pull_request_info"]] == ["https://github.com/acme/gitops/pull/7"]


def test_the_half_without_metrics_says_nothing_of_workloads():
    assert [
        name for name in told("propose") if name.startswith(("aiops_workload", "aiops_pred", "aiops_inc"))
    ] == []


def test_a_run_that_failed_has_no_value_for_others():
    made = measures.failed(DataUnusable("silent"), "analyse", 5.0, 1.0)
    assert [one.name for one in made] == [
        "aiops_run_time_seconds",
        "aiops_run_duration_seconds",
        "aiops_run_exit_code",
        "aiops_run_errors",
    ]
    assert made[2].samples == (({"half": "analyse"}, 20.0),)
