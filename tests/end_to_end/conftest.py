"""One demo, built once: a recording, a GitOps repository and settings, as `aiops demo` leaves them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aiops.commands import demo
from aiops.report import utc


@dataclass(frozen=True)
class World:
    """A folder with everything a run needs; `at` is the time it is judged at."""

    folder: Path
    now_s: int

    @property
    def at(self) -> str:
        return utc(self.now_s) or ""

    @property
    def config(self) -> Path:
        return self.folder / "aiops.yaml"

    def pulls(self) -> list[dict[str, Any]]:
        found = sorted((self.folder / "gitops.git.forge" / "pulls").glob("*.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in found]

    def copied(self, folder: Path) -> World:
        """Return a copy that one test may change: the recording is shared, the rest is its own."""
        shutil.copytree(self.folder / "gitops.git", folder / "gitops.git")
        text = self.config.read_text(encoding="utf-8")
        text = text.replace("recording: recording", f"recording: {self.folder / 'recording'}")
        (folder / "aiops.yaml").write_text(text, encoding="utf-8")
        return World(folder, self.now_s)

    def set(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf-8")


@dataclass(frozen=True)
class Done:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)

    def decisions(self) -> dict[str, tuple[str, str | None, Any]]:
        """Workload name -> (action, field, to), for workloads with an incident that was decided."""
        return {
            one["workload"]["name"]: (
                one["decision"]["action"],
                one["decision"]["field"],
                one["decision"]["to"],
            )
            for one in self.report["workloads"]
            if one["decision"] is not None and one["decision"]["action"] != "hold"
        }


def aiops(
    *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None, timeout_s: int = 560
) -> Done:
    """Run the command line in a process of its own, as CI does."""
    done = subprocess.run(
        [sys.executable, "-m", "aiops", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        cwd=cwd,
        env=env,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> World:
    """Build the demo's files once; tests that write take `world` instead."""
    folder = tmp_path_factory.mktemp("demo")
    return World(folder, demo.build(folder, 7, lambda _: None).end_s)


@pytest.fixture
def world(built, tmp_path) -> World:
    """Return a copy that one test may change."""
    return built.copied(tmp_path)


@pytest.fixture(scope="session")
def command():
    """Return `aiops(*arguments) -> Done`."""
    return aiops
