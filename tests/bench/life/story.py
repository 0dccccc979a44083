"""A month of eight workloads, and of the people who review: what happens, and who does what about it.

Comes in: a seed. Goes out: scores by the minute, the repository as people and merges leave it, and
what is true: when an episode ends, and which merge ended it. What the detector would see is drawn
here, not detected; the machine that turns scores into incidents is the real one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from bench.chaos.world import manifest, workload
from bench.decisions.hosted import HeldForge, HeldRepository, held
from numpy.typing import NDArray

from aiops.domain import PullRequest
from aiops.mesh.repository import Revision
from aiops.propose import marker

MINUTE, HOUR, DAY = 60, 3_600, 86_400
START_S = 1_792_800_000
NAMES = tuple(f"w{number}" for number in range(8))
OWN = {marker.workload_hash(workload(name)): name for name in NAMES}
SYNC_S = 10 * MINUTE  # from a merge to pods that run it
CALM_RPS, HIGH_RPS, POD_RPS = 10.0, 26.0, 10.0


@dataclass(slots=True)
class Episode:
    """Something goes wrong with one workload. `cures`: whether the right change ends it.

    `end_s`: when it ends by itself, or when the merge of `cured_by` arrived.
    """

    name: str
    kind: str
    start_s: int
    end_s: int
    cures: bool
    tag: str
    cured_by: int | None = None


def drawn(*parts: object) -> float:
    """Return 0..1, the same for the same parts whatever was drawn before: schedules must not matter."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(slots=True)
class Story:
    """The month so far. `scores`: [W, minutes], NaN = no samples."""

    seed: int
    days: int
    episodes: list[Episode] = field(default_factory=list)
    files: HeldRepository = field(init=False)
    forge: HeldForge = field(default_factory=HeldForge)
    scores: NDArray[np.float32] = field(init=False)
    before: dict[int, str] = field(default_factory=dict)  # episode -> the tag that its release replaced
    _due: list[tuple[int, str, int]] = field(default_factory=list)
    _noise: NDArray[np.float32] = field(init=False)
    _known: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        shape = (len(NAMES), self.days * DAY // MINUTE)
        self._noise = np.where(rng.random(shape) < 0.01, 1.5, 0.4).astype(np.float32)
        for row in range(len(NAMES)):  # half an hour without samples, now and then
            for at in rng.integers(0, shape[1], self.days // 5):
                self._noise[row, at : at + 30] = np.nan
        first = {f"apps/{name}.yaml": manifest(name, 2, "1.0") for name in NAMES}
        self.files = held([Revision(START_S - 60 * DAY, "ann", "first", first)])
        for name in NAMES:
            at_s, number = START_S + int(rng.integers(12 * HOUR, 3 * DAY)), 0
            while at_s < START_S + (self.days - 1) * DAY:
                number += 1
                kind = "release" if rng.random() < 0.5 else "load"
                lasts_s = int(rng.integers(25 * MINUTE, 14 * HOUR))
                cures, tag = bool(rng.random() < 0.7), f"1.{number}"
                self.episodes.append(Episode(name, kind, at_s, at_s + lasts_s, cures, tag))
                soon = rng.random() < 0.2
                at_s += lasts_s + int(rng.integers(*((HOUR, 20 * HOUR) if soon else (30 * HOUR, 5 * DAY))))
        self.scores = np.array(self._noise)
        for episode in self.episodes:
            self._draw(episode)
            if episode.kind == "release":
                self._due.append((episode.start_s - 2 * MINUTE, "release", self.episodes.index(episode)))
                self._due.append((episode.end_s, "next", self.episodes.index(episode)))

    def until(self, now_s: int) -> None:
        """Let happen what is due: releases, and what people do about the pull requests they see."""
        while True:
            self._notice()
            due = sorted(one for one in self._due if one[0] <= now_s)
            if not due:
                return
            self._due.remove(due[0])
            at_s, what, number = due[0]
            self._act(at_s, what, number)

    def episode(self, name: str, onset_s: int) -> Episode | None:
        """Return what an onset belongs to."""
        mine = [one for one in self.episodes if one.name == name and one.start_s - 30 * MINUTE <= onset_s]
        last = max(mine, key=lambda one: one.start_s, default=None)
        return last if last is not None and onset_s <= last.end_s else None

    def value(self, name: str) -> tuple[int, str]:
        """Return (replicas, tag) of the base branch."""
        text = self.files.files(self.files.head("main")).read(f"apps/{name}.yaml").decode()
        replicas = text.split("replicas: ")[1].split("\n")[0]
        return int(replicas), text.rsplit(":", 1)[1].strip()

    def peak(self, name: str, now_s: int) -> float:
        """Return the highest req/s of the last day and of the coming day a week ago."""
        spans = ((now_s - DAY, now_s), (now_s - 7 * DAY, now_s - 6 * DAY))
        busy = [one for one in self.episodes if one.name == name and one.kind == "load"]
        high = any(one.start_s <= b and one.end_s >= a for one in busy for a, b in spans)
        return HIGH_RPS if high else CALM_RPS

    def _notice(self) -> None:
        """Let people decide about what was opened since: when, and what, drawn once per episode and value."""
        for pull in self.forge.kept[self._known :]:
            mark = marker.parse(pull.body)
            assert mark is not None
            key = (self.seed, mark.workload, mark.trigger, mark.field)
            slow = drawn("slow", *key) < 0.5
            delay_s = int((0.2 + drawn("delay", *key) * 5.8) * HOUR) if slow else 20 * MINUTE
            choice = drawn("what", *key)
            what = "merge" if choice < 0.6 else "close" if choice < 0.8 else "by hand" if choice < 0.9 else ""
            if what:
                self._due.append((pull.created_at_s + delay_s, what, pull.number))
        self._known = len(self.forge.kept)

    def _act(self, at_s: int, what: str, number: int) -> None:
        if what in ("release", "next"):
            episode = self.episodes[number]
            if what == "next" and episode.cured_by is not None:
                return  # nothing to hurry for: it was rolled back
            tag = episode.tag if what == "release" else f"{episode.tag}.1"
            if what == "release":
                self.before[number] = self.value(episode.name)[1]
            self._commit(at_s, "ann", episode.name, self.value(episode.name)[0], tag)
            return
        pull = self.forge.kept[number - 1]
        if pull.state != "open":
            return
        if what == "merge":
            self.forge.merge(pull, self.files, at_s)
            self._cure(pull, at_s)
            return
        self.forge.kept[number - 1] = _closed(pull, at_s)
        if what == "by hand":
            name, mark = about(pull)
            replicas, tag = self.value(name)
            if mark.action == "scale":
                replicas = int(mark.new)
            else:
                tags = [tag for n in range(100) for tag in (f"1.{n}", f"1.{n}.1")]
                tag = next(one for one in tags if marker.value(one) == mark.new)
            self._commit(at_s + HOUR, "ann", name, replicas, tag)
            self._cure(pull, at_s + HOUR)

    def _cure(self, pull: PullRequest, at_s: int) -> None:
        name, mark = about(pull)
        if mark.trigger == marker.BACK:
            return
        for episode in self.episodes:
            right = (episode.kind == "load") == (mark.action == "scale")
            goes_on = episode.start_s <= at_s < episode.end_s - SYNC_S
            if episode.name == name and right and episode.cures and goes_on:
                episode.end_s, episode.cured_by = at_s + SYNC_S, pull.number
                self._draw(episode)

    def _commit(self, at_s: int, who: str, name: str, replicas: int, tag: str) -> None:
        self.files.add(Revision(at_s, who, "by hand", {f"apps/{name}.yaml": manifest(name, replicas, tag)}))

    def _draw(self, episode: Episode) -> None:
        row = NAMES.index(episode.name)
        first = (episode.start_s - START_S) // MINUTE
        tail = self._noise[row, first:].copy()
        for one in self.episodes:
            if one.name == episode.name and one.end_s > episode.start_s:
                begin = (max(one.start_s, episode.start_s) - START_S) // MINUTE
                part = tail[begin - first : (one.end_s - START_S) // MINUTE - first]
                part[~np.isnan(part)] = 3.0
        self.scores[row, first:] = tail


def about(pull: PullRequest) -> tuple[str, marker.Marker]:
    """Return which workload a pull request is about, and its marker."""
    mark = marker.parse(pull.body)
    assert mark is not None
    return OWN[mark.workload], mark


def _closed(pull: PullRequest, at_s: int) -> PullRequest:
    return replace(pull, state="closed", closed_at_s=at_s)
