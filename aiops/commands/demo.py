"""`aiops demo`: the whole job on a small simulated mesh, with the files left behind to play with.

Makes what a user has (metrics, a GitOps repository, an aiops.yaml), then runs exactly what
`aiops run` runs. Nothing below `pipeline` can tell that it is the demo.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from aiops import connect, pipeline, terminal
from aiops.commands.run import failed
from aiops.config import load
from aiops.domain import Grid
from aiops.edges import git_history, recording
from aiops.errors import AiopsError, ConfigError
from aiops.ingest import presets
from aiops.job import Progress
from aiops.mesh import plant, repository, scenarios
from aiops.mesh.answers import MeshMetrics
from aiops.report import utc

STAMP = ".aiops-demo"  # marks a folder that a later demo may replace
SETTINGS = """\
# What the demo runs on. Replace `recording` by `url: https://prometheus.example.com` for your own.
prometheus: {recording: recording}
repository: {path: gitops.git, base: main}
clusters:
  - {name: prod-eu, match: {cluster: prod-eu}, paths: [clusters/prod-eu]}
  - {name: prod-us, match: {cluster: prod-us}, paths: [clusters/prod-us]}
forge: local
"""


def demo(directory: Path, seed: int) -> int:
    """Simulate, run, print, and say what to try next. Returns the exit code."""
    try:
        with terminal.progress() as tell:
            now_s = build(directory, seed, tell)
            config = load(directory / "aiops.yaml")
            warnings: list[str] = []
            job = connect.job(config, warnings)
            found = pipeline.run_once(
                job,
                connect.metrics(config, deadline_s=300),
                connect.repository(config),
                connect.forge(config, dry_run=False),
                now_s,
                tell,
            )
    except AiopsError as error:
        return failed(error, None, as_json=False)
    for line in warnings:
        terminal.say(f"warning: {line}", stderr=True)
    terminal.result(found)
    terminal.pulls(found)
    at = utc(now_s)
    terminal.say(
        f"""
Next
  git -C {directory}/gitops.git log --all --oneline -5      the branches that were proposed
  cat {directory}/gitops.git.forge/pulls/1.md               a pull request as the reviewer reads it
  aiops run --config {directory}/aiops.yaml --at {at}       run again: nothing is proposed twice
  aiops run --config {directory}/aiops.yaml --at {at} --explain shop/checkout
  aiops where --config {directory}/aiops.yaml               where every tag and replica count lives"""
    )
    return 0


def build(directory: Path, seed: int, tell: Progress) -> int:
    """Write the demo's recording, repository and settings; return the time it ends at.

    Raises ConfigError when the folder holds something that is not a demo.
    """
    if directory.exists() and any(directory.iterdir()):
        if not (directory / STAMP).is_file():
            raise ConfigError(
                "this folder is not empty", where=str(directory), todo="name another with --dir"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / STAMP).write_text(f"seed {seed}\n", encoding="utf-8")

    tell("simulating a mesh of a dozen services")
    scene = scenarios.demo(seed)
    trace = plant.simulate(scene.mesh, scene.start_s, scene.end_s, scene.events, (), seed)
    tell("writing the GitOps repository")
    git_history.write_history(
        directory / "gitops.git", repository.history(scene.mesh, scene.events, scene.start_s)
    )
    queries = (*presets.signal_queries(("istio", "kubernetes")), *presets.context_queries())
    recording.record(
        MeshMetrics(trace), queries, Grid(scene.start_s, scene.end_s, 60), directory / "recording", tell
    )
    (directory / "aiops.yaml").write_text(SETTINGS, encoding="utf-8")
    return scene.end_s
