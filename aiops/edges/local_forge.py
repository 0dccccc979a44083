"""A forge of files beside a git repository: the whole lifecycle without any service.

Comes in: proposals. Goes out: a real branch per proposal, `<repository>.forge/pulls/<n>.json` (what
people and aiops say about it) and `<n>.md` (the body). A person declines by writing
`"state": "closed"` into the JSON and agrees by merging the branch. One lock makes two runs at once
open one pull request, not two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiops.domain import IssueText, Proposal, PullRequest, PullState, TrackingIssue
from aiops.edges import local_files as files
from aiops.edges.local_branch import LocalBranches
from aiops.edges.local_issues import LocalIssues
from aiops.errors import ForgeRefused
from aiops.propose import lifecycle
from aiops.propose.marker import same_comment

AUTHOR = "aiops"
_NUMBER = re.compile(r"([1-9][0-9]{0,8})\.json")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_STATES: dict[str, PullState] = {"open": "open", "closed": "closed", "merged": "merged"}


@dataclass(frozen=True, slots=True)
class _Record:
    """One file of `pulls/`: its content, checked, and what it means now."""

    data: dict[str, Any]
    pull: PullRequest


class LocalForge:
    """The forge port on `<repository>.forge`; nothing is written before the first proposal."""

    def __init__(self, repository: Path, base: str) -> None:
        """Take the repository, bare or ordinary, and the branch that proposals are merged into."""
        self._base = base
        named = repository if repository.name not in {"", ".."} else repository.resolve()
        self._folder = named.with_name(f"{named.name}.forge")
        self._pulls = self._folder / "pulls"
        self._branches = LocalBranches(repository)
        self._issues = LocalIssues(self._folder)

    def pulls(self) -> tuple[PullRequest, ...]:
        """Return ours, newest first; states are recomputed from git, nothing is written.

        Raises ForgeRefused for a file that cannot be read: a count that may be wrong stops us.
        """
        return tuple(record.pull for record in self._ours())

    def open(self, proposal: Proposal, now_s: int) -> PullRequest:
        """Open one pull request, or return the open one that is there already.

        Raises ForgeRefused when the repository says no, ForgeBusy when another run is writing.
        """
        with files.locked(self._folder, "pulls"):
            known = [record.pull for record in self._ours()]
            same = lifecycle.match(proposal, known)
            if same is not None:
                return same
            # A branch without a pull request was left by a run that was killed: it is adopted. One
            # whose tip a person wrote is skipped.
            first = lifecycle.next_number(proposal, known)
            for number in range(first, first + 50):
                wanted = lifecycle.numbered(proposal, number)
                head = self._branches.carry(wanted, now_s)
                if head is not None:
                    return self._create(wanted, head, now_s)
        raise ForgeRefused("50 branches of this change exist", where=proposal.branch)

    def update(self, pull: PullRequest, proposal: Proposal, now_s: int) -> PullRequest:
        """Bring value and text up to date; return `pull` itself when a person pushed to the branch."""
        with files.locked(self._folder, "pulls"):
            record = next((one for one in self._ours() if one.pull.number == pull.number), None)
            tip = self._branches.tip(pull.branch)
            if record is None or record.pull.state != "open" or tip is None:
                return pull
            head = self._branches.advance(pull.branch, tip, proposal, now_s)
            if head is None:
                return pull
            changed = {
                **record.data,
                "title": proposal.title,
                "base_sha": proposal.base_sha,
                "head_sha": head,
                "marker": proposal.marker,
                "updated_at": files.iso(now_s),
            }
            files.write(self._pulls / f"{pull.number}.md", proposal.body.encode())
            files.write(self._pulls / f"{pull.number}.json", files.as_json(changed))
            return self._read(self._pulls / f"{pull.number}.json").pull

    def settle(self, pull: PullRequest, body: str, comment: str, *, close: bool, now_s: int) -> PullRequest:
        """Write down how it ended, in one file; return `pull` itself when a person pushed to it."""
        with files.locked(self._folder, "pulls"):
            record = next((one for one in self._ours() if one.pull.number == pull.number), None)
            if record is None or record.pull.state != pull.state:
                return pull
            if close and not self._branches.is_ours(pull.branch):
                return pull
            said = list(record.data["comments"])
            if comment and not any(same_comment(str(one.get("body")), comment) for one in said):
                said.append({"author": AUTHOR, "at": files.iso(now_s), "body": comment})
            changed = {
                **record.data,
                "marker": body.split("\n", 1)[0],
                "comments": said,
                "updated_at": files.iso(now_s),
                **({"state": "closed", "closed_at": files.iso(now_s), "closed_by": AUTHOR} if close else {}),
            }
            # The JSON decides; the marker of the body is read from it.
            files.write(self._pulls / f"{pull.number}.json", files.as_json(changed))
            files.write(self._pulls / f"{pull.number}.md", body.encode())
            return self._read(self._pulls / f"{pull.number}.json").pull

    def issues(self) -> tuple[TrackingIssue, ...]:
        """Return our tracking issues, in any state."""
        return self._issues.all()

    def track(self, text: IssueText, now_s: int) -> TrackingIssue:
        """Open one tracking issue, or write to the one that the text names."""
        return self._issues.write(text, now_s)

    def _create(self, wanted: Proposal, head: str, now_s: int) -> PullRequest:
        number = 1 + max((int(found[1]) for found in self._files()), default=0)
        data = {
            "number": number,
            "title": wanted.title,
            "branch": wanted.branch,
            "base": wanted.base,
            "base_sha": wanted.base_sha,
            "head_sha": head,
            "state": "open",
            "author": AUTHOR,
            "marker": wanted.marker,
            "labels": [],
            "created_at": files.iso(now_s),
            "updated_at": files.iso(now_s),
            "closed_at": None,
            "merged_at": None,
            "closed_by": None,
            "comments": [],
        }
        # The body first: a JSON file without its body would be a pull request nobody can read.
        files.write(self._pulls / f"{number}.md", wanted.body.encode())
        files.write(self._pulls / f"{number}.json", files.as_json(data))
        return self._read(self._pulls / f"{number}.json").pull

    def _files(self) -> list[re.Match[str]]:
        names = sorted(one.name for one in self._pulls.iterdir()) if self._pulls.is_dir() else []
        return [found for name in names if (found := _NUMBER.fullmatch(name))]

    def _ours(self) -> list[_Record]:
        records = [self._read(self._pulls / found[0]) for found in self._files()]
        ours = [one for one in records if one.pull.author == AUTHOR and lifecycle.key(one.pull.branch)]
        return sorted(ours, key=lambda one: -one.pull.number)

    def _read(self, path: Path) -> _Record:
        try:
            data = files.read(path)
            return _Record(data, self._shown(path, data))
        except files.MALFORMED as error:
            raise files.unreadable(path, "a pull request", error) from None

    def _shown(self, path: Path, data: dict[str, Any]) -> PullRequest:
        """Return what the JSON and git say together. Raises ValueError, KeyError or TypeError."""
        branch, state = str(data["branch"]), _STATES[str(data["state"])]
        if int(data["number"]) != int(path.stem) or not _SHA.fullmatch(str(data["head_sha"])):
            raise ValueError("number or head_sha does not fit")
        # The tip, not what we wrote: a person may have pushed to the branch and merged that.
        head = (self._branches.tip(branch) if lifecycle.key(branch) else None) or str(data["head_sha"])
        merged_at_s = files.seconds(data.get("merged_at"))
        if self._branches.contains(self._base, head):
            state, merged_at_s = "merged", merged_at_s or self._branches.merged_at_s(self._base, head)
        closed_at_s = files.seconds(data.get("closed_at"))
        if state == "closed" and closed_at_s is None:
            # A person changed the word and no more: the file is as old as the decision.
            closed_at_s = int(path.stat().st_mtime)
        return PullRequest(
            number=int(data["number"]),
            url=str(path.with_suffix(".md")),
            branch=branch,
            state=state,
            title=str(data["title"]),
            body=files.body(path.with_suffix(".md"), str(data["marker"])),
            author=str(data["author"]),
            labels=tuple(sorted(str(label) for label in data["labels"])),
            created_at_s=files.required(data["created_at"]),
            closed_at_s=None if state == "open" else (closed_at_s or merged_at_s),
            merged_at_s=merged_at_s if state == "merged" else None,
            closed_by=data.get("closed_by"),
        )
