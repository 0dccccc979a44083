"""Read a wide table from a file, write its scores: .csv, .csv.gz, .parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.detect.wide import Table, TableScores
from aiops.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

_LABELS = ("label", "is_anomaly")
_TIMESTAMP = "timestamp"


def read(path: Path, columns: tuple[str, ...] = (), drop: tuple[str, ...] = ()) -> Table:
    """Return the table of a file: first column `timestamp`, unix seconds or ISO 8601, UTC if unsaid.

    `columns`: only these; `drop`: not these. Columns called label or is_anomaly are left out with
    a notice. Raises ConfigError when the file is missing or no such table.
    """
    frame = _frame(path)
    where = str(path.name)
    if not len(frame.columns) or str(frame.columns[0]) != _TIMESTAMP:
        found = str(frame.columns[0]) if len(frame.columns) else "none"
        raise ConfigError(f"expected the first column to be `timestamp`, found {found!r}", where=where)
    names = [str(name) for name in frame.columns[1:]]
    if len(set(names)) < len(names):
        raise ConfigError("two columns have the same name", where=where)
    unknown = [name for name in (*columns, *drop) if name not in names]
    if unknown:
        raise ConfigError(
            f"there is no column {unknown[0]!r}", where=where, todo=f"it has {', '.join(names[:20])}"
        )
    labels = [name for name in names if name in _LABELS and name not in columns]
    kept = [name for name in names if name not in (*drop, *labels) and (not columns or name in columns)]
    notices = tuple(f"column {name} is not scored: it holds labels" for name in labels if name not in drop)
    values = np.empty((len(frame), len(kept)))
    for place, name in enumerate(kept):
        values[:, place] = _numbers(frame[name], name, where)
    stamps = frame[_TIMESTAMP]
    return Table(stamps.to_numpy(), _seconds(stamps, where), tuple(kept), values, notices)


def write(path: Path, table: Table, scores: TableScores) -> None:
    """Write `timestamp`, `score`, `score:<column>`: the rows of the table, in their order.

    The file is whole or absent. Raises ConfigError for another ending or a folder that is not there.
    """
    import pandas as pd

    data: dict[str, Any] = {_TIMESTAMP: table.timestamps, "score": scores.score}
    data |= {f"score:{name}": scores.columns[:, i] for i, name in enumerate(table.columns)}
    frame = pd.DataFrame(data)
    temporary = path.with_name(f".{path.name}.part")
    try:
        if path.name.endswith(".parquet"):
            frame.to_parquet(temporary, index=False)
        elif path.name.endswith(".csv.gz"):
            # mtime 0: the same scores are the same bytes.
            frame.to_csv(temporary, index=False, compression={"method": "gzip", "mtime": 0})
        elif path.name.endswith(".csv"):
            frame.to_csv(temporary, index=False)
        else:
            raise ConfigError("expected .csv, .csv.gz or .parquet", where=path.name)
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise ConfigError("expected .csv, .csv.gz or .parquet", where=path.name)
    try:
        if path.name.endswith(".parquet"):
            return pd.read_parquet(path)
        # The timestamp stays text, so that it is written back as it was.
        return pd.read_csv(path, dtype={_TIMESTAMP: str}, low_memory=False)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=path.name) from error
    except Exception as error:  # pandas and pyarrow raise a dozen types for a broken file
        first = (str(error).splitlines() or ["no reason given"])[0]
        raise ConfigError(f"is not a table: {first[:200]}", where=path.name) from error


def _numbers(column: pd.Series[Any], name: str, where: str) -> np.ndarray:
    try:
        found: np.ndarray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"column {name!r} is not numeric", where=where, todo=f"leave it out with --drop {name}"
        ) from error
    return found


def _seconds(stamps: pd.Series[Any], where: str) -> np.ndarray:
    """Return unix seconds [R]."""
    import pandas as pd

    numbers = pd.to_numeric(stamps, errors="coerce") if stamps.dtype.kind != "M" else None
    if numbers is not None and numbers.notna().all():
        found = numbers.to_numpy(dtype=np.float64)
    else:
        try:
            parsed = pd.to_datetime(stamps, utc=True, format=None if stamps.dtype.kind == "M" else "ISO8601")
        except (ValueError, TypeError) as error:
            raise ConfigError("column `timestamp`: expected unix seconds or ISO 8601", where=where) from error
        if parsed.isna().any():
            raise ConfigError("column `timestamp`: some rows have none", where=where)
        found = (parsed - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy()
    if not (np.isfinite(found).all() and (np.abs(found) < 1e11).all()):
        raise ConfigError(
            "column `timestamp`: expected unix seconds", where=where, todo="divide milliseconds by 1000"
        )
    whole: np.ndarray = np.floor(found).astype(np.int64)
    return whole
