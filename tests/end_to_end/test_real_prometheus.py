"""The same story from a real Prometheus, back-filled with what the mesh's exporters wrote."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import real
from end_to_end import on_github, plain_repository
from end_to_end.conftest import Done

from aiops import connect
from aiops.config_file import load
from aiops.domain import Grid
from aiops.edges import git_history
from aiops.ingest import presets
from aiops.mesh import openmetrics, plant, scenarios
from aiops.report import utc

# Training wants 4 whole days; 2.8 GB of text, a minute or two of promtool, and minutes of training.
pytestmark = [pytest.mark.real, pytest.mark.timeout(1500)]
DAYS = 5  # a run reads 3.5 days at one-minute steps; the 28-day reference reads all there is
SEED = 7
# What the demo's last hour has nothing of: no alert, no Flagger, no Rollout, no VPA, nothing lost or killed.
SILENT = {
    "alerts_firing",
    "canary_status",
    "rollout_phase",
    "vpa_active",
    "lost_calls",
    "oom_killed",
    "waiting_reason",
}


@pytest.fixture(scope="module")
def blocks(tmp_path_factory) -> Path:
    """Return a folder of Prometheus blocks with the demo's last days."""
    real.prometheus(), real.promtool()  # skip before the half minute of simulating
    scene = scenarios.demo(SEED)
    trace = plant.simulate(scene.mesh, scene.start_s, scene.end_s, scene.events, (), SEED)
    folder = tmp_path_factory.mktemp("tsdb")
    real.backfill(openmetrics.text(trace, scene.end_s - DAYS * 86_400), folder)
    return folder


@pytest.fixture(scope="module")
def served(blocks):
    with real.running_prometheus(blocks) as url:
        yield url


@pytest.fixture(scope="module")
def asked(command, built, served, tmp_path_factory) -> Done:
    """Return what one run over the real Prometheus says; each costs it half a minute."""
    world = built.copied(tmp_path_factory.mktemp("asked"))
    point_at(world, served)
    return run(command, world, "--dry-run")


@pytest.fixture
def live(world, served):
    """Return the demo's world, reading the real Prometheus instead of the recording."""
    point_at(world, served)
    return world


def point_at(world, url: str) -> None:
    text = world.config.read_text(encoding="utf-8")
    source = text.split("prometheus: ")[1].splitlines()[0]
    world.set(source, f"{{url: '{url}'}}")


def run(command, world, *more):
    return command("run", "--config", world.config, "--at", world.at, "--format", "json", *more)


def test_a_real_prometheus_leads_to_the_same_pull_requests_as_the_recording(command, world, asked):
    recorded = run(command, world, "--dry-run")
    assert asked.code == 0, asked.err
    assert asked.decisions() == recorded.decisions()
    assert [one["pull_request"]["state"] for one in asked.report["workloads"] if one["pull_request"]] == [
        "dry-run",
        "dry-run",
    ]


def test_prometheus_to_github_both_real_ends_in_the_same_pull_requests(command, live, asked):
    with on_github.running() as server:
        env = on_github.used_by(live, server)
        done = command("run", "--config", live.config, "--at", live.at, "--format", "json", env=env)
        pulls = list(on_github.connected(server).get_repo(on_github.NAME).get_pulls(state="all"))
    assert done.code == 0, done.err
    assert done.decisions() == asked.decisions()
    assert sorted(pull.head.ref.split("/")[1] for pull in pulls) == ["rollback", "scale"]


def test_what_aiops_record_keeps_replays_to_the_same_report(command, live, asked, tmp_path):
    start = live.now_s - DAYS * 86_400  # all there is: how long a workload is known is in the report
    done = command("record", tmp_path / "kept", "--from", start, "--to", live.now_s, "--config", live.config)
    assert done.code == 0, done.err
    text = live.config.read_text(encoding="utf-8")
    live.set(text.split("prometheus: ")[1].splitlines()[0], f"{{recording: {tmp_path / 'kept'}}}")
    assert run(command, live, "--dry-run").report == asked.report


def test_every_preset_query_finds_the_workloads_of_the_mesh(live):
    config = load(live.config)
    metrics = connect.metrics(config, 300)
    scene = scenarios.demo(SEED)
    grid = Grid(live.now_s - 3_600, live.now_s, 60)
    names = {service.name for service in scene.mesh.services}
    for query in presets.signal_queries(("istio", "kubernetes")):
        answer = metrics.read(query, grid)
        found = {labels[query.workload_label] for labels in answer.labels}
        assert found == names, query.name
    for query in presets.context_queries():
        answer = metrics.read(query, grid)
        if query.workload_label:
            found = {labels[query.workload_label] for labels in answer.labels}
            assert bool(found) is (query.name not in SILENT), query.name
            assert found <= names, query.name


def test_the_doctor_finds_nothing_to_do_on_a_real_prometheus(command, live, served):
    done = command("doctor", "--config", live.config, "--at", live.at, "--format", "json")
    assert done.code == 0, done.err
    lines = {(one["name"], one["subject"]): one for one in done.report["checks"]}
    states = {name: one["state"] for (name, _), one in lines.items() if name not in ("workload", "targets")}
    assert states == dict.fromkeys(states, "ok") | {"retention": "warning"}  # 5 days of the 15 for seasons
    assert lines["clock", served]["found"].endswith("s off ours")
    workloads = [one for (name, _), one in lines.items() if name == "workload"]
    assert len(workloads) == 13
    assert {one["found"].split(",")[0] for one in workloads} == {"7 of 7 signals"}


@dataclass(frozen=True)
class Newcomer:
    """What somebody typed who has a Prometheus and a repository, and how each command ended."""

    folder: Path
    typed: tuple[tuple[str, ...], ...]
    ended: tuple[Any, ...]
    took_s: tuple[float, ...]
    settings: bytes  # as `init` wrote them


@pytest.fixture(scope="module")
def newcomer(command, served, tmp_path_factory) -> Newcomer:
    """From nothing to a backtest, in a repository of a layout that nothing else here has."""
    folder, scene = tmp_path_factory.mktemp("newcomer"), scenarios.demo(SEED)
    git_history.write_history(folder / "deploy", plain_repository.history(scene))
    mine = folder / "mine"
    mine.mkdir()
    at, start = utc(scene.end_s), utc(scene.end_s - DAYS * 86_400)
    commands = (
        # The times are there because this Prometheus ends in the past; a live one needs none of them.
        ("init", "--prometheus", served, "--repo", "../deploy", "--at", at),
        ("doctor", "--at", at),
        ("train", "--from", start, "--to", at),
        ("backtest", "--from", utc(scene.end_s - 2 * 3_600), "--to", at, "--format", "json"),
    )
    ended, took_s, settings = [], [], b""
    for words in commands:
        begun = time.monotonic()
        ended.append(command(*words, cwd=mine, timeout_s=700))  # training, on two busy cores
        took_s.append(time.monotonic() - begun)
        settings = settings or (mine / "aiops.yaml").read_bytes()
    return Newcomer(mine, commands, tuple(ended), tuple(took_s), settings)


def test_a_newcomer_gets_from_nothing_to_a_backtest_with_four_commands_and_no_edit(newcomer):
    for words, done, took_s in zip(newcomer.typed, newcomer.ended, newcomer.took_s, strict=True):
        print(f"aiops {words[0]}: {took_s:.0f} s")  # noqa: T201 - `pytest -s` shows what it takes
        assert done.code == 0, done.err
    edits = int((newcomer.folder / "aiops.yaml").read_bytes() != newcomer.settings)
    print(f"{len(newcomer.typed)} commands, {edits} edits, {sum(newcomer.took_s):.0f} s")  # noqa: T201
    assert edits == 0


def test_a_newcomer_sees_the_exporters_and_where_each_workload_is_edited(newcomer):
    init, doctor, _, _ = newcomer.ended
    found = [line.split(":")[0] for line in init.out.splitlines() if line.startswith("found ")]
    assert found == ["found Istio", "found kube-state-metrics", "found cAdvisor"]
    assert init.out.count(" 7/7 ") == 13
    assert "apps/checkout/workload.yaml" in init.out
    assert "0 problems" in doctor.out


def test_a_newcomer_gets_a_page_of_what_was_learned(newcomer):
    page = newcomer.folder / "models" / "mine" / "card.html"
    assert "see whether it learned anything: " in newcomer.ended[2].out
    assert page.read_text().count('class="observed"') >= 4  # signals, and the key


def test_a_newcomer_sees_what_would_have_been_proposed(newcomer):
    found = newcomer.ended[3].report["proposals"]
    acted = {(one["workload"]["name"], one["action"], one["old"], one["new"]) for one in found}
    assert ("checkout", "rollback", "1.15.0", "1.14.3") in acted
    assert {(name, action) for name, action, *_ in acted} == {("checkout", "rollback"), ("search", "scale")}


def test_the_model_a_newcomer_trained_leads_to_the_same_pull_requests(command, live, asked, newcomer):
    trained = newcomer.ended[2]
    assert "seasonal-naive" in trained.out
    live.set("forge: local", f"forge: local\nmodel: {newcomer.folder / 'models' / 'mine'}")
    done = run(command, live)
    assert done.code == 0, done.err
    assert done.decisions() == asked.decisions()
    assert len(live.pulls()) == 2
    acted = [one["scorer"] for one in done.report["workloads"] if one["pull_request"]]
    assert acted == ["lstm", "lstm"]


def test_a_partial_answer_ends_the_run_without_a_pull_request(command, world, blocks):
    dead = f"remote_read: [{{url: 'http://127.0.0.1:{real.free_port()}/read', read_recent: true}}]\n"
    with real.running_prometheus(blocks, "global: {scrape_interval: 1m}\n" + dead) as url:
        point_at(world, url)
        done = run(command, world)
    assert done.code == 20
    assert "partial" in done.err
    assert len([line for line in done.err.splitlines() if line.startswith("error: ")]) == 1
    assert world.pulls() == []


def test_an_empty_prometheus_ends_the_run_without_a_pull_request(command, world, tmp_path):
    with real.running_prometheus(tmp_path / "empty") as url:
        point_at(world, url)
        done = run(command, world)
    assert done.code == 20, done.err
    assert len([line for line in done.err.splitlines() if line.startswith("error: ")]) == 1
    assert world.pulls() == []


def test_a_killed_prometheus_ends_the_run_without_a_pull_request(command, world, blocks):
    with real.running_prometheus(blocks) as url:
        point_at(world, url)
    done = run(command, world)
    assert done.code == 20, done.err
    assert world.pulls() == []
