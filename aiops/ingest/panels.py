"""From answers to panels: which workloads there are, and their signals on one grid.

Label values are hostile: what cannot be the name of a workload is left out, and `dropped` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from aiops.domain import Answer, Panel, Workload
from aiops.errors import ConfigError, DataUnusable

Key = tuple[str, str, str]  # (cluster, namespace, name), as `Workload.key`

# What Kubernetes accepts as a name, and the ":" and "_" that cloud providers put into a cluster's.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}", re.ASCII)
_CLUSTER = re.compile(r"[A-Za-z0-9._:-]{0,253}", re.ASCII)
# Larger values are overflow or nonsense in any unit we read; float32 arithmetic breaks on them.
_MAX_VALUE = 1e12
# Kinds that serve: one of them without a single sample is worth a line in the report.
_SERVING = ("Deployment", "StatefulSet", "Rollout")


def workload_kinds(answer: Answer) -> dict[Key, str]:
    """Return the kind of every workload that the query `workload_kind` named.

    A name that two kinds share has the kind that was seen last; "" when both still exist.
    """
    found: dict[Key, list[tuple[int, str]]] = {}
    for labels, seen in zip(answer.labels, np.isfinite(answer.values), strict=True):
        key = _key(answer, labels)
        if _is_usable(key) and seen.any():
            last = len(seen) - 1 - int(np.argmax(seen[::-1]))
            found.setdefault(key, []).append((last, labels.get("owner_kind", "")))
    kinds = {}
    for key, rows in sorted(found.items()):
        newest = max(rows)[0]
        at_last = {kind for last, kind in rows if last == newest}
        kinds[key] = at_last.pop() if len(at_last) == 1 else ""
    return kinds


def assemble(answers: Sequence[Answer], kinds: Mapping[Key, str]) -> Panel:
    """Lay the answers of signal queries, all on one grid, side by side: float32 [W, S, T].

    Workloads are sorted; those that serve and were never sampled are there with NaN only.
    Infinite and absurd values (over 1e12) become NaN. Raises DataUnusable when two series of one
    answer name the same workload, ConfigError when a query's answer names no workload at all.
    """
    if not answers:
        raise ValueError("expected at least one answer")
    times = answers[0].times
    keys = [[_key(answer, labels) for labels in answer.labels] for answer in answers]
    sampled = {key for row in keys for key in row if _is_usable(key)}
    silent = {key for key, kind in kinds.items() if kind in _SERVING and _is_usable(key)}
    workloads = sorted(Workload(key[0], key[1], kinds.get(key, ""), key[2]) for key in sampled | silent)
    index = {workload.key: row for row, workload in enumerate(workloads)}
    values = np.full((len(workloads), len(answers), len(times)), np.nan, dtype=np.float32)  # [W, S, T]
    for column, (answer, found) in enumerate(zip(answers, keys, strict=True)):
        if not np.array_equal(answer.times, times):
            raise ValueError(f"query {answer.query.name}: expected the grid of the other answers")
        _refuse_nameless(answer, found)
        _refuse_twins(answer, found)
        usable = [row for row, key in enumerate(found) if key in index]
        target = [index[found[row]] for row in usable]
        with np.errstate(invalid="ignore"):
            one = np.where(np.abs(answer.values) <= _MAX_VALUE, answer.values, np.nan)  # [N, T]
        values[target, column] = one[usable]  # [N, T] -> [W, T]
    return Panel(
        values=values,
        times=times,
        step_s=int(times[1] - times[0]) if len(times) > 1 else 0,
        workloads=tuple(workloads),
        signals=tuple(answer.query.signal for answer in answers if answer.query.signal is not None),
    )


def dropped(answers: Sequence[Answer]) -> tuple[str, ...]:
    """Return one line for every series whose labels cannot be the name of a workload."""
    lines = {
        f"query {answer.query.name}: {_inert(key)} cannot be the name of a workload; left out"
        for answer in answers
        for key in (_key(answer, labels) for labels in answer.labels)
        if answer.query.workload_label and not _is_usable(key)
    }
    return tuple(sorted(lines))


def _key(answer: Answer, labels: Mapping[str, str]) -> Key:
    query = answer.query
    return (
        labels.get(query.cluster_label, ""),
        labels.get(query.namespace_label, ""),
        labels.get(query.workload_label, ""),
    )


@lru_cache(maxsize=2**16)  # every answer of a run names the same workloads
def _is_usable(key: Key) -> bool:
    cluster, namespace, name = key
    return all((_CLUSTER.fullmatch(cluster), _NAME.fullmatch(namespace), _NAME.fullmatch(name)))


def _inert(key: Key) -> str:
    """Show hostile text as printable ASCII of bounded length."""
    return "/".join(ascii(part)[:80] for part in key)


def _refuse_nameless(answer: Answer, keys: Sequence[Key]) -> None:
    if keys and all(not namespace or not name for _, namespace, name in keys):
        query = answer.query
        raise ConfigError(
            f"expected series with the labels {query.namespace_label} and {query.workload_label},"
            f" found {len(keys)} without",
            where=f"queries.{query.name}",
            todo="aggregate `by (cluster, namespace, workload)`",
        )


def _refuse_twins(answer: Answer, keys: Sequence[Key]) -> None:
    """Refuse two series for one workload: adding them up doubles it, taking either is a guess."""
    first: dict[Key, int] = {}
    for row, key in enumerate(keys):
        if _is_usable(key) and first.setdefault(key, row) != row:
            one, other = dict(answer.labels[first[key]]), dict(answer.labels[row])
            raise DataUnusable(
                f"two series for {'/'.join(key)}: {ascii(one)[:300]} and {ascii(other)[:300]}",
                where=f"query {answer.query.name}",
                todo="aggregate in the query, for example `sum by (cluster, namespace, workload) (...)`",
            )
