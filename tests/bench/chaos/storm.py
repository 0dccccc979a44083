"""A storm, in which a run has one thing to do: keep the one issue that says so.

One issue of an earlier storm is closed, and a person's issue with our first line lies beside it.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field, replace
from typing import Any

from bench.chaos.world import DEADLINE_S, HOUR, JOB, TOKEN, Repository, iso, manifest
from edges.double_issues import IssueList
from edges.github_double import Double
from propose import storms

from aiops import pipeline
from aiops.domain import Grid, Plan
from aiops.edges import github_client
from aiops.edges.github_forge import GitHubForge
from aiops.job import Result
from aiops.propose import tracking

KEY = "abcdef012345"


@dataclass(slots=True)
class StormWorld:
    """`now_s`: wall time, as the double dates what it is sent."""

    double: Double
    now_s: int = field(default_factory=lambda: int(time.time()))
    repository: Repository = field(init=False)
    plan: Plan = field(init=False)
    _kept: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.repository = Repository(self.double)
        self.double.seed({"apps/cart.yaml": manifest("cart")})
        self._run(self._based(storms.storm(self.now_s - 80 * HOUR)))
        self._run(self._based(storms.calm(self.now_s - 78 * HOUR)))
        self.plan = self._based(storms.storm(self.now_s))
        copied = {"title": "mine", "body": self.double.issues.issues[0]["body"], "labels": [tracking.LABEL]}
        self.double.now = iso(self.now_s)
        self.double.issues.add(copied, "mallory", self.double.now, self.double.base_url)
        self._kept = copy.deepcopy(self.double.issues.issues)

    def restore(self, *, unique: bool = True, lag: int = 0) -> None:
        """Put everything back to before the run. Issues are never unique; `lag` is as for pull requests."""
        del unique
        self.double.issues = IssueList(copy.deepcopy(self._kept), lag=lag)
        self.double.journal.clear()

    def clear(self) -> None:
        """Let lists show everything."""
        self.double.issues.lag = 0
        self.double.issues.unseen.clear()

    def run(self) -> Result:
        """Do the proposing half once, as a process of its own does."""
        return self._run(self.plan)

    def faults(self) -> dict[str, int]:
        """Return what is wrong in the end, counted by kind; all zero when one issue says what is seen."""
        ours = [one for one in self.double.issues.issues if one["user"]["login"] == self.double.login]
        opened = [tracking.parse(one["body"]) for one in ours if one["state"] == "open"]
        told = [mark for mark in opened if mark is not None and mark.seen_s == self.plan.data_time_s]
        return {"duplicate issues": max(len(opened) - 1, 0), "lost decisions": int(not told)}

    @property
    def taken_back(self) -> int:
        """Return how many issues were opened beside another one, and closed again."""
        marks = [tracking.parse(one["body"]) for one in self.double.issues.issues]
        return sum(mark is not None and mark.ended == "duplicate" for mark in marks)

    def _run(self, plan: Plan) -> Result:
        self.double.now = iso(plan.data_time_s)
        repo = github_client.repository(TOKEN, self.double.base_url, "acme/gitops", deadline_s=DEADLINE_S)
        incidents = tuple(item.incident for item in plan.items)
        before = Result(plan, Grid(0, 0, 60), incidents, None, {}, (), (), ())
        job, forge = replace(JOB, tracking=KEY), GitHubForge(repo)
        return pipeline.propose(job, before, self.repository, forge, plan.data_time_s, lambda _: None)

    def _based(self, plan: Plan) -> Plan:
        return replace(plan, base_sha=self.double.refs["heads/main"])
