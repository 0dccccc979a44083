"""Reads who calls whom and which version serves, out of the answers of the mesh.

Rates in req/s, ratios 0..1, latency in ms. An edge is compared with the hour before the onset,
a version with another one over the minutes in which both served.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from aiops.diagnose.rows import NOW_STEPS, Kinds, Sources, median, named
from aiops.domain import Answer, CallEdge, Change, FloatArray, VersionSplit, Workload
from aiops.limits import LIMITS

SOURCE = ("source_workload_namespace", "source_workload")
HOPS = 8  # calls from the entry of a mesh to its depth; beyond, a caller counts as an entry
LOOK_BACK_S = 300  # of every rate in the presets
DESTINATION = ("destination_workload_namespace", "destination_workload")


def edges(sources: Sources, workload: Workload, onset_s: int, kinds: Kinds) -> list[CallEdge]:
    """Return the call edges from and to a workload, sorted by (source, destination)."""
    found: dict[tuple[Workload, Workload], CallEdge] = {}
    for side in (SOURCE, DESTINATION):
        ratios = {
            _ends(labels, kinds): row for labels, row in sources.rows("call_error_ratio", workload, *side)
        }
        for labels, rate in sources.rows("call_rate", workload, *side):
            ends = _ends(labels, kinds)
            now, errors = median(rate[-NOW_STEPS:]), ratios.get(ends)
            if now is None:
                continue
            found[ends] = CallEdge(
                source=ends[0],
                destination=ends[1],
                rate=now,
                error_ratio=None if errors is None else median(errors[-NOW_STEPS:]),
                rate_before=_before(sources.answers["call_rate"], rate, onset_s),
                error_ratio_before=None
                if errors is None
                else _before(sources.answers["call_error_ratio"], errors, onset_s),
            )
    return [found[ends] for ends in sorted(found)]


def upstream(sources: Sources, callers: Iterable[Workload], onset_s: int, kinds: Kinds) -> list[CallEdge]:
    """Return the edges that reach some callers, theirs and so on, at most `HOPS` calls away."""
    found: dict[tuple[Workload, Workload], CallEdge] = {}
    asked, ahead = set[Workload](), set(callers)
    for _ in range(HOPS):
        into = [
            edge
            for workload in sorted(ahead)
            for edge in edges(sources, workload, onset_s, kinds)
            if edge.destination == workload
        ]
        found.update({(edge.source, edge.destination): edge for edge in into})
        asked |= ahead
        ahead = {edge.source for edge in into} - asked
    return [found[ends] for ends in sorted(found)]


def _before(answer: Answer, values: FloatArray, onset_s: int) -> float | None:
    start_s, end_s = onset_s - LIMITS.baseline_s, onset_s - LIMITS.onset_slack_s
    return median(values[(answer.times >= start_s) & (answer.times < end_s)])


def _ends(labels: Mapping[str, str], kinds: Kinds) -> tuple[Workload, Workload]:
    return (
        named(labels, kinds, namespace=SOURCE[0], name=SOURCE[1]),
        named(labels, kinds, namespace=DESTINATION[0], name=DESTINATION[1]),
    )


def split_since(images: tuple[Change, ...], onset_s: int) -> int:
    """Return where counting per version starts: at the release before the onset, else at the onset.

    From the release on, because while a rollout goes on both versions serve at the same minutes.
    """
    earlier = [change.at_s for change in images if 0 <= onset_s - change.at_s <= LIMITS.change_to_onset_s]
    return min([onset_s, *earlier[-1:]])


def versions(sources: Sources, workload: Workload, since_s: int) -> tuple[VersionSplit, ...]:
    """Return requests, error ratio and p95 (ms) per version since a time, sorted by version.

    Where two served at once, only those minutes count; else only what serves now is told.
    """

    def by_version(source: str) -> dict[str, FloatArray]:
        return {
            labels.get("destination_version", ""): values[sources.answers[source].times >= since_s]
            for labels, values in sources.rows(source, workload, *DESTINATION)
        }

    rates, errors, latencies, successes = (
        by_version(f"version_{what}") for what in ("rate", "error_ratio", "latency_p95", "success_ratio")
    )
    step_s = _step_s(sources.answers.get("version_rate"))
    together, overlap = _together(rates, step_s)
    return tuple(
        VersionSplit(
            version,
            float(np.nansum(rate[together])) * step_s,
            _weighted(errors.get(version), rate, together),
            _weighted(latencies.get(version), rate, together),
            _weighted(successes.get(version), rate, together),
        )
        for version, rate in sorted(rates.items())
        if np.nansum(rate[together]) > 0 and (overlap or np.nansum(rate[-NOW_STEPS:]) > 0)
    )


def _together(rates: Mapping[str, FloatArray], step_s: int) -> tuple[NDArray[np.bool_], bool]:
    """Return [T], the steps at which two versions served, and True; all steps and False if none did.

    Only the same minutes compare versions: a dependency that broke after the rollout would make
    the new version look worse than an old one that served before. A rate looks back 5 minutes and
    needs two samples, so a version that went still shows one for 4 steps of a minute: a step
    counts only if the version has a rate that much later as well.
    """
    if not rates:
        return np.zeros(0, dtype=np.bool_), False
    serving = np.stack([np.nan_to_num(rate) > 0 for rate in rates.values()])  # [versions, T]
    ahead = max(LOOK_BACK_S // step_s - 1, 0) if step_s else 0
    later = np.concatenate([serving[:, ahead:], np.repeat(serving[:, -1:], ahead, axis=1)], axis=1)
    both: NDArray[np.bool_] = (serving & later[:, : serving.shape[1]]).sum(axis=0) >= 2
    return (both, True) if both.any() else (np.ones_like(both), False)


def _step_s(answer: Answer | None) -> int:
    return int(answer.times[1] - answer.times[0]) if answer is not None and answer.times.size > 1 else 0


def _weighted(values: FloatArray | None, weights: FloatArray, steps: NDArray[np.bool_]) -> float | None:
    """Return the mean of `values` weighted by requests, over the given steps where both are known."""
    if values is None or values.shape != weights.shape:
        return None
    both = steps & np.isfinite(values) & np.isfinite(weights) & (weights > 0)
    return float(np.average(values[both], weights=weights[both])) if both.any() else None
