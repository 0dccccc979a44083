"""Keeps what a run reads, while it reads it: ports around ports, into one zip file.

Comes in: the ports of a run. Goes out: the same answers, and an evidence bundle beside them.
Samples go to the disk as they come, so that keeping them takes no memory. A run is never worse for
it: what does not fit, or cannot be written, ends in a bundle that is not there, and the reason.

Errors are kept by their kind only, without words that may name hosts; the words of an EditRefused
are kept, because they become part of a decision. Of an address the user and the password are left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aiops import __version__
from aiops.domain import Answer, Checkout, Commit, Grid, Query, TreeFile
from aiops.edges import bundle
from aiops.edges.bundle import Answered, CommitFiles, History, Muted, Refusal
from aiops.errors import AiopsError, ConfigError, EditRefused
from aiops.ports import Files, Metrics, Repository, Silences

_LEVEL = 3  # of deflate: samples are mostly noise, more effort brings little
_USER = re.compile(r"(?<=://).*@")  # as far as `gitops.sources.address` looks


class Writer:
    """One bundle in the making. Wrap the ports, run, `finish`; `close` in any case."""

    def __init__(self, path: Path) -> None:
        """Open a file beside `path`. Raises ConfigError when the folder does not let us."""
        self.path = path
        self._lost = ""  # why there will be no bundle
        self._open = True
        self._size = 0
        self._objects: set[str] = set()
        self.answers: dict[tuple[str, Grid], Answered] = {}
        self.muted: list[Muted] | None = None
        self.kept = KeptRepository(self)
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        except OSError as error:
            raise ConfigError(f"cannot write: {error.strerror}", where=str(path)) from error
        self._temporary = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    def metrics(self, inner: Metrics) -> Metrics:
        """Return a source that answers the same and is listened to."""
        return _Metrics(self, inner)

    def repository(self, inner: Repository) -> Repository:
        """Return a repository that reads the same and is listened to."""
        self.kept.shallow = inner.shallow
        return _Repository(self.kept, inner)

    def silences(self, inner: Silences | None) -> Silences | None:
        """Return an Alertmanager that says the same and is listened to; None stays None."""
        if inner is None:
            return None
        self.muted = []
        return _Silences(self.muted, inner)

    def put(self, data: bytes) -> str:
        """Keep one object, once. Returns its name, the sha256."""
        name = hashlib.sha256(data).hexdigest()
        if self._open and name not in self._objects:
            self._objects.add(name)
            self._write(f"objects/{name}", data)
        return name

    def finish(
        self, settings: Mapping[str, Any], now_s: int, model_id: str, model: Path | None, plan: bytes
    ) -> str:
        """Write the manifest and give the file its name. Returns one line: what was kept, or why nothing."""
        try:
            folder = (
                None
                if model is None
                else bundle.ModelFiles(
                    self.put((model / "card.json").read_bytes()),
                    self.put((model / "model.onnx").read_bytes()),
                )
            )
        except OSError as error:
            folder, self._lost = None, f"cannot read the model: {error.strerror}"
        manifest = bundle.Manifest(
            schema=bundle.SCHEMA,
            aiops=__version__,
            now_s=now_s,
            settings=dict(settings),
            model_id=model_id,
            model=folder,
            answers=tuple(self.answers.values()),
            repository=self.kept.all(),
            silences=None if self.muted is None else tuple(self.muted),
            plan=self.put(plan),
        )
        text = bundle.encode(manifest)
        if len(text) > bundle.MAX_JSON_BYTES:
            self._lost = f"its manifest has {_mb(len(text))}, more than {_mb(bundle.MAX_JSON_BYTES)}"
        self._write(bundle.MANIFEST, text)
        return f"evidence not kept: {self._lost}" if self._lost else self._named()

    def close(self) -> None:
        """Remove what was not finished. The ports go on to answer."""
        self._open = False
        with contextlib.suppress(OSError):
            self._zip.close()
        with contextlib.suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _named(self) -> str:
        self._open = False
        try:
            self._zip.close()
            self._file.close()
            with self._temporary.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = self._temporary.stat().st_size
            self._temporary.replace(self.path)
        except OSError as error:
            return f"evidence not kept: cannot write: {error.strerror}"
        return f"evidence: {self.path}, {_mb(size)}, sha256 {digest}"

    def _write(self, name: str, data: bytes) -> None:
        self._size += len(data)
        if self._size > bundle.MAX_BYTES or len(self._objects) >= bundle.MAX_OBJECTS:
            limit = f"{_mb(bundle.MAX_BYTES)} in {bundle.MAX_OBJECTS} objects"
            self._lost = self._lost or f"this run read more than {limit}"
        if len(data) > bundle.MAX_OBJECT_BYTES:
            self._lost = self._lost or f"one answer has more than {_mb(bundle.MAX_OBJECT_BYTES)}"
        if self._lost:
            return
        info = zipfile.ZipInfo(name)  # of 1980: the same evidence gives the same file
        info.compress_type = zipfile.ZIP_DEFLATED
        try:
            self._zip.writestr(info, data, compresslevel=_LEVEL)
        except OSError as error:
            self._lost = f"cannot write: {error.strerror}"


class KeptRepository:
    """What was read of the repository so far."""

    def __init__(self, writer: Writer) -> None:
        self.put = writer.put
        self.shallow = False
        self.heads: dict[str, str] = {}
        self.histories: dict[tuple[str, str, int], History] = {}
        self.files: dict[str, tuple[Checkout, dict[str, str], dict[str, Any], dict[str, Any]]] = {}

    def all(self) -> bundle.RepositoryRead:
        """Return it as the manifest tells it."""
        files = {
            sha: CommitFiles(checkout, tree.get("", ""), read, links)
            for sha, (checkout, tree, read, links) in self.files.items()
        }
        return bundle.RepositoryRead(self.shallow, self.heads, files, tuple(self.histories.values()))


class _Metrics:
    def __init__(self, writer: Writer, inner: Metrics) -> None:
        self._writer, self._inner = writer, inner

    def now_s(self) -> int:
        return self._inner.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        key = (query.name, grid)
        try:
            answer = self._inner.read(query, grid)
        except AiopsError as error:
            self._writer.answers[key] = Answered(query.name, query.expr, grid, refusal=_refusal(error))
            raise
        values = np.ascontiguousarray(answer.values, dtype="<f8")  # [N, T]
        planes = np.ascontiguousarray(values.view("u1").reshape(-1, 8).T) if values.size else values
        self._writer.answers[key] = Answered(
            name=query.name,
            expr=query.expr,
            grid=grid,
            rows=len(answer.labels),
            labels=self._writer.put(bundle.encode([dict(one) for one in answer.labels])),
            values=self._writer.put(planes.tobytes()),
            warnings=answer.warnings,
            samples=answer.samples,
        )
        return answer


class _Repository:
    def __init__(self, kept: KeptRepository, inner: Repository) -> None:
        self._kept, self._inner = kept, inner
        self._files: dict[str, _Files] = {}
        self.shallow = inner.shallow

    def head(self, base: str) -> str:
        sha = self._inner.head(base)
        self._kept.heads.setdefault(base, sha)
        return sha

    def files(self, sha: str) -> Files:
        if sha not in self._files:
            self._files[sha] = _Files(self._kept, self._inner.files(sha))
        return self._files[sha]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        found = self._inner.commits(sha, path, limit)
        self._kept.histories[sha, path, limit] = History(sha, path, limit, found)
        return found


class _Files:
    def __init__(self, kept: KeptRepository, inner: Files) -> None:
        self._put, self._inner = kept.put, inner
        self.sha, self.checkout = inner.sha, inner.checkout
        told = tuple(_USER.sub("", one) for one in inner.checkout.addresses)
        stored = replace(inner.checkout, addresses=told)
        _, self._tree, self._read, self._links = kept.files.setdefault(inner.sha, (stored, {}, {}, {}))

    def tree(self) -> Mapping[str, TreeFile]:
        found = self._inner.tree()
        if not self._tree:
            self._tree[""] = self._put(bundle.encode(bundle.tree_rows(found)))
        return found

    def read(self, path: str) -> bytes:
        try:
            content = self._inner.read(path)
        except EditRefused as error:
            self._read[path] = _refusal(error)
            raise
        self._read[path] = self._put(content)
        return content

    def link(self, path: str) -> str:
        try:
            found = self._inner.link(path)
        except EditRefused as error:
            self._links[path] = _refusal(error)
            raise
        self._links[path] = found
        return found


class _Silences:
    def __init__(self, kept: list[Muted], inner: Silences) -> None:
        self._kept, self._inner = kept, inner

    def muting(self, alerts: Sequence[Mapping[str, str]], at_s: int) -> tuple[str | None, ...]:
        asked = tuple(dict(one) for one in alerts)
        try:
            names = self._inner.muting(alerts, at_s)
        except AiopsError as error:
            self._kept.append(Muted(asked, at_s, refusal=_refusal(error)))
            raise
        self._kept.append(Muted(asked, at_s, names))
        return names


def _refusal(error: AiopsError) -> Refusal:
    if isinstance(error, EditRefused):
        return Refusal(error.code, error.message, error.where, error.todo)
    return Refusal(error.code)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
