"""Whether what an Application or a Flux source deploys is what we read: repository and revision.

An Application of a tag, a commit or another branch renders something else than we see, and an edit
of our branch does not reach its cluster. What is not known (a bare commit, no remote) is taken for
ours as before: the folders tell another repository then.
Source: argo-cd docs/user-guide/tracking_strategies.md; fluxcd source-controller
docs/spec/v1/gitrepositories.md#reference (commit, then name, semver, tag, branch; else `master`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiops.domain import Checkout
from aiops.gitops import sources
from aiops.gitops.nodes import entries_at, look, text_at
from aiops.gitops.rendered import Rendered
from aiops.gitops.snapshot import Snapshot

_REMOTE = re.compile(r"(?:https?|ssh|git)://|[\w.-]+@[\w.-]+:")
_DEFAULTS = frozenset({"main", "master"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the pointers of one commit may mean by "this repository" and "this revision".

    `others`: addresses of other repositories. `certain`: ours is known. `git`: the GitRepositories.
    """

    checkout: Checkout
    others: frozenset[str]
    certain: bool
    git: tuple[Rendered, ...]

    def is_ours(self, url: str) -> bool:
        """Tell whether an address may be that of this repository."""
        return sources.address(url) not in self.others

    def problem(self, what: str, revision: str) -> str:
        """Return why an edit of our branch does not reach what deploys `revision`, "" when it does."""
        return problem(self.checkout, what, revision)

    def of_flux(self, what: str, by: Rendered, kind: str, name: str, namespace: str) -> tuple[bool, str]:
        """Return (whether a Flux source is this repository, why an edit would not reach it).

        Clusters that share a repository each have a GitRepository `flux-system`: the nearest counts.
        """
        if kind not in {"", "GitRepository"}:
            return False, f"{what} deploys {kind}/{name}: what it holds is not known from this repository"
        found = _nearest(by.file, [one for one in self.git if _is_called(one, name, namespace)])
        ours = [one for one in found if self.is_ours(text_at(one.node, "spec", "url"))]
        if found and not ours:
            url = sources.address(text_at(found[0].node, "spec", "url"))
            return False, f"{what} deploys it from {url}, which is another repository"
        problems = [self.problem(f"GitRepository/{one.name}", _revision(one)) for one in ours]
        return True, "" if not all(problems) else next(iter(problems), "")


def standing(snapshot: Snapshot, found: list[Rendered]) -> Standing:
    """Return what is known of the repository itself, and which addresses are another one."""
    own = _own(snapshot.checkout)
    others = sources.foreign(snapshot, found)
    urls = addresses(snapshot, found)
    elsewhere = frozenset(url for url in urls if is_other(snapshot.checkout, url, urls))
    # Of a fork or a mirror the folders tell, as without an address.
    others = elsewhere if own & urls else others | elsewhere
    git = tuple(one for one in found if one.kind == "GitRepository")
    return Standing(snapshot.checkout, others, bool(own), git)


def is_other(checkout: Checkout, url: str, named: frozenset[str]) -> bool:
    """Tell whether an address is another repository for sure.

    `named`: all addresses in the repository. Where ours is not among them, they may mean a fork or a
    mirror of it, which keeps the name.
    """
    own, address = _own(checkout), sources.address(url)
    if not own or not address:
        return False
    return address not in own if own & named else _last(address) not in {_last(one) for one in own}


def _own(checkout: Checkout) -> frozenset[str]:
    return frozenset(sources.address(url) for url in checkout.addresses if _REMOTE.match(url))


def problem(checkout: Checkout, what: str, revision: str) -> str:
    """Return why an edit of the branch of a checkout does not reach a revision, "" when it does."""
    if not checkout.branch:
        return ""
    if "{{" in revision:
        return f"which revision {what} deploys is known only in the cluster"
    if revision in {"", "HEAD"}:
        return _not_default(checkout, what)
    if revision.removeprefix("refs/heads/") == checkout.branch:
        return ""
    return (
        f"{what} deploys revision {revision[:80]}, and {checkout.branch} is read: an edit would not reach it"
        " (repository.base names the branch)"
    )


def _not_default(checkout: Checkout, what: str) -> str:
    if checkout.default is None and checkout.branch not in _DEFAULTS:
        return (
            f"{what} deploys the default branch, and whether that is {checkout.branch} is not known here"
            " (`git remote set-head origin --auto` tells)"
        )
    if checkout.default is False:
        return f"{what} deploys the default branch, and {checkout.branch} is read: an edit would not reach it"
    return ""


def _revision(one: Rendered) -> str:
    """Return what a GitRepository checks out, "" never: Flux takes `master` when nothing is said."""
    reference, _ = look(one.node, "spec", "ref")
    told = (text_at(reference, key) for key in ("commit", "name", "semver", "tag", "branch"))
    return next(filter(None, told), "master")


def _is_called(one: Rendered, name: str, namespace: str) -> bool:
    return one.name == name and (not (one.namespace and namespace) or one.namespace == namespace)


def _nearest(file: str, found: list[Rendered]) -> list[Rendered]:
    """Return those whose file shares the longest way with `file`."""
    shared = [_shared(file, one.file) for one in found]
    return [one for one, length in zip(found, shared, strict=True) if length == max(shared)]


def _shared(file: str, other: str) -> int:
    mine, theirs = sources.above(file), sources.above(other)
    return len(set(mine) & set(theirs))


def addresses(snapshot: Snapshot, found: Iterable[Rendered]) -> frozenset[str]:
    """Return the addresses of repositories that Applications, their sets and Flux name."""
    return frozenset(one for one in _addresses(snapshot, found) if one and "{{" not in one)


def _addresses(snapshot: Snapshot, found: Iterable[Rendered]) -> Iterable[str]:
    for one in found:
        if one.kind == "GitRepository":
            yield sources.address(text_at(one.node, "spec", "url"))
        elif one.kind == "Application":
            for source in sources.of(snapshot, one):
                if not source.text("chart"):
                    yield sources.address(text_at(source.node, "repoURL"))
        elif one.kind == "ApplicationSet":
            template, _ = look(one.node, "spec", "template", "spec")
            for node in (look(template, "source")[0], *entries_at(template, "sources")):
                if not text_at(node, "chart"):
                    yield sources.address(text_at(node, "repoURL"))


def _last(address: str) -> str:
    return address.rpartition("/")[2]
