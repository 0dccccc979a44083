"""`aiops demo`: the whole job on a small simulated mesh, with the files left behind to play with.

Makes what a user has (metrics, a GitOps repository, an aiops.yaml), then runs exactly what
`aiops run` runs. Nothing below `pipeline` can tell that it is the demo.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from aiops import connect, pipeline, terminal
from aiops.commands.run import failed
from aiops.config_file import load
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
            scene = build(directory, seed, tell)
            config = load(directory / "aiops.yaml")
            warnings: list[str] = []
            job = connect.job(config, warnings)
            found = pipeline.run_once(
                job,
                connect.metrics(config, deadline_s=300),
                connect.repository(config),
                connect.forge(config, dry_run=False),
                scene.end_s,
                tell,
            )
    except AiopsError as error:
        return failed(error, None, as_json=False)
    for line in warnings:
        terminal.line(f"warning: {line}", stderr=True)
    terminal.say("What happens in this mesh (aiops sees only its metrics and manifests):")
    for line in scene.story:
        terminal.say(f"  - {line}")
    terminal.say("")
    terminal.result(found)
    terminal.pulls(found)
    at, aiops = utc(scene.end_s), _called()
    terminal.say(
        f"""
Next
  a pull request as its reviewer reads it:
    cat {directory}/gitops.git.forge/pulls/1.md
  every rule that was asked, and that nothing is proposed twice:
    {aiops} run --config {directory}/aiops.yaml --at {at} --explain shop/checkout
  where every tag and replica count lives, and what would be refused:
    {aiops} where --config {directory}/aiops.yaml
  an edit that you ask for, shown and not made:
    {aiops} propose scale prod-eu/shop/cart --config {directory}/aiops.yaml --dry-run"""
    )
    return 0


def _called() -> str:
    """Return how this program can be called again: `make demo` leaves it in .venv, not on PATH."""
    return "aiops" if shutil.which("aiops") else os.path.relpath(sys.argv[0])


def build(directory: Path, seed: int, tell: Progress) -> scenarios.Scenario:
    """Write the demo's recording, repository and settings; return what was simulated.

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
    tell("recording what a Prometheus would answer")
    span = Grid(scene.start_s, scene.end_s, 60)
    recording.record(MeshMetrics(trace), queries, span, directory / "recording", lambda _: None)
    (directory / "aiops.yaml").write_text(SETTINGS, encoding="utf-8")
    return scene
