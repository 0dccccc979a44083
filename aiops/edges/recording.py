"""A recording: the answers of all named queries in a folder, one Parquet file each.

Comes in: a source of metrics and a grid, or such a folder. Goes out: the folder, or the identical
answers. `manifest.json` holds the grid, the text of every query and the sha256 of every file:
an answer of another query text, or of a damaged file, is never replayed.

A Parquet file has one row per series: a string column per label, and `values`, one fixed-size
list of float64 with a place for each step of the grid (NaN = no sample).

A folder from elsewhere is untrusted: names are checked before they become paths, sizes before
memory is taken, and nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
import numpy as np

from aiops.domain import Answer, Grid, Query
from aiops.errors import ConfigError, DataUnusable
from aiops.ingest.grids import columns
from aiops.ingest.replies import MAX_CELLS, MAX_SERIES

SCHEMA = "aiops.recording/1"
MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 1_000_000
_MAX_FILE_BYTES = 2**30
_MAX_STEPS = 1_100_000  # two years of minutes
_MAX_STEP_S = 86_400
# What is kept unpacked: a run asks for three windows of the same files.
_KEPT_BYTES = 2**28
# pyarrow's exceptions derive from these; its own base class would have to be imported to be named.
_ARROW_RAISES = (ValueError, KeyError, TypeError, OSError, MemoryError, NotImplementedError, OverflowError)

# A query's name becomes a file name, so nothing else may stand there.
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,62}\Z")]


class Source(Protocol):
    """What this room needs of a source of metrics."""

    def read(self, query: Query, grid: Grid) -> Answer:
        """Answer one named query on a grid."""
        ...


class _Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One query: its text, its labels, and what was said when it was answered."""

    expr: str
    labels: list[str]
    series: int
    sha256: str
    warnings: list[str]
    samples: int | None


class _Grid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start_s: int
    end_s: int
    step_s: int


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    grid: _Grid
    queries: dict[_Name, _Recorded]


def record(
    metrics: Source, queries: Sequence[Query], grid: Grid, directory: Path, tell: Callable[[str], None]
) -> None:
    """Save what `metrics` answers to `queries` on `grid`; `tell` hears one line per query.

    All or nothing: the folder appears, or replaces an older recording, once every file is written.
    Raises ConfigError when `directory` holds something else, and whatever `metrics.read` raises.
    """
    directory = directory.resolve()
    _refuse_other(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        recorded = {}
        for number, query in enumerate(sorted(queries, key=lambda one: one.name), start=1):
            tell(f"recording {query.name} ({number} of {len(queries)})")
            answer = metrics.read(query, grid)
            content = _parquet(answer)
            (fresh / f"{query.name}.parquet").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            warnings = list(answer.warnings)
            recorded[query.name] = _Recorded(
                query.expr, sorted(query.labels), len(answer.labels), digest, warnings, answer.samples
            )
        manifest = _Manifest(SCHEMA, _Grid(grid.start_s, grid.end_s, grid.step_s), recorded)
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        (fresh / MANIFEST).write_bytes(text + b"\n")
        if directory.exists():
            directory.rename(Path(scratch) / "older")
        fresh.rename(directory)


class RecordedMetrics:
    """Replays a recording. Read-only; files are checked against the manifest when first read."""

    def __init__(self, directory: Path) -> None:
        """Read the manifest. Raises ConfigError without one, DataUnusable for a damaged one."""
        self._directory = directory
        self._manifest = _read_manifest(directory)
        grid = self._manifest.grid
        self._grid = Grid(grid.start_s, grid.end_s, grid.step_s)
        self._kept: dict[str, tuple[list[dict[str, str]], np.ndarray]] = {}
        self._free = _KEPT_BYTES

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return what the server answered on the steps of `grid`; steps outside have no sample.

        Like a server, it leaves out series without a sample on this grid. Raises ConfigError when
        the query or the grid was not recorded, DataUnusable when a file is damaged.
        """
        recorded = self._recorded(query)
        found = columns(self._grid, grid)
        if found is None:
            raise ConfigError(
                f"recorded every {self._grid.step_s} s from {self._grid.start_s}, asked every {grid.step_s} s"
                f" from {grid.start_s}",
                where=str(self._directory),
                todo=f"set `step: {self._grid.step_s}s`, or record again with the step you need",
            )
        labels, everything = self._rows(query.name, recorded)
        values = np.where(found >= 0, everything[:, found], np.nan)  # [N, T recorded] -> [N, T]
        kept = np.flatnonzero(np.isfinite(values).any(axis=1))
        return Answer(
            query=query,
            labels=tuple(labels[row] for row in kept),
            values=values[kept],
            times=grid.times,
            warnings=tuple(recorded.warnings),
            samples=recorded.samples,
        )

    def now_s(self) -> int:
        """Return the newest recorded step.

        A run on a recording is then the run that `--at` this time makes on the server: both judge
        up to their evaluation delay before it.
        """
        return self._grid.start_s + (len(self._grid.times) - 1) * self._grid.step_s

    def _recorded(self, query: Query) -> _Recorded:
        recorded = self._manifest.queries.get(query.name)
        if recorded is None:
            why = f"query {query.name} was not recorded"
        elif recorded.expr != query.expr or recorded.labels != sorted(query.labels):
            why = f"query {query.name} was recorded with another text"
        else:
            return recorded
        raise ConfigError(
            why, where=str(self._directory), todo="record again with the queries of this aiops.yaml"
        )

    def _rows(self, name: str, recorded: _Recorded) -> tuple[list[dict[str, str]], np.ndarray]:
        """Return labels and values [N, T] of one file, checked."""
        if name not in self._kept:
            found = self._read(name, recorded)
            if found[1].nbytes > self._free:
                return found
            self._free -= found[1].nbytes
            self._kept[name] = found
        return self._kept[name]

    def _read(self, name: str, recorded: _Recorded) -> tuple[list[dict[str, str]], np.ndarray]:
        path = self._directory / f"{name}.parquet"
        try:
            if path.is_symlink() or path.stat().st_size > _MAX_FILE_BYTES:
                raise self._damaged(name, f"a regular file of at most {_MAX_FILE_BYTES} bytes")
            content = path.read_bytes()
        except OSError as error:
            raise self._damaged(name, "a readable file") from error
        if hashlib.sha256(content).hexdigest() != recorded.sha256:
            raise self._damaged(name, "the sha256 of the manifest")
        try:
            return _unpack(content, recorded, len(self._grid.times))
        except _ARROW_RAISES as error:
            raise self._damaged(name, "one row per series and one value per step") from error

    def _damaged(self, name: str, expected: str) -> DataUnusable:
        return DataUnusable(
            f"damaged recording: expected {expected}",
            where=str(self._directory / f"{name}.parquet"),
            todo="record again",
        )


def _parquet(answer: Answer) -> bytes:
    """Return one answer as a Parquet file; the same answer gives the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    steps = len(answer.times)
    flat = pa.array(np.ascontiguousarray(answer.values, dtype=np.float64).reshape(-1))
    names = sorted(answer.query.labels)
    arrays = [pa.array([labels.get(name, "") for labels in answer.labels], pa.string()) for name in names]
    arrays.append(pa.FixedSizeListArray.from_arrays(flat, steps))
    table = pa.Table.from_arrays(arrays, names=[f"label_{name}" for name in names] + ["values"])
    out = io.BytesIO()
    # Split by byte, the exponents of neighbouring samples stand together: half the size of plain zstd.
    split = [f"label_{name}" for name in names]
    pq.write_table(
        table,
        out,
        compression="zstd",
        use_dictionary=split,
        column_encoding={"values.list.element": "BYTE_STREAM_SPLIT"},
        write_statistics=False,
    )
    return out.getvalue()


def _unpack(content: bytes, recorded: _Recorded, steps: int) -> tuple[list[dict[str, str]], np.ndarray]:
    """Return labels and values [N, steps]. Raises ValueError when the file has another shape."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    names = recorded.labels
    rows = file.metadata.num_rows
    if rows != recorded.series or rows > MAX_SERIES or rows * steps > MAX_CELLS:
        raise ValueError("number of series")
    expected = pa.schema(
        [(f"label_{name}", pa.string()) for name in names] + [("values", pa.list_(pa.float64(), steps))]
    )
    if not file.schema_arrow.equals(expected):
        raise ValueError("columns")
    table = file.read()
    flat = table.column("values").combine_chunks().flatten()  # [N * T]
    if flat.null_count or len(flat) != rows * steps:
        raise ValueError("a series without values")
    # By its buffer: pyarrow's own way to numpy imports pandas, a second of CPU.
    whole = np.frombuffer(flat.buffers()[1], dtype=np.float64) if len(flat) else np.empty(0)
    values = whole[flat.offset : flat.offset + len(flat)].reshape(rows, steps)
    texts = [table.column(f"label_{name}").to_pylist() for name in names]
    if any(text is None for column in texts for text in column):
        raise ValueError("a label without a value")
    return [dict(zip(names, row, strict=True)) for row in zip(*texts, strict=True)], values


def _read_manifest(directory: Path) -> _Manifest:
    path = directory / MANIFEST
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise DataUnusable(f"expected at most {_MAX_MANIFEST_BYTES} bytes", where=str(path))
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            "no recording here", where=str(directory), todo="write one with `aiops record`"
        ) from error
    try:
        manifest = msgspec.json.decode(text, type=_Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataUnusable("damaged manifest of a recording", where=str(path), todo="record again") from error
    grid = manifest.grid
    steps = (grid.end_s - grid.start_s) // grid.step_s + 1 if 0 < grid.step_s <= _MAX_STEP_S else 0
    if manifest.schema != SCHEMA or not 0 < steps <= _MAX_STEPS or not 0 <= grid.start_s < 2**40:
        raise DataUnusable(
            f"expected a recording of schema {SCHEMA}", where=str(path), todo="record again with this version"
        )
    return manifest


def _refuse_other(directory: Path) -> None:
    """Refuse to replace a folder that is no recording: the user may have mistyped."""
    if directory.is_dir() and any(directory.iterdir()) and not (directory / MANIFEST).is_file():
        raise ConfigError(
            "this folder holds something else", where=str(directory), todo="name an empty or a new folder"
        )
    if directory.exists() and not directory.is_dir():
        raise ConfigError("this is a file", where=str(directory), todo="name a folder")
