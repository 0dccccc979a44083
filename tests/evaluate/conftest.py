"""Four days of the mesh with a bad release that people rolled back, and a surge that passed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from aiops import connect
from aiops.config_file import load
from aiops.domain import Grid
from aiops.edges import git_history, recording
from aiops.ingest import presets
from aiops.job import Job
from aiops.mesh import plant, repository, scenarios
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import Defect, Deploy, Surge
from aiops.mesh.graph import default_mesh

END_S = scenarios.DEMO_END_S
BAD_S, BACK_S, SURGE_S, CALM_S = (END_S - minutes * 60 for minutes in (420, 330, 240, 180))
SETTINGS = """\
prometheus: {recording: recording}
repository: {path: gitops.git, base: main}
clusters: [{name: prod-eu, match: {cluster: prod-eu}, paths: [clusters/prod-eu]}]
"""


@dataclass(frozen=True)
class Past:
    """A recording and a repository that hold it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "aiops.yaml"

    def doors(self) -> tuple[Job, recording.RecordedMetrics, object]:
        """Return job, metrics and repository, as the command connects them."""
        config = load(self.config)
        return connect.job(config, []), connect.metrics(config, 300), connect.repository(config)


@pytest.fixture(scope="session")
def past(tmp_path_factory) -> Past:
    folder = tmp_path_factory.mktemp("past")
    mesh, start_s = default_mesh(), END_S // 86_400 * 86_400 - 4 * 86_400
    events = (
        Deploy("checkout", start_s + 86_400, "1.14.3"),
        Deploy("checkout", BAD_S, "1.15.0", Defect("errors", 0.34)),
        Deploy("checkout", BACK_S, "1.14.3"),
        Surge("search", SURGE_S, CALM_S, 2.6),
    )
    trace = plant.simulate(mesh, start_s, END_S, events, (), 7)
    git_history.write_history(folder / "gitops.git", repository.history(mesh, events, start_s))
    queries = (*presets.signal_queries(presets.DEFAULT), *presets.context_queries())
    recording.record(
        MeshMetrics(trace), queries, Grid(start_s, END_S, 60), folder / "recording", lambda _: None
    )
    (folder / "aiops.yaml").write_text(SETTINGS, encoding="utf-8")
    return Past(folder)
