from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aiops.detect.wide import TableScores
from aiops.edges import table
from aiops.errors import ConfigError

CSV = "timestamp,cpu,label,mem\n1773000000,1.5,0,2\n1773000300,,1,3\n1773000600,2.5,0,nan\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(CSV)
    return path


def test_signals_are_read_and_labels_are_left_out_with_a_notice(file: Path) -> None:
    found = table.read(file)
    assert found.columns == ("cpu", "mem")
    assert found.times.tolist() == [1_773_000_000, 1_773_000_300, 1_773_000_600]
    np.testing.assert_array_equal(found.values, [[1.5, 2], [np.nan, 3], [2.5, np.nan]])
    assert found.notices == ("column label is not scored: it holds labels",)


@pytest.mark.parametrize(
    ("columns", "drop", "kept"),
    [
        (("mem",), (), ("mem",)),
        ((), ("cpu",), ("mem",)),
        (("label",), (), ("label",)),
        ((), ("label",), ("cpu", "mem")),
    ],
)
def test_columns_are_chosen(
    file: Path, columns: tuple[str, ...], drop: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    assert table.read(file, columns, drop).columns == kept


@pytest.mark.parametrize(
    "stamps",
    [
        ["2026-03-08T20:00:00Z", "2026-03-08T20:05:00Z"],
        ["2026-03-08T21:00:00+01:00", "2026-03-08T21:05:00+01:00"],
        ["2026-03-08 20:00:00", "2026-03-08 20:05:00"],
        ["1773000000", "1773000300"],
        ["1773000000.0", "1773000300.0"],
    ],
)
def test_timestamps_are_unix_seconds_or_iso(tmp_path: Path, stamps: list[str]) -> None:
    path = tmp_path / "in.csv"
    path.write_text("timestamp,a\n" + "".join(f"{stamp},1\n" for stamp in stamps))
    assert table.read(path).times.tolist() == [1_773_000_000, 1_773_000_300]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not a table"),
        ("a,b\n1,2\n", "first column"),
        ("timestamp,a\nsoon,1\n", "unix seconds or ISO"),
        ("timestamp,a\n,1\n", "timestamp"),
        ("timestamp,a\n1773000000000,1\n", "divide milliseconds"),
        ("timestamp,a\n1,x\n", "'a' is not numeric"),
    ],
)
def test_what_is_no_such_table_is_a_usage_error(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=reason):
        table.read(path)


def test_an_unknown_column_or_file_is_a_usage_error(file: Path) -> None:
    with pytest.raises(ConfigError, match="no column 'gpu'"):
        table.read(file, ("gpu",))
    with pytest.raises(ConfigError, match="cannot be read"):
        table.read(file.with_name("nothing.csv"))
    with pytest.raises(ConfigError, match=r"expected \.csv"):
        table.read(file.with_name("in.xlsx"))


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_scores_have_the_rows_of_the_table_in_their_order(file: Path, tmp_path: Path, name: str) -> None:
    given = table.read(file)
    scores = TableScores(np.array([0.5, np.nan, 2.0]), np.arange(6.0).reshape(3, 2), 1, "lstm", None)
    table.write(tmp_path / name, given, scores)
    first = (tmp_path / name).read_bytes()
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    found = read(tmp_path / name)
    assert list(found.columns) == ["timestamp", "score", "score:cpu", "score:mem"]
    assert found["timestamp"].astype(str).tolist() == ["1773000000", "1773000300", "1773000600"]
    np.testing.assert_array_equal(found["score"], scores.score)
    np.testing.assert_array_equal(found[["score:cpu", "score:mem"]], scores.columns)
    table.write(tmp_path / name, given, scores)
    assert (tmp_path / name).read_bytes() == first
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv", name}


def test_what_was_written_can_be_read_again(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "again.parquet"
    pd.read_csv(file).to_parquet(path)
    assert table.read(path).columns == ("cpu", "mem")


def test_a_folder_that_is_not_there_is_a_usage_error(file: Path, tmp_path: Path) -> None:
    scores = TableScores(np.zeros(3), np.zeros((3, 2)), 1, "lstm", None)
    with pytest.raises(ConfigError, match="cannot be written"):
        table.write(tmp_path / "no" / "out.csv", table.read(file), scores)
