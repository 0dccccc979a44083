"""`.ci/components` on a machine that has nothing: it says so, and only CI fails for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import real

TOOLS = ("bash", "cat", "dirname", "grep", "head", "mkdir", "mv", "rm", "tail")


def run_on_a_bare_machine(folder: Path, *, ci: str, has_apt: bool) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script in `folder`, with a few tools on PATH and an apt that never succeeds."""
    script = folder / ".ci" / "components"
    script.parent.mkdir(parents=True)
    shutil.copy(real.CHECKOUT / ".ci" / "components", script)
    programs = folder / "bin"
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(shutil.which(tool) or pytest.fail(f"this machine has no {tool}"))
    for tool in ("apt-get", "dpkg-deb") if has_apt else ():
        (programs / tool).write_text("#!/bin/false\n")
        (programs / tool).chmod(0o755)
    environment = {"PATH": str(programs), "CI": ci}
    return subprocess.run(
        [programs / "bash", script], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("ci", "expected_code"), [("", 0), ("true", 1)])
@pytest.mark.parametrize("apt", ["without apt", "with apt"])
def test_what_cannot_be_had_is_named_on_a_line_and_fails_only_in_ci(
    ci: str, expected_code: int, apt: str, tmp_path: Path
) -> None:
    done = run_on_a_bare_machine(tmp_path, ci=ci, has_apt=apt == "with apt")

    missing = {line.split()[1] for line in done.stdout.splitlines() if " is missing: " in line}
    assert (done.returncode, done.stderr) == (expected_code, "")
    assert missing >= {"prometheus", "kustomize", "npm", "zizmor", "actionlint", "chromium"}


def test_a_component_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    stamp = tmp_path / ".cache" / "components" / "kustomize" / ".stamp"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("1", encoding="utf-8")

    lines = run_on_a_bare_machine(tmp_path, ci="", has_apt=True).stdout.splitlines()

    assert "components: kustomize is ready" in lines
    assert any(line.startswith("components: prometheus is missing: ") for line in lines)
