"""Which values a Kargo Stage of the repository writes when freight is promoted to it.

Comes in: the Stages and promotion tasks of one commit. Goes out: the files, keys and images that
their steps write to the branch that is read. What a step writes into another branch or repository,
or into a work tree that nothing pushes, is not ours. An expression that only Kargo can evaluate may
be anything. A Warehouse only watches registries, and Freight is never in git.
Source: akuity/kargo docs/user-guide/reference-docs/promotion-steps (git-clone, git-push,
kustomize-set-image, yaml-update, ...), and `promotionMechanisms` of v0.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aiops.domain import Checkout, Place
from aiops.gitops import image_reference, revisions
from aiops.gitops.nodes import Node, entries_at, look, text_at
from aiops.gitops.rendered import Rendered
from aiops.gitops.snapshot import KUSTOMIZATIONS

_GROUP = "kargo.akuity.io/"
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_ANY = "\0"  # what only Kargo can evaluate
_PUSHES = frozenset({"git-push", "github-push", "github-verified-push"})
_KEYED = {"yaml-update": "updates", "json-update": "updates", "helm-update-image": "images"}
_MAX_STEPS = 200
_MAX_PROMOTIONS = 2_000
_MAX_TEXT = 512
_MAX_NESTED = 3  # variables in variables


@dataclass(frozen=True, slots=True)
class Promotion:
    """One thing a Stage writes. `image`, `key`: "" any. `file`: a path, a folder with "/" behind it."""

    stage: str
    file: str
    image: str
    key: str

    def writes(self, place: Place, image: str) -> bool:
        """Tell whether a promotion writes a place, or may write it."""
        if self.image and _ANY not in self.image and not image_reference.same_image(self.image, image):
            return False
        key = ".".join(str(part) for part in place.path)
        named = not self.key or _may_be(self.key.replace("\\.", "."), key)
        inside = _may_be(self.file + _ANY, place.file) if self.file.endswith("/") else False
        return named and (inside or _may_be(self.file, place.file))


@dataclass(frozen=True, slots=True)
class _Step:
    uses: str
    config: Node | None
    variables: Mapping[str, str]

    def text(self, *path: str) -> str:
        return _filled(text_at(self.config, *path), self.variables)


class Promotions:
    """What promotions write, by file: a workload asks for the place that wins."""

    def __init__(self, made: Iterable[Promotion] = ()) -> None:
        self._by_file: dict[str, list[Promotion]] = {}
        for one in dict.fromkeys(made):
            exact = _ANY not in one.file and not one.file.endswith("/")
            self._by_file.setdefault(one.file if exact else _ANY, []).append(one)

    def writing(self, place: Place, image: str) -> Promotion | None:
        """Return the first promotion that writes a place, or may write it."""
        several = (self._by_file.get(place.file, ()), self._by_file.get(_ANY, ()))
        return next((one for each in several for one in each if one.writes(place, image)), None)


def promotions(found: Iterable[Rendered], checkout: Checkout, named: frozenset[str]) -> Promotions:
    """Return what the Stages among the objects write to the branch of the checkout.

    `named`: the addresses of repositories that the objects name.
    """
    ours = [one for one in found if text_at(one.node, "apiVersion").startswith(_GROUP)]
    tasks = {(one.kind, one.name): one for one in ours if one.kind.endswith("PromotionTask")}
    made: list[Promotion] = []
    for one in ours:
        if one.kind == "Stage":
            label = f"{one.namespace}:{one.name}" if one.namespace else one.name
            steps = list(_steps(one, tasks))
            made += _of_steps(label, steps, checkout, named)
            made += _of_mechanisms(label, one, checkout)
        if len(made) > _MAX_PROMOTIONS:  # nobody has so many: any place may be one of them
            return Promotions([Promotion(f"(more than {_MAX_PROMOTIONS} files are written)", _ANY, "", "")])
    return Promotions(made)


def _steps(stage: Rendered, tasks: Mapping[tuple[str, str], Rendered]) -> Iterator[_Step]:
    own = {"ctx.stage": stage.name, **_variables(look(stage.node, "spec")[0])}
    own |= _variables(look(stage.node, "spec", "promotionTemplate", "spec")[0])
    for entry in entries_at(stage.node, "spec", "promotionTemplate", "spec", "steps")[:_MAX_STEPS]:
        name = text_at(entry, "task", "name")
        task = tasks.get((text_at(entry, "task", "kind") or "PromotionTask", name))
        if task is None:
            variables = own | _variables(entry)
            yield _Step(text_at(entry, "uses"), look(entry, "config")[0], variables)
            continue
        variables = own | _variables(look(task.node, "spec")[0]) | _variables(entry)
        for inner in entries_at(task.node, "spec", "steps")[:_MAX_STEPS]:
            yield _Step(text_at(inner, "uses"), look(inner, "config")[0], variables | _variables(inner))


def _variables(node: Node | None) -> dict[str, str]:
    """Return the variables that say a value; one without a value is given where a task is used."""
    pairs = ((text_at(one, "name"), text_at(one, "value")) for one in entries_at(node, "vars"))
    return {f"vars.{name}": value for name, value in pairs if name and value}


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with its variables; what is not known here becomes "anything"."""
    for _ in range(_MAX_NESTED):
        text = _EXPRESSION.sub(lambda match: variables.get(match[1].strip(), _ANY), text)[:_MAX_TEXT]
    return _EXPRESSION.sub(_ANY, text)


def _of_steps(
    label: str, steps: list[_Step], checkout: Checkout, named: frozenset[str]
) -> Iterator[Promotion]:
    trees: dict[str, str] = {}  # path of a work tree of our repository -> the branch that is in it
    for step in steps:
        url = step.text("repoURL")
        other = _ANY not in url and revisions.is_other(checkout, url, named | {url})
        for entry in entries_at(step.config, "checkout") if step.uses == "git-clone" and not other else ():
            branch = _filled(text_at(entry, "branch"), step.variables)
            detached = text_at(entry, "commit") or text_at(entry, "tag")
            trees[_clean(_filled(text_at(entry, "path"), step.variables))] = (
                _ANY if detached else branch or "HEAD"
            )
    pushed = {
        path
        for step in steps
        if step.uses in _PUSHES
        for path in (_clean(step.text("path")),)
        if path in trees
        and not text_at(step.config, "tag")
        and _is_ours(_target(step, trees[path]), checkout)
    }
    for step in steps:
        for path, image, key in _written(step):
            tree = max((one for one in pushed if _below(path, one)), key=len, default=None)
            nearest = max((one for one in trees if _below(path, one)), key=len, default=None)
            if tree is not None and tree == nearest:
                rest = path[len(tree) + 1 :] if tree else path
                yield Promotion(label, rest, image, key)


def _target(step: _Step, branch: str) -> str:
    if step.text("generateTargetBranch") == "true":
        return _ANY  # a pull request brings it into a branch that a later step names
    return step.text("targetBranch") or branch


def _is_ours(branch: str, checkout: Checkout) -> bool:
    """Tell whether a branch is, or may be, the one that is read."""
    if branch == "HEAD":
        return checkout.default is not False
    return not checkout.branch or _may_be(branch, checkout.branch)


def _written(step: _Step) -> Iterator[tuple[str, str, str]]:
    """Yield (path in the workspace, image, key) of what a step writes; a folder ends with "/"."""
    path = _clean(step.text("path"))
    if step.uses == "kustomize-set-image":
        images = [_filled(text_at(one, "image"), step.variables) for one in entries_at(step.config, "images")]
        for image in images or [""]:
            yield from ((posixpath.join(path, name), image, "") for name in KUSTOMIZATIONS)
    elif step.uses in _KEYED:
        for one in entries_at(step.config, _KEYED[step.uses]):
            yield path, "", _filled(text_at(one, "key"), step.variables)
    elif step.uses == "yaml-merge":
        yield _clean(step.text("outFile")), "", ""
    elif step.text("outPath"):  # kustomize-build, helm-template, copy: a file or a folder
        out = _clean(step.text("outPath"))
        yield out, "", ""
        yield f"{out}/", "", ""


def _of_mechanisms(label: str, stage: Rendered, checkout: Checkout) -> Iterator[Promotion]:
    """Yield what a Stage of Kargo v0 writes; its paths count from the root of the repository."""
    for update in entries_at(stage.node, "spec", "promotionMechanisms", "gitRepoUpdates"):
        if not _is_ours(text_at(update, "writeBranch") or "HEAD", checkout):
            continue
        for one in entries_at(update, "kustomize", "images"):
            folder = _clean(text_at(one, "path"))
            for name in KUSTOMIZATIONS:
                yield Promotion(label, posixpath.join(folder, name), text_at(one, "image"), "")
        for one in entries_at(update, "helm", "images"):
            yield Promotion(label, _clean(text_at(one, "valuesFilePath")), "", text_at(one, "key"))


def _clean(path: str) -> str:
    clean = posixpath.normpath(path.lstrip("/") or ".")
    return "" if clean == "." else clean


def _below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _may_be(pattern: str, text: str) -> bool:
    """Tell whether a text with parts that are not known may be another; each part may be anything."""
    first, *rest = pattern.split(_ANY)
    if not rest:
        return pattern == text
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return text.endswith(rest[-1]) and at <= len(text) - len(rest[-1])
