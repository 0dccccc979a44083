"""Pull requests as a reviewer gets them, from the metrics of a simulated shop.

Comes in: the seed of a stage of `bench.decisions`. Goes out: for each story the pull request that a run
opens, and the comment that a later run writes below it, byte for byte what a forge holds. A person
merges at once; what was merged is deployed, and the incident ends by it or it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bench.bodies import stormy
from bench.decisions import judge, scenario
from bench.decisions.hosted import HeldForge
from bench.decisions.loop import SYNC_S
from bench.decisions.scenario import Scene
from bench.decisions.stage import DAY, MINUTE, stage
from bench.decisions.told import Kept, Told

from aiops.mesh import repository
from aiops.mesh.faults import Control
from aiops.mesh.plant import simulate

SEED = 101  # the stage to look at while rules change; 401 and up judge


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario of bench/decisions, and when somebody looks again after the merge.

    `shows`: which pull request, "comment" for what stands below the first one, or "issue" for that of
    `stormy`, which has no file. `happens`: in place of what the file says, () = as it says.
    """

    name: str
    scenario: str
    later_min: tuple[int, ...] = ()
    shows: int | str = 1
    happens: tuple[Mapping[str, Any], ...] = ()


STORIES = (
    Story("rollback", "release-errors"),
    Story("replicas", "surge-fixed-replicas"),
    Story("autoscaler", "hpa-maxed"),
    Story("cannot-start", "release-image-pull"),
    # Half a day without an incident and a whole one since the merge; the load was over long before.
    Story(
        "give-back",
        "hpa-maxed",
        (25 * 60,),
        shows=2,
        happens=({"surge": "scaled", "ago_min": 45, "for_min": 90, "load": 1.5},),
    ),
    Story("helped", "release-errors", (130,), shows="comment"),
    # More than one step of a proposal can serve.
    Story(
        "no-help",
        "surge-fixed-replicas",
        (75,),
        shows="comment",
        happens=({"surge": "alone", "ago_min": 45, "load": 2.4},),
    ),
    Story("storm", "half of all connections fail", shows="issue"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a forge shows: a title over a body, or "" over a comment."""

    story: Story
    title: str
    text: str


def play(story: Story, seed: int = SEED) -> Shown:
    """Run, merge, deploy and look again; return what is shown. Raises LookupError when it is not there."""
    if story.shows == "issue":
        issue = stormy.storm(seed).tracked[0]
        return Shown(story, issue.title, issue.body)
    forge = HeldForge()
    scene = _scene(story, seed)
    manifests = judge.manifests(scene)
    controls: tuple[Control, ...] = ()
    calm = _calm(scene, max(story.later_min, default=0))
    for at_min in (0, *story.later_min):
        now_s = scene.stage.now_s + at_min * MINUTE
        shown = replace(scene, stage=replace(scene.stage, now_s=now_s))
        judge.run_with(shown, _metrics(shown, controls, calm), manifests, forge)
        if at_min == 0:
            for pull in forge.pulls():
                forge.merge(pull, manifests, now_s)
            files = manifests.files(manifests.head("main")).content
            controls = repository.controls_from(scene.stage.mesh, files, now_s + SYNC_S)
    if story.shows == "comment":
        said = next((text for number, text in forge.comments if number == 1), "")
        if not said:
            raise LookupError(f"{story.name}: nobody said whether it helped")
        return Shown(story, "", said)
    pull = next((one for one in forge.kept if one.number == story.shows), None)
    if pull is None:
        raise LookupError(f"{story.name}: pull request {story.shows} was not opened")
    return Shown(story, pull.title, pull.body)


def _scene(story: Story, seed: int) -> Scene:
    """Return the story on its stage; one that looks again a day later needs the week before."""
    found = next(one for one in scenario.load() if one.name == story.scenario)
    there = stage(seed)
    if max(story.later_min, default=0) >= DAY // MINUTE:
        there = replace(there, start_s=there.start_s - 6 * DAY)
    return scenario.play(replace(found, happens=story.happens) if story.happens else found, there)


def _calm(scene: Scene, later_min: int) -> Kept:
    """Return the answers of the stage without the story, until the last look."""
    there, end_s = scene.stage, scene.stage.now_s + later_min * MINUTE
    what = f"bodies {there.mesh!r} {there.events!r} {there.start_s} {end_s} {there.seed}"
    return Kept(what, lambda: simulate(there.mesh, there.start_s, end_s, there.events, (), there.seed))


def _metrics(scene: Scene, controls: tuple[Control, ...], calm: Kept) -> Told:
    there = scene.stage
    trace = simulate(there.mesh, there.start_s, there.now_s, scene.events, controls, there.seed)
    return Told(calm, Kept("", lambda: trace, _arrays={}), scene.fork_s, there.now_s)
