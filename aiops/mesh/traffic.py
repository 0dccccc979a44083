"""What the two proxies of a call count: requests by outcome, version and latency bucket.

Comes in: the rate a caller asks for and how the callee runs. Goes out: one `Flow` per version and
outcome. Draws are made in order of time from a stream of this edge, so earlier minutes keep their
counts whatever happens later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aiops.domain import FloatArray
from aiops.mesh.queueing import BOUNDS_MS, bucket_shares
from aiops.mesh.settle import HANG_MS, Running, Standing, attempts

Outcome = Literal["ok", "error", "client", "shed", "hang", "refused", "injected", "nobody"]
Counts = np.typing.NDArray[np.int64]
BUCKETS = len(BOUNDS_MS) + 1  # the last one is +Inf
SHED_MS = 2.0  # a proxy turns a request away at once


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Requests from `source` to one `version` of `destination` that ended in `outcome`.

    Minutes [begin, begin + n). `counts`: [n, B] requests that reached the server per minute and
    latency bucket (B ends with +Inf), zero rows when the server saw none; `sum_ms`: [n] their
    durations; `called`: [n] requests as the caller counts them, after its retries; `alive`: [n]
    whether the counter exists (a pod of this version runs).
    """

    source: str
    destination: str
    version: str
    outcome: Outcome
    begin: int
    counts: Counts
    sum_ms: FloatArray
    called: Counts
    alive: np.typing.NDArray[np.bool_]


def draw(
    source: str,
    there: Standing,
    now: Running,
    rate: FloatArray,
    retries: int,
    rng: np.random.Generator,
    unanswerable: FloatArray | float = 0.0,
) -> list[Flow]:
    """Return the flows of one edge. `rate`: [T] calls per second that the caller wants to make.

    `unanswerable`: [T] share of them that fails whoever answers.
    """
    away = now.turned_away(there.refused)
    arriving = rate * attempts(away, retries) * (1.0 - there.refused) * 60.0  # per minute
    tags = [generation.tag for generation in there.asked.generations]
    flows: list[Flow] = []
    seeds = rng.spawn(len(dict.fromkeys(tags)) + 1)
    for tag, own in zip(dict.fromkeys(tags), seeds[1:], strict=True):
        rows = [g for g, other in enumerate(tags) if other == tag]
        share = there.share[rows].sum(axis=0)
        errors = (there.share[rows] * now.errors[rows]).sum(axis=0) / np.maximum(share, 1e-12)
        errors = errors + (1.0 - errors) * unanswerable
        alive = there.ready[rows].sum(axis=0) > 0
        minutes = np.flatnonzero(alive)
        if minutes.size:
            span = slice(int(minutes[0]), int(minutes[-1]) + 1)
            lost = _gone(away[span], retries)
            bad = (there.share[rows] * there.defect("client-errors")[rows, None]).sum(axis=0)
            parts = _outcomes(now, errors, bad / np.maximum(share, 1e-12), span)
            for (outcome, part, mean), stream in zip(parts, own.spawn(len(parts)), strict=True):
                wanted = (arriving * share)[span] * part
                flows.extend(
                    _flow(source, there, tag, outcome, span, wanted, mean, alive[span], lost, stream)
                )
    flows.extend(_refused(source, there, rate * 60.0, away, retries, seeds[0]))
    return flows


def _outcomes(
    now: Running, errors: FloatArray, refused: FloatArray, span: slice
) -> tuple[tuple[Outcome, FloatArray, FloatArray], ...]:
    """Return (outcome, share of arriving attempts [n], mean ms [n]) of one version.

    `errors`: [T] share that fails, `refused`: [T] share of the rest that is called the client's fault.
    """
    shed, hang, wrong, latency = now.shed[span], now.hang[span], errors[span], now.latency[span]
    theirs = (1.0 - wrong) * refused[span]
    served = 1.0 - shed
    whole = served * (1.0 - hang)
    return (
        ("ok", whole * (1.0 - wrong - theirs), latency),
        ("error", whole * wrong, latency * 0.8),
        ("hang", served * hang, np.full_like(shed, HANG_MS)),
        ("shed", shed, np.full_like(shed, SHED_MS)),
        ("client", whole * theirs, latency * 0.5),
    )


def _flow(
    source: str,
    there: Standing,
    tag: str,
    outcome: Outcome,
    span: slice,
    wanted: FloatArray,
    mean_ms: FloatArray,
    alive: np.typing.NDArray[np.bool_],
    lost: FloatArray,
    rng: np.random.Generator,
) -> list[Flow]:
    """Return the counts of one outcome: Poisson per bucket, which is Poisson in sum."""
    rows = np.flatnonzero(wanted > 1e-4)
    counts = np.zeros((wanted.size, BUCKETS), dtype=np.int64)
    if rows.size:
        shares = bucket_shares(mean_ms[rows], there.service.tail)  # (n, B)
        counts[rows] = rng.poisson(wanted[rows, None] * shares)
    total = counts.sum(axis=1)
    if not total.any():
        return []
    called = total
    if outcome == "shed":  # most are tried again; what is left of them is what the caller counts
        left = np.cumsum(total * lost)
        called = np.diff(np.floor(left), prepend=0.0).astype(np.int64)
    if outcome != "ok":  # a proxy writes the counter of an error once it saw the first one
        alive = alive & (np.arange(total.size) >= np.flatnonzero(total)[0])
    name = there.service.name
    return [Flow(source, name, tag, outcome, span.start, counts, total * mean_ms, called, alive)]


def _gone(away: FloatArray, retries: int) -> FloatArray:
    """Return the share of attempts turned away that end a call, when `away` of all are."""
    turned = sum(away ** (n + 1) for n in range(retries + 1))
    return np.asarray(away ** (retries + 1) / np.maximum(turned, 1e-12))


def _refused(
    source: str,
    there: Standing,
    wanted: FloatArray,
    away: FloatArray,
    retries: int,
    rng: np.random.Generator,
) -> list[Flow]:
    """Return calls that found nobody listening: only the caller's proxy counts them.

    With no pod at all there is no upstream host, so the proxy cannot name the workload or version.
    """
    share = np.where(there.refused > 0, there.refused / np.maximum(away, 1e-12), 0.0)
    failed = wanted * away ** (retries + 1) * share
    existing = np.arange(wanted.size) >= there.asked.created
    nobody = there.ready.sum(axis=0) == 0
    flows: list[Flow] = []
    kinds: tuple[tuple[Outcome, np.typing.NDArray[np.bool_]], ...] = (
        ("refused", ~nobody & ~there.injected),
        ("nobody", nobody & existing),
        ("injected", ~nobody & there.injected),
    )
    for outcome, when in kinds:
        per_minute = rng.poisson(np.where(when, failed, 0.0))
        seen = np.flatnonzero(per_minute)
        if seen.size:
            n = wanted.size - int(seen[0])
            begin = int(seen[0])
            zero = np.zeros((n, BUCKETS), dtype=np.int64)
            version = "" if outcome == "nobody" else there.asked.generations[-1].tag
            flows.append(
                Flow(
                    source,
                    there.service.name,
                    version,
                    outcome,
                    begin,
                    zero,
                    np.zeros(n),
                    per_minute[begin:],
                    np.ones(n, dtype=bool),
                )
            )
    return flows
