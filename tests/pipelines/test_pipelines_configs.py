"""Every configuration in pipelines/ is one that aiops loads, and every command one that it knows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import real
import yaml

from aiops.cli import app
from aiops.config_file import load

PIPELINES = real.CHECKOUT / "pipelines"
CONFIGS = ("prometheus.yaml", "recording.yaml")
KUBERNETES = ("kubernetes-cronjob.yaml", "kubernetes-two-pods.yaml")
COMMAND = re.compile(r"\baiops (?:run|propose|record|train|score|where)\b[^|>;&#\n\"`]*")


def kubernetes_config(name: str) -> str:
    """Return the aiops.yaml that a CronJob mounts."""
    documents = yaml.safe_load_all((PIPELINES / name).read_text(encoding="utf-8"))
    (config,) = [document for document in documents if document["kind"] == "ConfigMap"]
    return str(config["data"]["aiops.yaml"])


@pytest.mark.parametrize("name", [*CONFIGS, *KUBERNETES])
def test_a_configuration_loads(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = kubernetes_config(name) if name not in CONFIGS else (PIPELINES / name).read_text(encoding="utf-8")
    monkeypatch.setenv("PROMETHEUS_TOKEN", "canary")
    file = tmp_path / "aiops.yaml"
    file.write_text(text, encoding="utf-8")

    config = load(file)

    expected = ("local", None) if name == "recording.yaml" else ("github", "acme/gitops")
    assert (config.forge, config.repository.github) == expected
    assert "canary" not in repr(config)


@pytest.mark.parametrize("name", ["prometheus.yaml", *KUBERNETES])
def test_the_proposing_half_loads_the_configuration_with_an_empty_prometheus_token(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = kubernetes_config(name) if name not in CONFIGS else (PIPELINES / name).read_text(encoding="utf-8")
    monkeypatch.setenv("PROMETHEUS_TOKEN", "")
    file = tmp_path / "aiops.yaml"
    file.write_text(text, encoding="utf-8")

    (source,) = load(file).prometheus

    assert not source.auth.bearer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("github-actions.yaml", ["run", "propose"]),
        ("kubernetes-cronjob.yaml", ["run", "propose"]),
        ("kubernetes-two-pods.yaml", ["run", "propose"]),
        ("recording.yaml", ["record", "run"]),
    ],
)
def test_every_command_written_down_is_one_that_the_program_understands(
    name: str, expected: list[str]
) -> None:
    text = (PIPELINES / name).read_text(encoding="utf-8")
    found = [shlex.split(line)[1:] for line in COMMAND.findall(text.replace(", ", " ").replace("]", ""))]

    assert [command for command, *_ in found] == expected
    for command, *arguments in found:
        app.commands[command].make_context(command, arguments)  # raises on what it does not know
