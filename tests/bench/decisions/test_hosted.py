"""The repository and forge in memory answer as the real ones do."""

from __future__ import annotations

import pytest
from bench.decisions import hosted, judge, scenario
from bench.decisions.stage import stage

from aiops.edges import git_history
from aiops.edges.git import GitRepository
from aiops.mesh import repository


@pytest.fixture(scope="module")
def revisions():
    (one,) = scenario.only(scenario.load(), ["release-errors-helm"])
    scene = scenario.play(one, stage(101))
    return repository.history(scene.stage.mesh, scene.events, scene.stage.start_s)


@pytest.fixture(scope="module")
def both(revisions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("git") / "gitops.git"
    git_history.write_history(folder, revisions)
    return hosted.held(revisions), GitRepository(folder)


def test_the_newest_commit_has_the_same_files(both):
    held, real = both
    ours, theirs = held.files(held.head("main")), real.files(real.head("main"))
    assert dict(ours.tree()) == dict(theirs.tree())
    assert all(ours.read(path) == theirs.read(path) for path in ours.tree())


def test_the_history_of_a_file_is_the_same(both):
    held, real = both
    for path in held.files(held.head("main")).tree():
        ours = held.commits(held.head("main"), path, 40)
        theirs = real.commits(real.head("main"), path, 40)
        assert [(c.time_s, c.subject, c.paths) for c in ours] == [
            (c.time_s, c.subject, c.paths) for c in theirs
        ], path


def test_a_merged_proposal_is_the_newest_commit(revisions):
    held, forge = hosted.held(revisions), hosted.HeldForge()
    before = held.head("main")
    (one,) = scenario.only(scenario.load(), ["release-crash-loop-helm"])
    scene = scenario.play(one, stage(101))
    held = judge.manifests(scene)
    found = judge.run_with(scene, judge.told(scene, judge.calm(scene.stage)), held, forge)
    (pull,) = forge.pulls()
    assert [sent.state for sent in found.sent.values()] == ["opened"]
    forge.merge(pull, held, scene.stage.now_s)
    assert [one.state for one in forge.pulls()] == ["merged"]
    assert held.head("main") != before
    path = next(iter(forge.proposals[1].files))
    assert held.files(held.head("main")).read(path) == forge.proposals[1].files[path]
