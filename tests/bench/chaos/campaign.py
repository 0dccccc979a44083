"""Kill the proposing half at a call to GitHub, run again, and count what is wrong.

A run is killed by raising through all of it: nothing of a process but what it sent outlives it, so
this is what SIGKILL leaves. "before": the request was not sent; "after": it took effect, and nobody
read the answer. One trial kills one run at one call, or two runs one after the other, or some of
eight that run at once; then one run is left alone and the world is looked at.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from bench.chaos import cheap
from bench.chaos.storm import StormWorld
from bench.chaos.world import DEADLINE_S, World

from aiops.edges import github_client, github_comments
from aiops.errors import AiopsError

RUNNERS = 8
OVER_S = 5.0
PAUSE_S = 0.05
When = Literal["before", "after"]
MANY = "eight at once"
KINDS = ("one kill", "two kills", MANY)
FAULTS = (
    "duplicate pull requests",
    "duplicate issues",
    "orphan branches",
    "lost decisions",
    "not quiet",
    "late",
)
# Counted and shown, and no failure where eight run at once: one that is held up between its look and its
# write for longer than others wait, and is killed right after, says again what they said.
SAID_TWICE = "duplicate comments"
# Shown, and a failure only where nothing but one kill happens: of issues opened at once all but the
# oldest are closed again, and so is one that a list does not show in time.
TAKEN_BACK = "issues taken back"
AnyWorld = World | StormWorld


class Killed(BaseException):
    """The process is gone: no `except Exception` of the program may see it."""


@dataclass(slots=True)
class Kill:
    """Where a run dies: at its n-th call, before it is sent or after it took effect; 0 = nowhere."""

    call: int
    when: When
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial. `unique`, `lag`: how the forge behaves; `kills`: one per run that may be killed."""

    kind: str
    kills: tuple[tuple[int, When], ...]
    unique: bool
    lag: int


_here = threading.local()


@contextlib.contextmanager
def deadly() -> Iterator[None]:
    """Let every call to the forge look for its kill.

    The pause between a comment and the look after it is as much shorter as loopback is faster.
    """
    send, pause_s = github_client.Connection._send, github_comments.PAUSE_S

    def shim(self: Any, *request: Any) -> Any:
        kill: Kill | None = getattr(_here, "kill", None)
        if kill is None:
            return send(self, *request)
        kill.seen += 1
        if kill.seen == kill.call and kill.when == "before":
            raise Killed
        answer = send(self, *request)
        if kill.seen == kill.call:
            raise Killed
        return answer

    github_client.Connection._send = shim  # type: ignore[method-assign]
    github_comments.PAUSE_S = PAUSE_S
    try:
        yield
    finally:
        github_client.Connection._send = send  # type: ignore[method-assign]
        github_comments.PAUSE_S = pause_s


def calls(world: AnyWorld) -> int:
    """Return how many calls one undisturbed run makes."""
    world.restore()
    world.run()
    return len(world.double.journal)


def trials(count: int, places: int, seed: int) -> Iterator[Trial]:
    """Return `count` trials: every single kill first, then pairs and eight at once, by turns and at random.

    `places`: the calls of one undisturbed run. A forge that does not refuse a second pull request from
    one branch, or lists it late, comes in half of the trials with more than one run.
    """
    whens: tuple[When, When] = ("before", "after")
    single = [((call, when),) for call in range(1, places + 1) for when in whens]
    yield from (Trial("one kill", kills, unique=True, lag=0) for kills in single[:count])
    draw = random.Random(seed)  # noqa: S311 - a campaign that can be repeated
    for number in range(count - len(single)):
        kind, runs = (("two kills", 2), (MANY, RUNNERS))[number % 2]
        kills = tuple((draw.randint(1, places + 8), draw.choice(whens)) for _ in range(runs))
        hostile = draw.random() < 0.5
        yield Trial(kind, kills, unique=not hostile, lag=draw.randint(0, 2) if hostile else 0)


def play(world: AnyWorld, trial: Trial) -> Counter[str]:
    """Play one trial; return what is wrong, by kind."""
    # Each call dies once under the whole of the program, what `requests` does included.
    with contextlib.nullcontext() if trial.kind == KINDS[0] else cheap.bare_sockets():
        return _play(world, trial)


def _play(world: AnyWorld, trial: Trial) -> Counter[str]:
    world.restore(unique=trial.unique, lag=trial.lag)
    found: Counter[str] = Counter()
    if trial.kind == MANY:
        start = threading.Barrier(len(trial.kills))
        threads = [threading.Thread(target=_run, args=(world, kill, found, start)) for kill in trial.kills]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        for kill in trial.kills:
            _run(world, kill, found, None)
    world.clear()
    _run(world, (0, "before"), found, None)
    found.update(world.faults())
    found[TAKEN_BACK] += world.taken_back
    before = len([verb for verb, _, _ in world.double.journal if verb != "GET"])
    _run(world, (0, "before"), found, None)
    found["not quiet"] += len([verb for verb, _, _ in world.double.journal if verb != "GET"]) - before
    return found


def _run(
    world: AnyWorld, kill: tuple[int, Any], found: Counter[str], start: threading.Barrier | None
) -> None:
    _here.kill = Kill(*kill)
    if start is not None:
        start.wait()
    begin = time.monotonic()
    try:
        # What the forge answers to a runner that is beaten to it is an error of that run, and no more.
        with contextlib.suppress(Killed, AiopsError):
            world.run()
    finally:
        _here.kill = None
    found["late"] += time.monotonic() - begin > DEADLINE_S + OVER_S
