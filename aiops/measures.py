"""What one run tells about itself, as metrics: an HPA, a canary or an alert can use them.

Comes in: a `Result`. Goes out: plain measures; who writes them where is an edge's business. A run is
a process that ends, so these are gauges of the last run: `changes(aiops_run_time_seconds[1d])` counts
runs. Each value for others carries the time that it is about, because a Pushgateway keeps its last
value for ever: pipelines/prometheus-rules.yaml drops what is older than two runs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from aiops.detect.load_ahead import LEAD_S
from aiops.domain import Measure, State, Verdict, Workload
from aiops.errors import AiopsError
from aiops.job import Result

Half = Literal["whole", "analyse", "propose"]
_Found = tuple[str, list[tuple[dict[str, str], float]]]
_HELP = {
    "aiops_run_time_seconds": "When the last run ended, in unix seconds.",
    "aiops_run_duration_seconds": "How long the last run took.",
    "aiops_run_exit_code": "What the last run ended with; 0 and 10 are good.",
    "aiops_run_data_time_seconds": "The newest step that the last run judged, in unix seconds.",
    "aiops_run_samples": "Samples that the server touched for the last run.",
    "aiops_run_errors": "Errors of the last run, by code.",
    "aiops_run_workloads": "Workloads of the last run by verdict; learning and no-data were skipped.",
    "aiops_run_proposals": "Proposals of the last run, by action and by what became of them.",
    "aiops_guardrail_tripped": "1 when the guardrail stopped proposals in the last run.",
    "aiops_workload_score": "Anomaly score; 1 is the edge of what is expected.",
    "aiops_workload_score_target_time_seconds": "The step that the score is about, in unix seconds.",
    "aiops_workload_newest_sample_time_seconds": "The newest sample of the workload, in unix seconds.",
    "aiops_predicted_load": "Highest request rate per second that is expected until its target time.",
    "aiops_predicted_load_target_time_seconds": "Until when the prediction holds, in unix seconds.",
    "aiops_incident": "1 while the incident of a workload is firing.",
    "aiops_pull_request_info": "1, with the address of the pull request that is open for a workload.",
}


def of(result: Result, code: int, half: Half, ended_s: float, duration_s: float) -> tuple[Measure, ...]:
    """Return the measures of a run that ended with `code`. `half`: which part of the job it was."""
    run: dict[str, str] = {"half": half}
    codes = Counter(error.code for error in result.errors)
    verdicts = Counter(incident.verdict for incident in result.incidents)
    proposals = Counter(
        (item.decision.action, result.sent[item.workload].state)
        for item in result.plan.items
        if item.workload in result.sent
    )
    found: list[_Found] = [
        *_run(half, code, ended_s, duration_s),
        ("aiops_run_data_time_seconds", [(run, float(result.plan.data_time_s))]),
        ("aiops_run_samples", [(run, float(result.samples))] if result.samples is not None else []),
        ("aiops_run_errors", [({**run, "code": code}, float(n)) for code, n in sorted(codes.items())]),
        (
            "aiops_run_workloads",
            [({**run, "verdict": verdict.value}, float(verdicts[verdict])) for verdict in Verdict],
        ),
        (
            "aiops_run_proposals",
            [({**run, "action": a, "state": s}, float(n)) for (a, s), n in sorted(proposals.items())],
        ),
        (
            "aiops_guardrail_tripped",
            [({**run, "guardrail": one.id}, float(one.tripped)) for one in result.guardrails],
        ),
        ("aiops_pull_request_info", list(_pulls(result))),
    ]
    if half != "propose":  # that half saw a plan and no metrics: what it knows of a workload is older
        found += _workloads(result)
    return _measures(found)


def failed(error: AiopsError, half: Half, ended_s: float, duration_s: float) -> tuple[Measure, ...]:
    """Return the measures of a run that ended before anything was judged: no value for others."""
    run: dict[str, str] = {"half": half}
    found = _run(half, error.exit_code, ended_s, duration_s)
    return _measures([*found, ("aiops_run_errors", [({**run, "code": error.code}, 1.0)])])


def _run(half: Half, code: int, ended_s: float, duration_s: float) -> list[_Found]:
    run: dict[str, str] = {"half": half}
    return [
        ("aiops_run_time_seconds", [(run, ended_s)]),
        ("aiops_run_duration_seconds", [(run, duration_s)]),
        ("aiops_run_exit_code", [(run, float(code))]),
    ]


def _workloads(result: Result) -> list[_Found]:
    data_s = result.plan.data_time_s
    scored = [
        (one, one.score) for one in result.incidents if one.score is not None and math.isfinite(one.score)
    ]
    # What an autoscaler gets of a workload in trouble must be what it sees itself: fewer requests
    # because nothing works is no reason to scale down.
    calm = {one.workload for one in result.incidents if one.state is State.INACTIVE}
    loads = [(workload, load) for workload, load in sorted(result.loads.items()) if workload in calm]
    items = {item.workload: item for item in result.plan.items}
    firing = [one.workload for one in result.incidents if one.state is State.FIRING and one.workload in items]
    return [
        ("aiops_workload_score", [(_labels(one.workload), score) for one, score in scored]),
        (
            "aiops_workload_score_target_time_seconds",
            [(_labels(one.workload), float(data_s)) for one, _ in scored],
        ),
        (
            "aiops_workload_newest_sample_time_seconds",
            [
                (_labels(one.workload), float(one.newest_sample_s))
                for one in result.incidents
                if one.newest_sample_s is not None
            ],
        ),
        ("aiops_predicted_load", [(_labels(workload), load) for workload, load in loads]),
        (
            "aiops_predicted_load_target_time_seconds",
            [(_labels(workload), float(data_s + LEAD_S)) for workload, _ in loads],
        ),
        (
            "aiops_incident",
            [
                (
                    {
                        **_labels(workload),
                        "cause": items[workload].diagnosis.cause.value,
                        "action": items[workload].decision.action,
                    },
                    1.0,
                )
                for workload in firing
            ],
        ),
    ]


def _pulls(result: Result) -> Iterator[tuple[dict[str, str], float]]:
    for workload, sent in sorted(result.sent.items()):
        if sent.pull is not None and sent.pull.state == "open" and sent.pull.url:
            yield {**_labels(workload), "url": sent.pull.url}, 1.0


def _labels(workload: Workload) -> dict[str, str]:
    return {
        "cluster": workload.cluster,
        "namespace": workload.namespace,
        "kind": workload.kind,
        "workload": workload.name,
    }


def _measures(found: Iterable[_Found]) -> tuple[Measure, ...]:
    return tuple(Measure(name, _HELP[name], tuple(samples)) for name, samples in found if samples)
