from __future__ import annotations

import difflib
from collections import Counter

import pytest
import yaml

from aiops.mesh import repository, scenarios
from aiops.mesh.faults import ConfigChange, Deploy
from aiops.mesh.graph import default_mesh
from aiops.mesh.plant import resume, simulate
from aiops.mesh.repository import OTHER, Revision

DEMO = scenarios.demo(1)
HISTORY = repository.history(DEMO.mesh, DEMO.events, DEMO.start_s)
OVERLAY = "clusters/prod-eu/kustomization.yaml"


def commit_of(tag: str, cluster: str = "prod-eu") -> Revision:
    return next(r for r in HISTORY if r.message.endswith(f"-> {tag} ({cluster})"))


def test_every_file_is_yaml_except_templates() -> None:
    for path, content in repository.latest(HISTORY).items():
        if "/templates/" not in path and path != "README.md":
            assert isinstance(yaml.safe_load(content), dict), path


def test_commits_are_in_order_of_time_and_none_is_empty() -> None:
    times = [revision.time_s for revision in HISTORY]
    assert times == sorted(times)
    assert times[-1] < DEMO.end_s
    files: dict[str, bytes | None] = {}
    for revision in HISTORY:
        assert any(files.get(path) != content for path, content in revision.files.items())
        files.update(revision.files)


def test_the_commit_of_a_deploy_stands_one_to_three_minutes_before_it() -> None:
    for event in DEMO.events:
        if isinstance(event, Deploy):
            assert 60 <= event.start_s - commit_of(event.tag).time_s <= 180


def test_a_deploy_changes_one_line_of_one_file() -> None:
    files: dict[str, bytes | None] = {}
    for revision in HISTORY:
        if "->" in revision.message:
            assert len(revision.files) == 1
            ((path, content),) = revision.files.items()
            before, after = (files[path] or b"").decode(), (content or b"").decode()
            changed = difflib.ndiff(before.splitlines(), after.splitlines())
            assert Counter(line[0] for line in changed if line[0] in "+-") == {"+": 1, "-": 1}
        files.update(revision.files)


def test_the_files_say_what_the_plant_runs() -> None:
    controls = repository.controls_from(DEMO.mesh, repository.latest(HISTORY), DEMO.end_s)
    assert {service.name for service in DEMO.mesh.services} == {control.service for control in controls}
    events = DEMO.events
    trace = simulate(DEMO.mesh, DEMO.end_s - 7200, DEMO.end_s, events, seed=1)
    for control in controls:
        there = trace.standing[control.service]
        assert there.asked.generations[-1].tag == control.tag
        if there.service.autoscale is None:
            assert there.asked.replicas[-1] == control.replicas
        else:
            bounds = (there.asked.minimum[-1], there.asked.maximum[-1])
            assert bounds == (control.minimum, control.maximum)


def test_unchanged_files_change_nothing_and_an_edit_reaches_the_plant() -> None:
    files = repository.latest(HISTORY)
    trace = simulate(DEMO.mesh, DEMO.end_s - 7200, DEMO.end_s, DEMO.events, seed=1)
    same = resume(trace, repository.controls_from(DEMO.mesh, files, DEMO.end_s), DEMO.end_s + 1800)
    plain = resume(trace, (), DEMO.end_s + 1800)
    assert (same.running["search"].latency == plain.running["search"].latency).all()
    edited = files[OVERLAY].replace(b"name: search\n    count: 2", b"name: search\n    count: 4")
    edited = edited.replace(b'newTag: "1.15.0"', b'newTag: "1.14.3"')
    edits = {
        **files,
        OVERLAY: edited,
        "clusters/prod-eu/web-hpa.yaml": files["clusters/prod-eu/web-hpa.yaml"].replace(b": 8", b": 12"),
        "apps/payment/values-prod-eu.yaml": files["apps/payment/values-prod-eu.yaml"].replace(b": 2", b": 3"),
    }
    on = resume(trace, repository.controls_from(DEMO.mesh, edits, DEMO.end_s), DEMO.end_s + 1800)
    assert on.standing["search"].replicas.wanted[-1] == 4
    assert on.standing["payment"].replicas.wanted[-1] == 3
    assert on.standing["web"].asked.maximum[-1] == 12
    assert on.standing["checkout"].asked.generations[-1].tag == "1.14.3"
    assert on.running["search"].shed[-1] < 1e-6 < plain.running["search"].shed[-1]


def test_the_other_cluster_lags_a_day_and_has_its_own_values() -> None:
    files = repository.latest(HISTORY)
    there = yaml.safe_load(files[f"clusters/{OTHER}/kustomization.yaml"])
    tags = {entry["name"].rpartition("/")[2]: entry["newTag"] for entry in there["images"]}
    assert tags["checkout"] == "1.14.3"
    assert commit_of("1.14.3", OTHER).time_s - commit_of("1.14.3").time_s == 86_400


@pytest.mark.parametrize("change", [ConfigChange("cart", DEMO.end_s - 600, "blue")])
def test_a_configuration_change_is_a_commit_without_a_tag(change: ConfigChange) -> None:
    (last,) = repository.history(default_mesh(), (change,), DEMO.start_s)[2:]
    before = repository.latest(repository.history(default_mesh(), (), DEMO.start_s))
    assert list(last.files) == [OVERLAY]
    after = yaml.safe_load(last.files[OVERLAY] or b"")
    assert yaml.safe_load(before[OVERLAY])["images"] == after["images"]
    assert after["configMapGenerator"][0]["literals"] == ["REVISION=blue"]
