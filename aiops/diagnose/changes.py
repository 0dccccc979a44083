"""Finds what changed: images per container, pod templates, settings, and when replicas moved.

Comes in: answers of the context. Goes out: `Change`s with the time of the first step that shows
the new value. The image is compared as text, as Git says it: a registry's normalised name would
show changes that nobody made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aiops.diagnose.rows import Sources, newest
from aiops.domain import Change, FloatArray, TimesArray, Workload

# Containers that the platform injects. A new image there is shared infrastructure: rolling the
# application back would not undo it. Names: istio.io/latest/docs (istio-proxy, istio-init,
# istio-validation), linkerd.io/2/reference (linkerd-proxy, linkerd-init, linkerd-network-validator),
# developer.hashicorp.com/vault (vault-agent, vault-agent-init), docs.dapr.io (daprd).
SIDECARS = frozenset(
    {
        *("istio-proxy", "istio-init", "istio-validation", "envoy", "consul-dataplane"),
        *("linkerd-proxy", "linkerd-init", "linkerd-network-validator"),
        *("vault-agent", "vault-agent-init", "daprd"),
    }
)

# Steps that an image may be absent before its return counts as a change: a pod that is being
# replaced has no container status for a scrape or two.
ABSENT_STEPS = 3
# A new image is a new pod template as well; its container may be seen some steps after its pod.
SAME_ROLLOUT_S = 300


def image_changes(sources: Sources, workload: Workload) -> tuple[Change, ...]:
    """Return every image change of a workload that the grid shows, oldest first.

    A spec that is there when its container is first seen is no change: it is where the data starts.
    """
    rows: dict[str, dict[str, NDArray[np.bool_]]] = {}
    for labels, values in sources.rows("image", workload):
        present = np.isfinite(values) & (values > 0)  # [T]
        specs = rows.setdefault(labels.get("container", ""), {})
        spec = labels.get("image_spec", "")
        specs[spec] = specs[spec] | present if spec in specs else present
    found = [
        change
        for container, specs in sorted(rows.items())
        for change in _of_container(workload, container, specs, sources.answers["image"].times)
    ]
    return _sorted(found)


def template_changes(sources: Sources, workload: Workload, images: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return every change of the pod template that no image change explains, oldest first.

    Settings, environment, a generated ConfigMap's name, or a restart by annotation: all the same
    from here. Also when an old ReplicaSet comes back, whose creation time would tell nothing.
    """
    rows: dict[str, NDArray[np.bool_]] = {}
    for labels, values in sources.rows("pod_template", workload):
        rows[labels.get("template", "")] = np.isfinite(values) & (values > 0)  # [T]
    if not rows:
        return ()
    found = _of_container(workload, "pod template", rows, sources.answers["pod_template"].times)
    found.sort(key=lambda change: (change.at_s, change.new or ""))
    # Each image change made one template, the nearest in time: two rollouts in five minutes are two.
    explained = {
        min(range(len(found)), key=lambda at: (abs(found[at].at_s - image.at_s), at))
        for image in images
        if any(abs(change.at_s - image.at_s) <= SAME_ROLLOUT_S for change in found)
    }
    return tuple(replace(change, kind="config") for at, change in enumerate(found) if at not in explained)


def settings_changes(sources: Sources, workload: Workload) -> tuple[Change, ...]:
    """Return every in-place edit of a ConfigMap or Secret in the namespace of a workload, oldest first.

    "config" when the object is called like the workload; "nearby" otherwise, since no metric tells
    who reads it.
    """
    answer = sources.answers.get("config_version")
    if answer is None:
        return ()
    found = []
    for labels, values in zip(answer.labels, answer.values, strict=True):  # [N, T] -> [T]
        here = (labels.get("cluster", ""), labels.get("namespace", ""))
        if here != (workload.cluster, workload.namespace):
            continue
        subject = labels.get("object", "")
        name = subject.partition("/")[2]
        own = name == workload.name or name.startswith(f"{workload.name}-")
        moves = _moves(workload, values, answer.times)
        found += [replace(one, kind="config" if own else "nearby", subject=subject) for one in moves]
    return _sorted(found)


def ended_certificates(sources: Sources, workload: Workload) -> tuple[Change, ...]:
    """Return the certificates of the namespace of a workload that have ended, oldest first.

    Which workload uses one no metric tells; that it ended in the minutes before tells enough to look.
    """
    answer = sources.answers.get("certificate_end")
    if answer is None:
        return ()
    found = []
    for labels, values in zip(answer.labels, answer.values, strict=True):  # [N, T] -> [T]
        here = (labels.get("cluster", ""), labels.get("namespace", ""))
        ends_s = newest(values)
        if (
            here == (workload.cluster, workload.namespace)
            and ends_s is not None
            and ends_s <= answer.times[-1]
        ):
            subject = f"certificate {labels.get('name', '')}"
            found.append(Change(workload, "certificate", subject, "valid", "ended", int(ends_s)))
    return _sorted(found)


def _sorted(found: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda change: (change.at_s, change.subject, change.new or "")))


def _of_container(
    workload: Workload, container: str, specs: dict[str, NDArray[np.bool_]], times: TimesArray
) -> list[Change]:
    """Return the changes of one container; steps at which no spec is seen are lost scrapes, skipped."""
    names = sorted(specs)
    present = np.stack([specs[name] for name in names])  # [specs, T]
    observed = present.any(axis=0)  # [T]
    present, seen = present[:, observed], times[observed]
    changes: list[Change] = []
    for row, name in enumerate(names):
        running = np.flatnonzero(present[row])
        # First step of each stretch that follows a real absence.
        starts = running[np.flatnonzero(np.diff(running, prepend=-ABSENT_STEPS - 1) > ABSENT_STEPS)]
        for start in starts[starts > 0]:
            before = [other for other in range(len(names)) if other != row and present[other, start - 1]]
            if not before:
                continue
            old = max(before, key=lambda other: (_run_start(present[other], int(start) - 1), names[other]))
            changes.append(Change(workload, "image", container, names[old], name, int(seen[start])))
    return changes


def _run_start(present: NDArray[np.bool_], at: int) -> int:
    """Return the first index of the stretch of presence that holds `at`."""
    absent = np.flatnonzero(~present[:at])
    return int(absent[-1]) + 1 if absent.size else 0


def replica_changes(sources: Sources, workload: Workload) -> tuple[Change, ...]:
    """Return every move of the desired replicas that the grid shows, oldest first."""
    changes: list[Change] = []
    for _, values in sources.rows("replicas_desired", workload):
        changes.extend(_moves(workload, values, sources.answers["replicas_desired"].times))
    return tuple(changes)


def _moves(workload: Workload, values: FloatArray, times: TimesArray) -> list[Change]:
    finite = np.isfinite(values)
    known, seen = values[finite], times[finite]
    moved = np.flatnonzero(np.diff(known)) + 1
    return [
        Change(workload, "replicas", "replicas", f"{known[at - 1]:g}", f"{known[at]:g}", int(seen[at]))
        for at in moved
    ]
