"""Which value to go back to, or why not: the value before of that field, if it ran healthy.

Further back only when the manifest says so (`aiops/rollback: further`): what is between may carry
what others rely on by now.
"""

from __future__ import annotations

import posixpath
import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aiops.decide import health
from aiops.diagnose.surroundings import DEGRADED
from aiops.diagnose.versions import tag_of
from aiops.domain import (
    Change,
    Context,
    Decision,
    Diagnosis,
    Hold,
    Panel,
    PastValue,
    Rollback,
    Target,
    Workload,
)
from aiops.limits import Limits

# Paths of what changes a database: going back leaves old code on a new schema (field guide R5).
MIGRATION = re.compile(
    r"(^|[/_.-])(migrations?|migrate|flyway|liquibase|alembic|pre-?upgrade|presync)([/_.-]|$)", re.IGNORECASE
)
FURTHER = "further"  # of the annotation aiops/rollback: also to what is older than the value before
USUAL_S = 7200  # after a deploy: what is still bad then does not pass by itself
# A branch or an environment is a name that moves. Without a digit no version, date or hash is in it.
VERSION = re.compile(r"(?=.*[0-9])[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MOVING = re.compile(
    r"(latest|stable|edge|nightly|main|master|develop|dev|prod|staging|test|qa)[0-9]?", re.IGNORECASE
)


def roll_back(diagnosis: Diagnosis, target: Target, limits: Limits, panel: Panel, rule: str) -> Decision:
    """Return a Rollback of `target` to the newest earlier value that ran healthy, else the Hold.

    `rule`: R1 or R1b, the rule that blames the release. A crash loop needs no count of requests:
    what never served has none, and the old value may be a worker that serves none at all.
    """
    change = diagnosis.change
    wish = dict(target.annotations).get("aiops/rollback", "")
    if wish == "never":
        return Hold("R-NEVER", "its manifest says aiops/rollback: never; a person decides")
    if change is None or not target.history:
        return Hold("R3", "the repository's history does not tell which values the field had")
    current, earlier = target.history[0], target.history[1:]
    held = _refused(current, earlier, change, target)
    if held is None and rule != "R1b":
        held = _usual(target, change, diagnosis.workload, panel, limits)
    if held is not None:
        return held
    hours = limits.rollback_soak_s // 3600
    for past in earlier:
        until_s = change.at_s if past is earlier[0] else (past.until_s or change.at_s)
        if until_s - past.since_s < limits.rollback_soak_s:
            if wish != FURTHER:
                minutes = (until_s - past.since_s) // 60
                return Hold(
                    "R3",
                    f"{past.value} was in place for {minutes} min, at least {hours} h proves a value;"
                    f" further back only with aiops/rollback: {FURTHER}",
                )
            continue
        why = _unsafe(past, until_s, diagnosis, panel, limits, rule)
        days = (until_s - past.since_s) / 86400
        reason = f"{current.value} is blamed; {past.value} ran healthy before it (in place {days:.1f} days)"
        field: Literal["image.tag", "image.digest"] = (
            "image.digest" if target.field == "image.digest" else "image.tag"
        )
        return why or Rollback(field, current.value, past.value, rule, reason)
    return Hold("R3", f"no earlier value was in place for {hours} h or more")


def went_back(context: Context) -> bool:
    """Tell whether Argo Rollouts or Flagger gave up on the newest version and serve the one before."""
    return context.around.phase == DEGRADED or context.around.canary_failed is True


def catch_up(target: Target | None, context: Context) -> Decision:
    """Return a Rollback to what already runs: the repository still asks for what was given up."""
    if target is None or target.refusal is not None or not target.history:
        why = (target and target.refusal) or "where its tag lives is not known"
        return Hold("G4", f"its rollout was aborted; {why}")
    wish = dict(target.annotations).get("aiops/rollback", "")
    running = {tag_of(image) for _, image in context.images}
    current = target.history[0]
    stable = next((past for past in target.history[1:] if past.value in running), None)
    if wish == "never" or current.value in running or stable is None or not is_fixed(stable.value):
        return Hold("G4", "its rollout was aborted; it goes on by its own controller, wait for it")
    if beside := _beside(current, target):
        return _more_than_the_tag(current, beside)
    reason = (
        f"the rollout of {current.value} was aborted and {stable.value} runs again:"
        " the repository is brought up to what runs"
    )
    return Rollback("image.tag", current.value, stable.value, "G4", reason, variant="catch-up")


def _usual(target: Target, change: Change, workload: Workload, panel: Panel, limits: Limits) -> Hold | None:
    """Return why a rise after a deploy is no news: it came at each of the last ones, and passed.

    What was taken back within two hours did not pass by itself, and who takes it back deploys while it
    is bad: neither tells how a deploy usually goes.
    """
    now_s, spans = int(panel.times[-1]), []
    for past in target.history[1:]:
        start_s, end_s = past.since_s, past.until_s or change.at_s
        if start_s < int(panel.times[0]) or min(end_s, change.at_s) - start_s < USUAL_S:
            continue
        if not _bad(panel, workload, start_s - limits.onset_slack_s, start_s).any():
            spans.append(_bad_for_s(panel, workload, start_s))
    if len(spans) < limits.usual_deploys or not all(spans):
        return None
    if now_s - change.at_s > max(spans):
        return None
    minutes = max(spans) // 60
    return Hold(
        "R1c", f"each of the last {len(spans)} deploys was as bad for up to {minutes} min, and it passed"
    )


def _bad_for_s(panel: Panel, workload: Workload, deploy_s: int) -> int:
    """Return how long after a deploy users were harmed, 0 when they were not or it never passed."""
    bad = _bad(panel, workload, deploy_s, deploy_s + USUAL_S)
    if not bad.any() or bad[-1]:
        return 0
    return int(panel.times[panel.times >= deploy_s][np.flatnonzero(bad)[-1]]) - deploy_s


def _bad(panel: Panel, workload: Workload, start_s: int, end_s: int) -> NDArray[np.bool_]:
    """Return for each step in [start_s, end_s) whether a signal was at its floor: [t]."""
    span = (panel.times >= start_s) & (panel.times < end_s)
    bad = np.zeros(int(span.sum()), dtype=bool)
    for signal in panel.signals:
        values = health.row(panel, workload, signal.name)
        if signal.floor is not None and values is not None:
            bad |= values[span] >= signal.floor
    return bad


def _unsafe(
    past: PastValue, until_s: int, diagnosis: Diagnosis, panel: Panel, limits: Limits, rule: str
) -> Hold | None:
    """Return why a value that was in place long enough is still no target."""
    if not is_fixed(past.value):
        return Hold("R9", f"the earlier value {past.value} can move: it names no version")
    found = health.ran(panel, diagnosis.workload, past.since_s, until_s, limits)
    if found.why:
        return Hold("R3", f"{past.value} is no safe target: {found.why}")
    if rule != "R1b" and found.requests < limits.requests_min:
        return Hold("R3", f"{past.value} served {found.requests:.0f} requests, too few to call it healthy")
    return None


def is_fixed(value: str) -> bool:
    """Tell whether a value of the field names one build for ever: a version or a digest."""
    return DIGEST.fullmatch(value.rpartition("@")[2]) is not None or is_version(value)


def is_version(value: str) -> bool:
    """Tell whether a tag names one build: it has a digit and is no word that moves."""
    return VERSION.fullmatch(value) is not None and MOVING.fullmatch(value) is None


def _refused(
    current: PastValue, earlier: tuple[PastValue, ...], change: Change, target: Target
) -> Hold | None:
    """Return why the release cannot be undone by its tag alone."""
    name, _, digest = (change.new or "").partition("@")
    running = digest if target.field == "image.digest" else name.rsplit("/", 1)[-1].partition(":")[2]
    if not is_fixed(current.value):
        return Hold("R9", f"{current.value} can move: the tag does not tell what ran")
    if running not in {current.value, current.value.rpartition("@")[2]}:
        return Hold(
            "G-DRIFT", f"the repository says {current.value}, the cluster runs {running or change.new}"
        )
    if any(past.value == current.value for past in earlier):
        return Hold("R4", f"{current.value} was returned to before: a rollback is not rolled back")
    migrations = [path for path in current.touched if MIGRATION.search(path)]
    if migrations:
        return Hold("R5", f"commit {current.commit[:12]} carries a migration: {migrations[0]}")
    beside = _beside(current, target)
    return _more_than_the_tag(current, beside) if beside else None


def _more_than_the_tag(current: PastValue, beside: list[str]) -> Hold:
    return Hold("R7", f"commit {current.commit[:12]} also changed {beside[0]}: revert the commit instead")


def _beside(current: PastValue, target: Target) -> list[str]:
    """Return the other files of the release commit that can belong to this workload.

    Those next to a place that sets the field, or in a folder of its name. The same tag in another
    cluster's overlay, or another service's folder, does not stand in the way.
    """
    folders = {posixpath.dirname(place.file) for place in target.places}
    name = target.workload.name
    return sorted(
        path
        for path in current.touched
        if posixpath.dirname(path) in folders or name in posixpath.dirname(path).split("/")
    )
