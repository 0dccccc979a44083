"""`aiops propose`: the second half of a run, or one edit that a person asked for."""

from __future__ import annotations

import math
from pathlib import Path

from aiops import connect, deciding, pipeline, report, terminal
from aiops.commands import exporting, rendering, targets, times
from aiops.commands import run as run_command
from aiops.config import Config, RepositoryConfig
from aiops.config_file import load
from aiops.diagnose import diagnosis
from aiops.domain import (
    FieldName,
    Grid,
    Incident,
    Plan,
    PlanItem,
    Rollback,
    Scale,
    State,
    Target,
    Verdict,
    Workload,
)
from aiops.errors import AiopsError, ConfigError, EditRefused
from aiops.gitops import edits as editing
from aiops.gitops import where
from aiops.job import Job, Result
from aiops.ports import Repository
from aiops.propose import diff, plan_file

MAX_PLAN_BYTES = 50_000_000


def from_plan(
    plan_in: Path,
    config_file: Path,
    *,
    at: str | None,
    dry_run: bool,
    detailed: bool,
    export: str | None,
    as_json: bool,
) -> int:
    """Propose what a plan holds, after re-reading the base. Needs no Prometheus and no model."""
    now_s: int | None = None
    told = exporting.Telling(export, "propose")
    try:
        config = load(config_file)
        if not plan_in.is_file() or plan_in.stat().st_size > MAX_PLAN_BYTES:
            raise ConfigError("expected a plan that `aiops run --plan` wrote", where=str(plan_in))
        plan = plan_file.load(plan_in.read_bytes())
        now_s = times.parse(at, "--at") if at else connect.clock_s()
        found = _carry_out(config, plan, now_s, dry_run=dry_run)
    except AiopsError as error:
        told.failed(error)
        return run_command.failed(error, now_s, as_json=as_json)
    told.ended(found, report.exit_code(found, detailed=detailed))
    return run_command.show(found, detailed=detailed, as_json=as_json, explain=None, dry_run=dry_run)


def by_hand(
    action: str,
    target: str,
    *,
    to: str | None,
    repo: Path | None,
    config_file: Path,
    dry_run: bool,
    as_json: bool,
    render: bool = False,
) -> int:
    """Make the edit and the pull request that a person asks for; prints the unified diff.

    `render`: only when kustomize or Helm confirms that exactly this field differs.
    """
    try:
        config = settings(repo, config_file)
        repository = connect.repository(config)
        sha = repository.head(config.repository.base)
        files, clusters = repository.files(sha), connect.clusters(config)
        workload = targets.pick(target, dict(where.named(files, clusters)))
        job = connect.proposing_job(config)
        found = _editable(job, repository, sha, workload, action)
        decision = _decision(action, found, to)
        edits = editing.of(files, found, str(decision.new), clusters)
        if render:
            shown = rendering.confirm(files, found, edits, str(decision.new), clusters)
            terminal.say(f"rendered, exactly one field differs: {shown}", stderr=True)
        now_s = connect.clock_s()
        item = PlanItem(
            workload,
            decision,
            _nothing_seen(workload),
            diagnosis.blank(workload),
            edits,
            found.history,
            None,
        )
        plan = Plan(config.repository.base, sha, now_s, config.step, "", (item,), ())
        result = _carry_out(config, plan, now_s, dry_run=dry_run)
    except AiopsError as error:
        return run_command.failed(error, None, as_json=as_json)
    if as_json:
        return run_command.show(result, detailed=False, as_json=True, explain=None, dry_run=dry_run)
    for sent in result.sent.values():
        if sent.state == "held":
            terminal.say(f"not proposed: {sent.note}", stderr=True)
        elif sent.proposal is not None:
            terminal.say(
                diff.unified({path: files.read(path) for path in sent.proposal.files}, sent.proposal.files)
            )
    terminal.pulls(result)
    return report.exit_code(result)


def settings(repo: Path | None, config_file: Path) -> Config:
    """Return the settings of the file; with --repo, of a local repository and nothing else."""
    if repo is None:
        return load(config_file)
    clusters = load(config_file).clusters if config_file.is_file() else ()
    return Config.model_validate(
        {
            "prometheus": {"url": "http://127.0.0.1:9090"},  # never asked: this half needs no metrics
            "repository": RepositoryConfig(path=repo.resolve()),
            "clusters": clusters,
        }
    )


def _carry_out(config: Config, plan: Plan, now_s: int, *, dry_run: bool) -> Result:
    job = connect.proposing_job(config)
    before = Result(
        plan=plan,
        window=Grid(plan.data_time_s, plan.data_time_s, plan.step_s),
        incidents=report.from_plan(plan),
        scores=None,
        sent={},
        guardrails=(),
        unresolved=(),
        errors=(),
    )
    forge = connect.forge(config, dry_run=dry_run)
    with terminal.progress() as tell:
        return pipeline.propose(job, before, connect.repository(config), forge, now_s, tell)


def _editable(job: Job, repository: Repository, sha: str, workload: Workload, action: str) -> Target:
    """Return the first field of the action that can be edited. Raises EditRefused with the reasons."""
    names: tuple[FieldName, ...] = (
        ("replicas", "hpa.max") if action == "scale" else ("image.tag", "image.digest")
    )
    found = [deciding.locate(job, repository, sha, workload, name, None) for name in names]
    for target in found:
        if target.winner is not None and target.refusal is None:
            return target
    raise EditRefused("; ".join(one.refusal or "not set anywhere" for one in found), where=str(workload))


def _decision(action: str, target: Target, to: str | None) -> Scale | Rollback:
    """Return what the person asked for; without --to the previous tag, or one half more."""
    assert target.winner is not None  # noqa: S101 - _editable refuses the rest
    history = [past.value for past in target.history]
    if action == "rollback":
        current = history[0] if history else target.winner.value
        new = to or next((value for value in history if value != current), None)
        if new is None:
            raise EditRefused(
                "no earlier value in the history", where=str(target.workload), todo="name one with --to"
            )
        return Rollback(
            "image.digest" if target.field == "image.digest" else "image.tag",
            current,
            new,
            "BY-HAND",
            "asked for by a person",
        )
    current_count = int(history[0] if history else target.winner.value)
    if to is not None and not to.isdigit():
        raise ConfigError(f"expected a number of replicas, found {to!r}", where="--to")
    count = int(to) if to else min(math.ceil(current_count * 1.5), current_count + 10)
    return Scale(
        "hpa.max" if target.field == "hpa.max" else "replicas",
        current_count,
        count,
        "BY-HAND",
        "asked for by a person",
    )


def _nothing_seen(workload: Workload) -> Incident:
    return Incident(workload, Verdict.HEALTHY, State.INACTIVE, None, (), None, "baseline", None, 0.0, None, 0)
