"""Ask the code under test about every workload that the scan found, and judge each proposed edit."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench.edits.judge import Judge
from bench.repos import clones, scan, verdict
from bench.repos.clones import Clone
from bench.repos.scan import Found, Scan

from aiops.domain import FieldName, Workload
from aiops.edges.git import GitFiles, GitRepository
from aiops.errors import EditRefused
from aiops.gitops import where
from aiops.gitops.clusters import Cluster

KINDS = {"HelmRelease": "", "Application": ""}  # their workloads are of a kind nobody can tell
IMAGE: tuple[FieldName, ...] = ("image.tag", "image.digest")
CAPACITY: tuple[FieldName, ...] = ("replicas", "hpa.max", "hpa.min")


@dataclass(slots=True)
class Outcome:
    """What became of one question about one workload. `reason`: why nothing is proposed."""

    workload: Found
    question: str
    reason: str = ""
    wrong: str = ""
    rendered: bool = False

    @property
    def rightly(self) -> bool:
        """Whether it is refused and the scan, too, saw nothing in the repository that sets it."""
        sets = self.workload.sets_image if self.question == "image" else self.workload.sets_capacity
        return bool(self.reason) and not sets


@dataclass(slots=True)
class Checked:
    """The result of one repository."""

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    unrendered: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def count(self, question: str) -> tuple[int, int, int]:
        """Return (editable, asked, rightly refused) of a question."""
        asked = [one for one in self.outcomes if one.question == question]
        return sum(not one.reason for one in asked), len(asked), sum(one.rightly for one in asked)


def check(clone: Clone, judge: Judge) -> Checked:
    """Look at one repository."""
    files = GitRepository(clone.path).files(clone.commit)
    done = Checked(clone.name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clones.unpack(clone, folder)
        found = scan.scan(folder)
        done.unrendered = found.unrendered
        for one in found.found:
            done.outcomes.append(_ask(files, folder, found, one, "image", IMAGE, judge))
            if one.kind in scan.SCALABLE:
                done.outcomes.append(_ask(files, folder, found, one, "capacity", CAPACITY, judge))
    return done


def _ask(
    files: GitFiles,
    folder: Path,
    found: Scan,
    one: Found,
    question: str,
    fields: Iterable[FieldName],
    judge: Judge,
) -> Outcome:
    """Return the outcome of the first field that is editable, or the reason of the likeliest one."""
    outcome = Outcome(one, question)
    workload = Workload("", one.namespace, KINDS.get(one.kind, one.kind), one.name)
    clusters = [Cluster("", {}, (one.root or ".",))]
    reasons = []
    for name in fields:
        target = where.resolve(files, workload, name, clusters, one.image)
        if target.winner is None:
            reasons.append(target.refusal or "no reason at all")
            continue
        try:
            outcome.wrong, outcome.rendered = verdict.judged(
                files, folder, found, one, target, clusters, judge
            )
        except EditRefused as error:
            reasons.append(error.message)
            continue
        return outcome
    outcome.reason = _likeliest(reasons)
    return outcome


def _likeliest(reasons: list[str]) -> str:
    """Return the reason that is about this workload and not about the field it does not use."""
    beside = ("not pinned by digest", "pinned by digest: a tag", "no autoscaler", "owned by")
    own = [one for one in reasons if not any(word in one for word in beside)]
    return (own or reasons)[0]


def reasons(checked: Iterable[Checked], question: str) -> Counter[str]:
    """Return the reasons that the scan does not confirm, without what differs from case to case."""
    return Counter(
        general(one.reason)
        for each in checked
        for one in each.outcomes
        if one.question == question and one.reason and not one.rightly
    )


def general(reason: str) -> str:
    """Return a reason without names, files and numbers."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "_", reason)
    text = re.sub(r"\S*[/.]\S*|\b[0-9]+\b", "_", text)
    return re.sub(r"(?:_[ ,:;]*)+", "_ ", text)[:100].strip()
