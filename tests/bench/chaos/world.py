"""A repository in which one run has everything to do: open two, bring one up to date, end one, judge one.

Comes in: a GitHub double. Goes out: the plan of the run, the ports it needs, and what must be true
in the end. The state is kept once and put back before each trial.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from edges.github_double import Double
from propose import sample

from aiops import pipeline
from aiops.detect.settings import DetectSettings
from aiops.domain import (
    Change,
    Checkout,
    Commit,
    Edit,
    Grid,
    Plan,
    PlanItem,
    Quiet,
    Rollback,
    Scale,
    TreeFile,
    Workload,
)
from aiops.edges import github_client
from aiops.edges.github_forge import GitHubForge
from aiops.gitops import edits as editing
from aiops.gitops import where
from aiops.job import Job, Result
from aiops.limits import Limits
from aiops.propose import lifecycle, marker

JOB = Job((), (), (), "main", 60, None, "", DetectSettings(), Limits())
NAMES = ("cart", "checkout", "feed", "login", "search")
TOKEN = "ghp_canary0123456789abcdefghij"
DEADLINE_S = 30.0
HOUR = 3600
BASE = "heads/main"
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
        - name: {name}
          image: registry.example/{name}:{tag}
"""


def manifest(name: str, replicas: int = 2, tag: str = "1.1") -> bytes:
    return _MANIFEST.format(name=name, replicas=replicas, tag=tag).encode()


def workload(name: str) -> Workload:
    return Workload("", "shop", "Deployment", name)


@dataclass(frozen=True, eq=False)  # without slots: maps of it are remembered by weak references
class Shown:
    """One commit of the double, as a checkout beside it would have it."""

    sha: str
    content: Mapping[str, tuple[str, bytes]]
    checkout: ClassVar[Checkout] = Checkout()

    def tree(self) -> Mapping[str, TreeFile]:
        return {
            path: TreeFile(path, "100644", blob, len(data)) for path, (blob, data) in self.content.items()
        }

    def read(self, path: str) -> bytes:
        return self.content[path][1]


@dataclass(slots=True)
class Repository:
    """The base branch of the double."""

    double: Double
    shallow: bool = False
    shown: dict[str, Shown] = field(default_factory=dict)  # maps of a commit live as long as this

    def head(self, base: str) -> str:
        return self.double.refs[f"heads/{base}"]

    def files(self, sha: str) -> Shown:
        if sha not in self.shown:
            entries = self.double.trees[self.double.commits[sha]["tree"]]
            self.shown[sha] = Shown(
                sha, {path: (blob, self.double.blobs[blob]) for path, (_, blob) in sorted(entries.items())}
            )
        return self.shown[sha]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        return ()


@dataclass(slots=True)
class World:
    """`now_s`: wall time, because a forge only lists what closed in the last month of it."""

    double: Double
    now_s: int = field(default_factory=lambda: int(time.time()))
    repository: Repository = field(init=False)
    plan: Plan = field(init=False)
    _kept: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.repository = Repository(self.double)
        self.double.seed({f"apps/{name}.yaml": manifest(name) for name in NAMES})
        self.double.now = iso(self.now_s - 9 * HOUR)
        before = [_scaled(self, name, 5) for name in ("feed", "login", "search")]
        self.propose(self._planned(before[:2], 9 * HOUR), self.now_s - 9 * HOUR)
        self.propose(self._planned(before[2:], 9 * HOUR), self.now_s - 9 * HOUR)
        self.double.now = iso(self.now_s)
        self._merge("login")
        items = [_rolled_back(self, "cart"), _scaled(self, "checkout", 3), _scaled(self, "feed", 3)]
        calm = (
            Quiet(workload("login"), self.now_s - 5400, ended=True),
            Quiet(workload("search"), self.now_s - 2 * HOUR, ended=True),
        )
        self.plan = replace(self._planned(items), quiet=calm)
        self.double.labels.clear()
        self._kept = copy.deepcopy({name: getattr(self.double, name) for name in _STATE})

    def restore(self, *, unique: bool = True, lag: int = 0) -> None:
        """Put everything back to before the run."""
        for name, value in self._kept.items():
            setattr(self.double, name, copy.deepcopy(value))
        self.double.bare.point(self.double.refs)
        self.double.unique, self.double.lag = unique, lag
        self.double.journal.clear()

    def clear(self) -> None:
        """Let lists show everything."""
        self.double.lag = 0
        self.double.unseen.clear()

    def run(self) -> Result:
        """Do the proposing half once, as a process of its own does."""
        return self.propose(self.plan, self.now_s)

    def propose(self, plan: Plan, now_s: int) -> Result:
        repo = github_client.repository(TOKEN, self.double.base_url, "acme/gitops", deadline_s=DEADLINE_S)
        incidents = tuple(item.incident for item in plan.items)
        window = Grid(plan.data_time_s, plan.data_time_s, plan.step_s)
        before = Result(plan, window, incidents, None, {}, (), (), ())
        return pipeline.propose(JOB, before, self.repository, GitHubForge(repo), now_s, lambda _: None)

    def faults(self) -> dict[str, int]:
        """Return what is wrong in the end, counted by kind; all zero when every decision arrived once."""
        double, expected = self.double, dict(_EXPECTED)
        keys = [lifecycle.key(one["head"]["ref"]) for one in double.pulls if one["state"] == "open"]
        said = [(one["issue"], one["body"]) for one in double.comments.values()]
        heads = {f"heads/{one['head']['ref']}" for one in double.pulls}
        for one in double.pulls:
            found = (
                _name(one),
                "merged" if one["merged_at"] else one["state"],
                _outcome(one),
                self._value(one),
            )
            comments = sum(number == one["number"] for number, _ in said)
            if found in expected and comments >= expected[found]:
                del expected[found]
        return {
            "duplicate pull requests": len(keys) - len(set(keys)),
            "duplicate comments": len(said) - len(set(said)),
            "orphan branches": sum(
                name.startswith("heads/aiops/") and name not in heads for name in double.refs
            ),
            "lost decisions": len(expected),
        }

    @property
    def taken_back(self) -> int:
        """Return how many issues were closed again: none is opened here."""
        return 0

    def _planned(self, items: list[PlanItem], ago_s: int = 0) -> Plan:
        sha, at_s = self.double.refs[BASE], self.now_s - ago_s
        return replace(sample.plan(*items), base_sha=sha, data_time_s=at_s, judge="abcdefabcdef")

    def _merge(self, name: str) -> None:
        """Do what a person does who agrees."""
        pull = next(one for one in self.double.pulls if _name(one) == name)
        entries = dict(self.double.trees[self.double.commits[self.double.refs[BASE]]["tree"]])
        path = f"apps/{name}.yaml"
        tip = self.double.refs[f"heads/{pull['head']['ref']}"]
        entries[path] = self.double.trees[self.double.commits[tip]["tree"]][path]
        self.double.refs[BASE] = self.double.commit(
            self.double.tree(entries), [self.double.refs[BASE]], "merge"
        )
        at = iso(self.now_s - 2 * HOUR)
        pull.update(state="closed", closed_at=at, merged_at=at)

    def _value(self, pull: dict[str, Any]) -> bytes:
        """Return what the branch says of the workload."""
        return self.double.content(pull["head"]["ref"], f"apps/{_name(pull)}.yaml")


_STATE = ("trees", "commits", "blobs", "refs", "pulls", "labels", "comments", "made", "unseen")
# (workload, state, outcome, content of its branch) -> comments, in the end.
_EXPECTED = {
    ("cart", "open", "none", manifest("cart", tag="1.0")): 0,
    ("checkout", "open", "none", manifest("checkout", 3)): 0,
    ("feed", "open", "none", manifest("feed", 3)): 0,
    ("login", "merged", "helped", manifest("login", 5)): 1,
    ("search", "closed", "over", manifest("search", 5)): 1,
}
_NAMES = {
    marker.workload_hash(workload(name)): name for name in ("cart", "checkout", "feed", "login", "search")
}


def _name(pull: dict[str, Any]) -> str:
    mark = marker.parse(pull["body"])
    return _NAMES[mark.workload] if mark else ""


def _outcome(pull: dict[str, Any]) -> str:
    mark = marker.parse(pull["body"])
    return mark.outcome if mark else ""


def iso(at_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def _item(world: World, base: PlanItem, name: str, decision: Scale | Rollback) -> PlanItem:
    own, files = workload(name), world.repository.files(world.double.refs[BASE])
    target = where.resolve(files, own, decision.field, ())
    edits: tuple[Edit, ...] = editing.of(files, target, str(decision.new), ())
    now_s = world.now_s
    seen = replace(base.incident, workload=own, onset_s=now_s - 1800, newest_sample_s=now_s - 60)
    image = f"registry.example/{name}"
    change = Change(own, "image", image, f"{image}:1.0", f"{image}:1.1", now_s - 2000)
    found = replace(base.diagnosis, workload=own, root=own, change=change)
    return replace(
        base, workload=own, decision=decision, incident=seen, diagnosis=found, edits=edits, past=()
    )


def _scaled(world: World, name: str, new: int) -> PlanItem:
    return _item(world, sample.scale_item(), name, Scale("replicas", 2, new, "S3", "load"))


def _rolled_back(world: World, name: str) -> PlanItem:
    return _item(world, sample.rollback_item(), name, Rollback("image.tag", "1.1", "1.0", "R1", "ran well"))
