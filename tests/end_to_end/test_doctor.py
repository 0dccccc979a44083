"""What `aiops doctor` says of the demo's world, whole and broken: one line each, and an exit code."""

from __future__ import annotations

import json

import real

from aiops.commands import doctor


def looked(capsys, world):
    """Return (exit code, lines by name): the same process, so that imports cost once."""
    code = doctor.doctor(world.config, None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["exit_code"]) == ("aiops.doctor/1", code)
    return code, {(one["name"], one["subject"]): one for one in found["checks"]}


def states(lines, name):
    return {one["state"] for (what, _), one in lines.items() if what == name}


def test_a_world_that_is_ready_ends_with_0_and_names_every_workload_and_signal(capsys, world):
    code, lines = looked(capsys, world)

    assert code == 0
    for name in ("prometheus", "retention", "gaps", "targets", "signal", "repository", "forge", "model"):
        assert states(lines, name) == {"ok"}, name
    assert len([what for what, _ in lines if what == "workload"]) == 13
    checkout = lines["workload", "prod-eu/shop/Deployment/checkout"]
    assert checkout["state"] == "ok"
    assert checkout["found"] == "7 of 7 signals, image in clusters/prod-eu/kustomization.yaml"
    assert "known for 1 h" in lines["workload", "prod-eu/shop/Deployment/wishlist"]["found"]


def test_a_dead_prometheus_is_one_line_with_the_next_step_and_the_rest_is_checked(capsys, world):
    world.set("{recording: ", f"{{url: 'http://user:secret@127.0.0.1:{real.free_port()}'}} # {{recording: ")
    code, lines = looked(capsys, world)

    assert code == 20
    (line,) = [one for (what, _), one in lines.items() if one["state"] == "problem"]
    assert (line["found"].endswith("connection refused"), "is Prometheus running" in line["todo"]) == (
        True,
        True,
    )
    assert "secret" not in json.dumps(list(lines.values()))
    assert states(lines, "repository") == states(lines, "model") == {"ok"}
    assert states(lines, "workload") == set()


def test_the_worst_problem_decides_and_a_workload_without_a_manifest_says_so(capsys, world):
    world.set("base: main", "base: nowhere")
    code, lines = looked(capsys, world)

    assert (code, lines["repository", ""]["todo"]) == (
        2,
        "set repository.base to a branch that exists",
    )
    world.set("base: nowhere", "base: main")
    world.set("match: {cluster: prod-eu}", "match: {cluster: elsewhere}")
    code, lines = looked(capsys, world)
    assert code == 0
    assert "image: " in lines["workload", "prod-eu/shop/Deployment/checkout"]["found"]


def test_a_model_that_is_refused_is_a_warning_because_the_forest_takes_over(capsys, world):
    (world.folder / "mine").mkdir()
    (world.folder / "mine" / "card.json").write_text("{}")
    world.set("forge: local", "forge: local\nmodel: mine")
    code, lines = looked(capsys, world)

    assert (code, lines["model", "mine"]["state"]) == (0, "warning")
    assert "isolation forest" in lines["model", "mine"]["todo"]


def test_a_model_that_nobody_has_trained_yet_is_a_warning_because_the_starter_scores(capsys, world):
    world.set("forge: local", "forge: local\nmodel: models/mine")
    code, lines = looked(capsys, world)

    assert (code, lines["model", "starter"]["state"]) == (0, "warning")
    assert "the starter model scores until `aiops train`" in lines["model", "starter"]["found"]


def test_an_alertmanager_that_does_not_answer_is_a_warning_where_one_is_named(capsys, world):
    world.set("forge: local", f"forge: local\nalertmanager: {{url: 'http://127.0.0.1:{real.free_port()}'}}")
    code, lines = looked(capsys, world)

    (line,) = [one for (what, _), one in lines.items() if what == "alertmanager"]
    assert (code, line["state"], line["found"]) == (0, "warning", "connection refused")


def test_the_table_is_plain_and_aligned_in_a_pipe_and_a_broken_file_is_one_line(capsys, world):
    assert doctor.doctor(world.config, None, as_json=False) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert "\x1b" not in out
    assert {line.index("ok") for line in lines if line.startswith("ok ")} == {0}
    assert lines[0].index("WHAT") == lines[1].index("settings")
    assert lines[-1] == "0 problems, 1 warnings, 0 not known; exit code 0"

    world.set("forge: local", "forgery: local")
    assert doctor.doctor(world.config, None, as_json=False) == 2
    assert "did you mean 'forge'?" in capsys.readouterr().err
