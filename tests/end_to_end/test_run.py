"""The whole road on the demo's recording, through the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess

import jsonschema
import pytest
import real
from end_to_end import seeds

from aiops.report import utc

SCHEMA = json.loads((real.CHECKOUT / "aiops" / "report.schema.json").read_text(encoding="utf-8"))


def run(command, world, *more):
    return command("run", "--config", world.config, "--at", world.at, "--format", "json", *more)


def test_two_incidents_get_a_pull_request_and_everything_else_is_left_alone(command, world):
    done = run(command, world, "--export", world.folder)
    assert done.code == 0, done.err
    told = (world.folder / "aiops-whole.prom").read_text(encoding="utf-8")
    assert 'aiops_run_proposals{action="rollback",half="whole",state="opened"} 1.0' in told
    assert told.count("\naiops_predicted_load{") > 5
    jsonschema.validate(done.report, SCHEMA)
    actions = sorted(action for action, _, _ in done.decisions().values())
    assert actions == ["rollback", "scale"]
    judged = {one["workload"]["name"]: one for one in done.report["workloads"]}
    acted = {name: judged[name] for name in done.decisions()}
    drawn = [one["incident"]["series"][0] for one in acted.values()]
    assert all(series["observed"][-1] > max(filter(None, series["upper"])) for series in drawn)
    assert {one["scorer"] for one in acted.values()} == {"lstm"}
    assert {one["pull_request"]["state"] for one in acted.values()} == {"opened"}
    others = [one for name, one in judged.items() if name not in acted]
    assert [one["pull_request"] for one in others] == [None] * len(others)
    assert "learning" in {one["verdict"] for one in others}


def test_a_second_run_opens_nothing(command, world):
    assert run(command, world, "--detailed-exitcode").code == 10
    first = world.pulls()
    done = run(command, world, "--detailed-exitcode")
    assert done.code == 0, done.err
    assert world.pulls() == first
    states = [one["pull_request"]["state"] for one in done.report["workloads"] if one["pull_request"]]
    assert states == ["exists", "exists"]


def test_a_pull_request_is_closed_when_the_repository_has_its_value_already(command, world):
    run(command, world)
    pulls, git = world.pulls(), ["git", "-C", str(world.folder / "gitops.git")]
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    make = [*git, *who, "commit-tree", f"{pulls[0]['branch']}^{{tree}}", "-p", "main", "-m", "by hand"]
    by_hand = subprocess.run(make, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([*git, "update-ref", "refs/heads/main", by_hand], check=True)
    done = run(command, world)
    jsonschema.validate(done.report, SCHEMA)
    (followed,) = done.report["followed"]
    assert (followed["number"], followed["state"], followed["outcome"]) == (1, "closed", "changed")
    assert [one["state"] for one in world.pulls()] == ["closed", "open"]
    said = f"<!-- aiops:1 outcome=changed -->\n\n{followed['comment']}"
    assert [one["body"] for one in world.pulls()[0]["comments"]] == [said]
    assert run(command, world).report["followed"] == []
    assert {one["proposed"] for one in done.report["reviews"]} == {1}


def test_a_paused_repository_gets_nothing(command, world):
    git = ["git", "-C", str(world.folder / "gitops.git")]
    blob = subprocess.run([*git, "hash-object", "-w", "--stdin"], input=b"", capture_output=True, check=True)
    entry = f"100644,{blob.stdout.decode().strip()},.aiops/pause"
    env = {**os.environ, "GIT_INDEX_FILE": str(world.folder / "index")}
    subprocess.run([*git, "read-tree", "main"], check=True, env=env)
    subprocess.run([*git, "update-index", "--add", "--cacheinfo", entry], check=True, env=env)
    tree = (
        subprocess.run([*git, "write-tree"], check=True, capture_output=True, env=env).stdout.decode().strip()
    )
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    made = subprocess.run(
        [*git, *who, "commit-tree", tree, "-p", "main", "-m", "pause"], check=True, capture_output=True
    )
    subprocess.run([*git, "update-ref", "refs/heads/main", made.stdout.decode().strip()], check=True)
    done = run(command, world)
    assert done.code == 0, done.err
    assert world.pulls() == []
    assert " ".join(one["reason"] for one in done.report["workloads"]).count("G-PAUSE") == 2


@pytest.mark.parametrize("closed_at", [None, "2026-03-18T22:30:00Z"])
def test_what_a_person_closed_is_not_opened_again(command, world, closed_at):
    run(command, world)
    for path in (world.folder / "gitops.git.forge" / "pulls").glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**document, "state": "closed", "closed_at": closed_at}), encoding="utf-8")
    done = run(command, world, "--detailed-exitcode")
    assert done.code == 0, done.err
    assert [pull["state"] for pull in world.pulls()] == ["closed", "closed"]
    reasons = " ".join(one["reason"] for one in done.report["workloads"])
    # Without a time, the file's own age counts: later than this run's `--at`, so it was open then.
    assert reasons.count("G-VETO") == (2 if closed_at else 0)


def test_each_pull_request_changes_one_line_of_one_file(command, world):
    run(command, world)
    assert len(world.pulls()) == 2
    for pull in world.pulls():
        numbers = subprocess.run(
            [
                "git",
                "-C",
                world.folder / "gitops.git",
                "diff",
                "--numstat",
                pull["base_sha"],
                pull["head_sha"],
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert numbers[:2] == ["1", "1"]
        assert len(numbers) == 3
        assert numbers[2].startswith(("clusters/prod-eu/", "apps/"))


def test_a_dry_run_prints_the_pull_request_and_writes_nothing(command, world):
    before = sorted(path for path in world.folder.rglob("*"))
    done = command("run", "--config", world.config, "--at", world.at, "--dry-run")
    assert done.code == 0, done.err
    assert done.out.count("dry-run: ") == 2
    assert "xychart-beta" in done.out
    assert sorted(path for path in world.folder.rglob("*")) == before


def test_the_two_halves_open_what_one_process_opens(command, world, built, tmp_path):
    plan = tmp_path / "plan.json"
    analysed = command("run", "--config", world.config, "--at", world.at, "--plan", plan)
    assert analysed.code == 0, analysed.err
    assert world.pulls() == []
    world.set("prometheus: {recording: ", "prometheus: {recording: /nowhere")
    proposed = command(
        "propose", "--plan", plan, "--config", world.config, "--at", world.at, "--format", "json"
    )
    assert proposed.code == 0, proposed.err
    jsonschema.validate(proposed.report, SCHEMA)
    assert len(world.pulls()) == 2


def test_a_plan_that_somebody_changed_is_refused(command, world, tmp_path):
    plan = tmp_path / "plan.json"
    command("run", "--config", world.config, "--at", world.at, "--plan", plan)
    text = plan.read_text(encoding="utf-8")
    document = json.loads(text)
    document["base_sha"] = "0" * 40
    plan.write_text(json.dumps(document), encoding="utf-8")
    done = command("propose", "--plan", plan, "--config", world.config, "--at", world.at)
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert world.pulls() == []


def test_a_stale_plan_is_dropped(command, world, tmp_path):
    plan = tmp_path / "plan.json"
    command("run", "--config", world.config, "--at", world.at, "--plan", plan)
    later = str(world.now_s + 3_600)
    done = command("propose", "--plan", plan, "--config", world.config, "--at", later, "--format", "json")
    assert world.pulls() == []
    assert [one["pull_request"] for one in done.report["workloads"]] == [None] * len(done.report["workloads"])


def test_until_a_model_is_trained_the_starter_scores_and_says_so(command, world):
    plain = run(command, world)
    world.set("forge: local", "forge: local\nmodel: models/mine")
    done = run(command, world)
    assert "models/mine yet: the starter model scores until `aiops train`" in done.err
    assert done.report["workloads"][0]["score"] == plain.report["workloads"][0]["score"]


def test_without_a_usable_model_the_forest_takes_over_and_says_so(command, world):
    (world.folder / "card.json").write_text("{}")
    world.set("forge: local", "forge: local\nmodel: .")
    done = run(command, world)
    assert "isolation forest" in done.err
    scorers = {one["scorer"] for one in done.report["workloads"] if one["verdict"] != "no-data"}
    assert "lstm" not in scorers
    assert "forest" in scorers
    reasons = {one["fallback_reason"] for one in done.report["workloads"] if one["scorer"] == "forest"}
    assert None not in reasons


def test_explain_prints_every_rule_that_was_asked_and_leaves_a_document_alone(command, world):
    flags = ("run", "--config", world.config, "--at", world.at, "--dry-run", "--explain", "shop/checkout")
    told, document = command(*flags), command(*flags, "--format", "json")

    assert "  rule      " in told.out
    assert "  decision  " in told.out
    assert document.decisions()["checkout"][0] == "rollback"
    assert "  rule      " in document.err


def test_the_sample_in_the_readme_is_what_a_run_of_the_demo_prints(command, world):
    readme = (real.CHECKOUT / "README.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```text\n(WORKLOAD .*?)```", readme, re.DOTALL)
    told = command("run", "--config", world.config, "--at", world.at).out

    lines = [line for line in sample.splitlines() if line != "..."]
    assert [line for line in lines if line not in told.splitlines()] == []
    assert len(lines) == len(set(lines)) == 13


@pytest.mark.parametrize("flag", ["--at", "--explain"])
def test_a_wrong_flag_is_one_line_and_exit_2(command, world, flag):
    flags = ("--at", world.at, "--dry-run", flag, "nonsense", "--format", "json")
    done = command("run", "--config", world.config, *flags)
    assert (done.code, done.report["exit_code"], len(done.report["errors"])) == (2, 2, 1)
    assert len([line for line in done.err.splitlines() if line.startswith("error: ")]) == 1


def test_python_without_assertions_is_refused(world):
    import sys

    done = subprocess.run(
        [sys.executable, "-O", "-m", "aiops", "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "python -O" in done.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_decides_the_same(seed):
    assert seeds.decided(seeds.story(seed)) == (
        ("checkout", "rollback", "image.tag", "lstm"),
        ("search", "scale", "replicas", "lstm"),
    )


def test_a_cache_makes_no_difference_and_is_no_condition(command, world, tmp_path):
    def planned(at: str) -> tuple[bytes, str]:
        done = command("run", "--config", world.config, "--at", at, "--plan", tmp_path / "plan.json")
        assert done.code == 0, done.err
        return (tmp_path / "plan.json").read_bytes(), done.err

    cold, said = planned(world.at)
    assert "warning" not in said
    world.set("forge: local", f"forge: local\ncache: {tmp_path / 'cache'}")
    planned(utc(world.now_s - 3_600))
    kept = {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()}
    warm, _ = planned(world.at)
    assert warm == cold
    now = {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()}
    assert kept.keys() & now.keys()
    assert kept != now

    world.set(f"cache: {tmp_path / 'cache'}", f"cache: {world.config}")
    blocked, said = planned(world.at)
    assert blocked == cold
    assert "warning: cache: cannot write" in said
