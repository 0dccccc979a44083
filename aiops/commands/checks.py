"""The checks of `aiops doctor`: each asks one thing and says what it found and what to do.

A `problem` ends a run, a `warning` makes it worth less, `unknown` could not be told from here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiops import coverage
from aiops.config import Config
from aiops.decide.policy import SCALABLE
from aiops.detect import windows
from aiops.detect.settings import DAY_S, DetectSettings
from aiops.domain import Grid, Panel
from aiops.edges import github_access
from aiops.edges.prometheus import WARN_SKEW_S, PrometheusMetrics
from aiops.errors import DataUnusable
from aiops.gitops.clusters import Cluster
from aiops.ingest import panels, presets
from aiops.job import Job
from aiops.ports import Files, Metrics, Repository, Silences
from aiops.reading import Reader
from aiops.report import utc

CheckState = Literal["ok", "warning", "problem", "unknown"]
TRAIN_S = 4 * DAY_S  # whole days that `aiops train` needs
SEASONS_S = 15 * DAY_S  # from here on the same time a week ago counts
_GAPS = 0.1  # share of a day without samples that is worth a line
_HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `exit_code`: what a run would end with; counts only for a problem."""

    name: str
    subject: str
    state: CheckState
    found: str
    todo: str = ""
    exit_code: int = 20

    @property
    def text(self) -> str:
        """Return what was found, and what to do about it."""
        return f"{self.found}; {self.todo}" if self.todo else self.found


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was read: the last day by the step and the last weeks by the hour."""

    now_s: int
    day: Panel
    reference: Panel
    up: tuple[float, float] | None  # scrape targets that answer, and all


def source(metrics: Metrics, name: str) -> list[Check]:
    """Ask one server whether it is a Prometheus that is up and what time it has."""
    if not isinstance(metrics, PrometheusMetrics):
        return [Check("prometheus", name, "ok", f"a recording that ends at {utc(metrics.now_s())}")]
    metrics.check()
    skew_s = metrics.skew_s()
    late = abs(skew_s) > WARN_SKEW_S
    clock = Check("clock", name, "ok", f"{skew_s:+.0f} s off ours")
    if late:
        clock = Check("clock", name, "warning", f"{skew_s:+.0f} s off ours", "set one of the clocks")
    return [Check("prometheus", name, "ok", "answers queries"), clock]


def read(job: Job, metrics: Metrics, now_s: int) -> Seen:
    """Read every signal. Raises DataUnusable or ConfigError as a run would."""
    reader = Reader(metrics)
    wanted = windows.wanted(now_s, job.step_s)
    newest = wanted.recent.end_s
    day = Grid(newest - DAY_S + job.step_s, newest, job.step_s)
    context = {query.name: query for query in job.context}
    kinds = panels.workload_kinds(reader.read(context["workload_kind"], day))

    def panel(grid: Grid) -> Panel:
        return panels.assemble([reader.read(query, grid) for query in job.signals], kinds)

    found = panel(day)
    if not found.workloads:
        raise DataUnusable(
            "the queries of `signals` returned no workload in the last day",
            todo="see docs/signals.md for what each preset needs, or write `queries` of your own",
        )
    up, known = (reader.read(context[name], day).values for name in ("targets_up", "targets_known"))
    counted = (float(up[:, -1].sum()), float(known[:, -1].sum())) if known.size else None
    return Seen(now_s, found, panel(wanted.reference), counted)


def silences(given: Silences | None) -> list[Check]:
    """Ask the Alertmanager, where one is named. A run goes on without its answer, and acts less."""
    if given is None:
        return []
    try:
        given.muting((), 0)
    except DataUnusable as error:
        return [Check("alertmanager", error.where, "warning", error.message, error.todo)]
    return [Check("alertmanager", "", "ok", "tells what is silenced")]


def history(seen: Seen) -> list[Check]:
    """Compare what is kept with what a run and a training need; look for holes and lost targets."""
    return [_retention(seen), _gaps(seen), _targets(seen), *_signals(seen)]


def _retention(seen: Seen) -> Check:
    reach_s = coverage.reach_s(seen.reference)
    least_s = DetectSettings().learning_s
    told = f"samples reach back {_days(reach_s)}"
    if reach_s < least_s:
        todo = f"workloads are judged from {least_s // _HOUR_S} h on: wait, or keep samples longer"
        return Check("retention", "", "warning", told, todo)
    if reach_s < TRAIN_S:
        return Check("retention", "", "warning", told, f"`aiops train` needs {_days(TRAIN_S)}")
    if reach_s < SEASONS_S:
        todo = f"with {_days(SEASONS_S)} the same time a week ago counts as well"
        return Check("retention", "", "warning", told, todo)
    return Check("retention", "", "ok", f"{told}, {_days(TRAIN_S)} are enough to train")


def _gaps(seen: Seen) -> Check:
    steps, longest = coverage.holes(seen.day)
    if not steps:
        return Check("gaps", "", "ok", "no step of the last day without samples")
    step_s = seen.day.step_s
    found = f"{steps} steps of the last day without any sample, {longest * step_s // 60} min at most in a row"
    todo = "look for restarts of Prometheus and for a scrape interval over the `step`"
    return Check("gaps", "", "warning", found, todo)


def _targets(seen: Seen) -> Check:
    if seen.up is None:
        return Check("targets", "", "unknown", "`up` has no sample", "scrape it with its `cluster` label")
    up, known = seen.up
    if up < known:
        todo = "find the others under /targets; what they export is missing"
        return Check("targets", "", "warning", f"{up:g} of {known:g} scrape targets answer", todo)
    return Check("targets", "", "ok", f"all {known:g} scrape targets answer")


def _signals(seen: Seen) -> list[Check]:
    found = []
    for column, signal in enumerate(seen.day.signals):
        share = (seen.day.values[:, column] == seen.day.values[:, column]).any(axis=1)  # NaN != NaN
        told = f"{int(share.sum())} of {len(share)} workloads have it"
        if share.all():
            found.append(Check("signal", signal.name, "ok", told))
        else:
            found.append(Check("signal", signal.name, "warning", told, coverage.closes(signal.name)))
    return found


def sources(presets_used: Sequence[str]) -> list[Check]:
    """Tell what no query of the presets can say, and what is therefore never proposed."""
    asked = {query.name for query in presets.context_queries(presets_used)}
    used = ", ".join(presets_used)
    if "call_rate" in asked:
        return [Check("callers", "", "ok", "who calls whom is asked")]
    found = f"{used} cannot tell who calls whom"
    todo = "nothing is scaled, a release is blamed only if it alone is worse: docs/signals.md"
    if "version_error_ratio" not in asked:
        found, todo = (
            f"{found}, nor versions apart",
            "little but pods that cannot start leads to a proposal: docs/signals.md",
        )
    return [Check("callers", "", "warning", found, todo)]


def repository(given: Repository, config: Config) -> tuple[list[Check], Files]:
    """Resolve the base branch and list its files."""
    files = given.files(given.head(config.repository.base))
    told = f"{len(files.tree())} files at {files.sha[:12]} of {config.repository.base}"
    found = [Check("repository", "", "ok", told)]
    if given.shallow:
        todo = "git fetch --unshallow: the values of the past are where a rollback goes"
        found.append(Check("history", "", "warning", "the clone is shallow", todo))
    return found, files


def workloads(seen: Seen, files: Files | None, clusters: Sequence[Cluster]) -> list[Check]:
    """Return one line a workload: its signals and its manifest, or what would close the hole."""
    return [_workload(one) for one in coverage.covered(seen.day, seen.reference, files, clusters)]


def _workload(one: coverage.Covered) -> Check:
    have = len(one.signals) - len(one.missing)
    found, todo = [f"{have} of {len(one.signals)} signals"], []
    bad = bool(one.missing)
    if one.missing:
        found[0] += f" (no {', '.join(one.missing)})"
        todo += list(dict.fromkeys(coverage.closes(name) for name in one.missing))
    if one.known_s is not None and one.known_s < DetectSettings().learning_s:
        found.append(f"known for {one.known_s // _HOUR_S} h")
        bad = True
    elif one.gap > _GAPS and have:
        found.append(f"{one.gap:.0%} of the last day without a sample")
        bad = True
    if one.image is not None:
        place = one.image.winner
        found.append(f"image in {place.file}" if place else f"image: {one.image.refusal}")
        bad = bad or place is None
    capacity = one.capacity if one.workload.kind in SCALABLE else None
    if capacity and capacity.refusal and not (one.image and one.image.refusal == capacity.refusal):
        found.append(f"{capacity.field}: {capacity.refusal}")
        bad = True
    return Check("workload", str(one.workload), "warning" if bad else "ok", ", ".join(found), "; ".join(todo))


def access(found: github_access.Access | None, config: Config) -> list[Check]:
    """Return what the forge lets us do; None: the local forge, whose folder is ours."""
    base = config.repository.base
    if found is None:
        beside = os.path.normpath(config.repository.path or "")  # `folder/../deploy` is hard to read
        return [Check("forge", "local", "ok", f"pull requests are files beside {beside}")]
    checks = [_permission(found), *([_tracking(found)] if config.issues else [])]
    if found.protected is None:
        todo = f"see whether {base} asks for a review: only a person may merge"
        checks.append(Check("protection", base, "unknown", "the token may not read the branch's rules", todo))
    elif found.protected:
        checks.append(Check("protection", base, "ok", "protected"))
    else:
        todo = f"protect {base}: aiops never pushes to it, but its token could"
        checks.append(Check("protection", base, "warning", "not protected", todo))
    return checks


def _permission(found: github_access.Access) -> Check:
    name, who = found.full_name, f"App {found.app}" if found.app else "token"
    if found.archived:
        return Check("forge", name, "problem", "the repository is archived", "unarchive it", 30)
    if found.may_push is False:
        todo = f"give the {who} contents and pull_requests write on this repository"
        return Check("forge", name, "problem", f"the {who} may read only", todo, 30)
    if found.excess:
        todo = f"give the {who} contents and pull_requests write on this repository and nothing else"
        return Check("forge", name, "warning", f"the {who} may also {', '.join(found.excess)}", todo)
    if found.may_push is None:
        todo = "the first pull request shows it"
        return Check("forge", name, "unknown", "readable; whether the token may write is not told", todo)
    return Check(
        "forge", name, "ok", f"pull requests are readable, the {who if found.app else 'account'} may push"
    )


def _tracking(found: github_access.Access) -> Check:
    """Return whether the issue of a storm can be opened, which nobody wants to learn in one."""
    if found.may_track is False:
        todo = "switch issues on in the repository, and give issues write; or take `issues: true` out"
        return Check("issues", found.full_name, "problem", "no tracking issue can be opened", todo, 30)
    if found.may_track is None:
        todo = "see that the token has issues write on this repository"
        return Check("issues", found.full_name, "unknown", "whether the token may open one is not told", todo)
    return Check("issues", found.full_name, "ok", "a tracking issue can be opened")


def summary(found: Sequence[Check]) -> str:
    """Return the counts of everything that is not ok."""
    counted = Counter(one.state for one in found)
    return f"{counted['problem']} problems, {counted['warning']} warnings, {counted['unknown']} not known"


def _days(seconds: int) -> str:
    return f"{seconds / DAY_S:.3g} days"
