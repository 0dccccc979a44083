"""The demo's evening as other sources of requests would tell it: what they cannot tell is not claimed.

The numbers are those of the recording; only what a source has no query for is missing. That each source
gives these numbers is in tests/edges/test_exporters_real.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiops import connect, pipeline
from aiops.config_file import load
from aiops.domain import Answer, Grid, Query
from aiops.edges.recording import RecordedMetrics
from aiops.ingest import presets

RECORDED = {
    query.name: query
    for query in (*presets.signal_queries(presets.DEFAULT), *presets.context_queries(presets.DEFAULT))
}
CALLERS = {"linkerd", "hubble"}
VERSIONS = {"linkerd", "envoy", "opentelemetry", "clients"}
# One of each kind: callers and versions, callers alone, versions alone, neither.
KINDS = ("linkerd", "hubble", "clients", "nginx")


class AsToldBy:
    """Answers the queries of another source with what the recording has under the same name."""

    def __init__(self, recorded: RecordedMetrics) -> None:
        self._recorded = recorded

    def now_s(self) -> int:
        return self._recorded.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        own = RECORDED[query.name]
        answer = self._recorded.read(own, grid)
        renamed = dict(zip(own.labels, query.labels, strict=True))
        labels = tuple({renamed[name]: value for name, value in one.items()} for one in answer.labels)
        return replace(answer, query=query, labels=labels)


def test_the_kinds_are_what_the_presets_ask():
    asked = {one: {query.name for query in presets.context_queries((one,))} for one in presets.REQUESTS[1:]}
    assert {one for one in asked if "call_rate" in asked[one]} == CALLERS
    assert {one for one in asked if "version_error_ratio" in asked[one]} == VERSIONS


@pytest.mark.parametrize("source", KINDS)
def test_a_release_needs_versions_or_callers_and_more_pods_need_callers(source, world):
    world.set("forge: local", f"forge: local\nsignals: [{source}, kubernetes]")
    config = load(world.config)
    metrics = AsToldBy(connect.metrics(config, 300))
    plan = pipeline.analyse(
        connect.job(config, []), metrics, connect.repository(config), world.now_s, lambda _: None
    ).plan

    decided = {item.workload.name: (item.decision.action, item.decision.rule) for item in plan.items}
    assert (decided["checkout"], decided["search"]) == (
        ("rollback", "R1") if source in CALLERS | VERSIONS else ("hold", "S-BLIND"),
        ("scale", "S3") if source in CALLERS else ("hold", "S-BLIND"),
    )
    # Victims are left alone whoever counts: as victims, or because nothing of theirs changed.
    assert decided["web"] == ("hold", "S6" if source in CALLERS else "R0")
