"""What somebody silenced in Alertmanager is told and left alone; what nobody silenced goes on."""

from __future__ import annotations

import json

import wire


def test_a_silence_holds_the_rollback_of_its_workload_and_nothing_else(command, world):
    silence = {
        "id": "0b1f3c52-a1d4-4f6e-9d60-2a6f1f6f9e11",
        "startsAt": "2026-01-01T00:00:00.000Z",
        "endsAt": "2027-01-01T00:00:00.000Z",
        "comment": "we are on it",
        "createdBy": "ada",
        "matchers": [
            {"name": "namespace", "value": "shop", "isRegex": False, "isEqual": True},
            {"name": "deployment", "value": "check.*", "isRegex": True, "isEqual": True},
        ],
    }
    with wire.serving(wire.fixed(200, json.dumps([silence]).encode())) as server:
        world.set("forge: local", f"forge: local\nalertmanager: {{url: '{server.url}'}}")
        done = command("run", "--config", world.config, "--at", world.at, "--format", "json")
    assert done.code == 0, done.err
    assert [action for action, _, _ in done.decisions().values()] == ["scale"]
    checkout = next(one for one in done.report["workloads"] if one["workload"]["name"] == "checkout")
    assert (checkout["decision"]["rule"], checkout["diagnosis"]["cause"]) == ("G-SILENCE", "bad-release")
    assert "of ada until 2027-01-01 00:00 UTC: we are on it" in checkout["reason"]
    assert len(world.pulls()) == 1
