"""The ports of a run, answered from an evidence bundle: what was said then, and nothing else.

A read that the bundle does not hold is a ConfigError: another version of aiops asks for other
things, and an empty answer would be a guess.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import numpy as np

from aiops import __version__
from aiops.detect.model import Model
from aiops.domain import Answer, Commit, Grid, Query, TreeFile
from aiops.edges import model_store
from aiops.edges.bundle import LAST_S, Bundle, CommitFiles, Refusal
from aiops.errors import AiopsError, ConfigError, DataUnusable, EditRefused, ForgeBusy, ForgeRefused
from aiops.ingest.replies import MAX_CELLS, MAX_LABEL, MAX_SERIES

_ERRORS = {one.code: one for one in (ConfigError, DataUnusable, EditRefused, ForgeBusy, ForgeRefused)}
_MAX_MODEL_BYTES = 2**24


class BundledMetrics:
    """Samples (the port `Metrics`)."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._answers = {(one.name, one.grid): one for one in bundle.manifest.answers}

    def now_s(self) -> int:
        """Return the time of the run."""
        return self._bundle.manifest.now_s

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return what was answered then. Raises what was raised then, and ConfigError."""
        kept = self._answers.get((query.name, grid))
        if kept is None or kept.expr != query.expr:
            _missing(f"the answer to query {query.name}", self._bundle)
        if kept.refusal is not None:
            raise _error(kept.refusal)
        steps = len(grid.times)
        if not 0 <= kept.rows <= MAX_SERIES or kept.rows * steps > MAX_CELLS:
            _damaged(query)
        labels = self._bundle.json(kept.labels, list[dict[str, str]])
        data = self._bundle.object(kept.values, MAX_CELLS * 8)
        if len(labels) != kept.rows or len(data) != kept.rows * steps * 8:
            _damaged(query)
        if any(set(query.labels) - set(one) or _long(one) for one in labels):
            _damaged(query)
        flat = np.frombuffer(data, dtype="u1").reshape(8, kept.rows * steps).T.copy()  # [N * T, 8]
        values = flat.reshape(-1).view("<f8").reshape(kept.rows, steps)
        return Answer(query, tuple(labels), values, grid.times, kept.warnings, kept.samples)


class BundledRepository:
    """The GitOps repository as far as it was read (the port `Repository`)."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._kept = bundle.manifest.repository
        self.shallow = self._kept.shallow
        self._files: dict[str, BundledFiles] = {}
        self._commits = {(one.sha, one.path, one.limit): one.commits for one in self._kept.histories}
        if any(not 0 <= commit.time_s <= LAST_S for found in self._commits.values() for commit in found):
            raise ConfigError("expected commits of this age", where="histories in the bundle")

    def head(self, base: str) -> str:
        """Return the commit the base branch pointed to."""
        return self._kept.heads.get(base) or _missing(f"branch {base}", self._bundle)

    def files(self, sha: str) -> BundledFiles:
        """Return the manifests of one commit; the same object for the same commit."""
        if sha not in self._files:
            kept = self._kept.files.get(sha) or _missing(f"commit {sha[:12]}", self._bundle)
            self._files[sha] = BundledFiles(self._bundle, sha, kept)
        return self._files[sha]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the commits that touched `path`."""
        found = self._commits.get((sha, path, limit))
        return _missing(f"the commits of {path[:80]}", self._bundle) if found is None else found


class BundledFiles:
    """The manifests of one commit (the port `Files`)."""

    def __init__(self, bundle: Bundle, sha: str, kept: CommitFiles) -> None:
        self._bundle, self._kept = bundle, kept
        self.sha, self.checkout = sha, kept.checkout
        self._tree: Mapping[str, TreeFile] | None = None

    def tree(self) -> Mapping[str, TreeFile]:
        """Return every entry of the commit by path."""
        if self._tree is None:
            if not self._kept.tree:
                _missing(f"the tree of {self.sha[:12]}", self._bundle)
            rows = self._bundle.json(self._kept.tree, list[TreeFile])
            self._tree = MappingProxyType({one.path: one for one in rows})
        return self._tree

    def read(self, path: str) -> bytes:
        """Return the content of a regular file. Raises EditRefused where that was raised."""
        return self._bundle.object(self._find(self._kept.read, path))

    def link(self, path: str) -> str:
        """Return where a symbolic link points. Raises EditRefused where that was raised."""
        return self._find(self._kept.links, path)

    def _find(self, kept: Mapping[str, str | Refusal], path: str) -> str:
        found = kept.get(path)
        if found is None:
            _missing(f"file {path[:80]}", self._bundle)
        if isinstance(found, Refusal):
            raise _error(found)
        return found


class BundledSilences:
    """What Alertmanager said (the port `Silences`)."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def muting(self, alerts: Sequence[Mapping[str, str]], at_s: int) -> tuple[str | None, ...]:
        """Return what muted these alerts. Raises what was raised then."""
        asked = tuple(dict(one) for one in alerts)
        kept = self._bundle.manifest.silences or ()
        found = next((one for one in kept if one.alerts == asked and one.at_s == at_s), None)
        if found is None:
            _missing("what Alertmanager said", self._bundle)
        if found.refusal is not None:
            raise _error(found.refusal)
        return found.names


def model(bundle: Bundle) -> Model | None:
    """Return the model of the run, None where the run had none. Raises ModelRefused as any model is."""
    kept = bundle.manifest.model
    if kept is None:
        return None
    with tempfile.TemporaryDirectory(prefix="aiops-bundle-") as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        (folder / "card.json").write_bytes(bundle.object(kept.card, _MAX_MODEL_BYTES))
        (folder / "model.onnx").write_bytes(bundle.object(kept.onnx, _MAX_MODEL_BYTES))
        return model_store.load(folder)


def _long(labels: Mapping[str, str]) -> bool:
    return any(len(text) > MAX_LABEL + 1 for text in labels.values())  # one more: the ellipsis of a cut


def _error(kept: Refusal) -> AiopsError:
    kind = _ERRORS.get(kept.code, ConfigError)
    return kind(kept.message or "this read failed in the run", where=kept.where, todo=kept.todo)


def _damaged(query: Query) -> NoReturn:
    raise ConfigError("expected one value per series and step", where=f"answer to {query.name} in the bundle")


def _missing(what: str, bundle: Bundle) -> NoReturn:
    made_by = bundle.manifest.aiops
    todo = (
        "compare its sha256 with the one that `run` printed"
        if made_by == __version__
        else f"replay with aiops {ascii(made_by[:20])[1:-1]}, which made it"
    )
    raise ConfigError(
        f"this aiops asks for {what}, which the bundle does not hold", where="replay", todo=todo
    )
