from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aiops.detect.carried import ARRAYS, Carried
from aiops.edges import carried_store

ROWS, FED = 3, 600


def _carried(key: str = "a" * 64) -> Carried:
    rng = np.random.default_rng(7)
    clean = rng.standard_normal((ROWS, 290))
    clean[0, 3] = np.nan
    return Carried(
        key=key,
        fed=FED,
        digest=rng.integers(2**64, size=(ROWS, 2), dtype=np.uint64),
        fitted=rng.standard_normal((ROWS, 3)),
        hidden=rng.standard_normal((ROWS, 2, 40)).astype(np.float32),
        made=rng.standard_normal((ROWS, 3, 15, 3)).astype(np.float32),
        clean=clean,
        replaced=rng.random((ROWS, 290)) < 0.1,
        drawn=rng.standard_normal((ROWS, 3, 24)),
    )


def _file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written = _carried()
    carried_store.write(tmp_path / "new" / "folder", [written])
    (found,) = carried_store.read(tmp_path / "new" / "folder").values()
    assert (written.key, FED) == (found.key, found.fed)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(written, name), getattr(found, name))
        assert getattr(written, name).dtype == getattr(found, name).dtype


def test_a_run_replaces_what_the_run_before_it_kept(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("not ours")
    carried_store.write(tmp_path, [_carried("a" * 64), _carried("b" * 64)])
    carried_store.write(tmp_path, [_carried("b" * 64), _carried("c" * 64)])
    assert {"b" * 64, "c" * 64} == carried_store.read(tmp_path).keys()
    assert (tmp_path / "theirs.txt").read_text() == "not ours"


def test_an_empty_panel_is_kept_too(tmp_path: Path) -> None:
    whole = _carried()
    none = Carried(whole.key, whole.fed, *(getattr(whole, name)[:0] for name in ARRAYS))
    carried_store.write(tmp_path, [none])
    assert carried_store.read(tmp_path)[whole.key].clean.shape == (0, 290)


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    assert carried_store.read(tmp_path / "missing") == {}


@pytest.mark.parametrize("place", ["header", "size", "array", "end"])
@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_a_flipped_bit_anywhere_is_not_read(tmp_path: Path, place: str, flip: int) -> None:
    carried_store.write(tmp_path, [_carried()])
    data = bytearray(_file(tmp_path).read_bytes())
    line = data.index(b"\n")
    at = {"header": 12, "size": data.index(b"[[") + 2, "array": line + 200, "end": len(data) - 1}[place]
    data[at] ^= flip
    _file(tmp_path).write_bytes(data)
    assert carried_store.read(tmp_path) == {}


@pytest.mark.parametrize("keep", [0, 1, 300, -1])
def test_a_truncated_file_is_not_read(tmp_path: Path, keep: int) -> None:
    carried_store.write(tmp_path, [_carried()])
    data = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(data[:keep])
    assert carried_store.read(tmp_path) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "aiops.carried/2"),
        ("made_by", "another version of the code, or another processor"),
        ("shapes", [[2**31, 2**31]] * 7),
        ("shapes", [[-1, 2]] * 7),
        ("shapes", [[3, True]] * 7),
        ("shapes", "x"),
        ("shapes", None),
        ("fed", -1),
        ("fed", 1.5),
        ("sha256", 7),
    ],
)
def test_a_header_that_says_something_else_is_not_read(tmp_path: Path, field: str, value: object) -> None:
    carried_store.write(tmp_path, [_carried()])
    first, _, rest = _file(tmp_path).read_bytes().partition(b"\n")
    header = {**json.loads(first), field: value}
    _file(tmp_path).write_bytes(json.dumps(header).encode() + b"\n" + rest)
    assert carried_store.read(tmp_path) == {}


@pytest.mark.parametrize("text", [b"", b"[]\n", b"null\n", b"[" * 5_000, b"\xff\xfe\n", b'{"schema": 1}\n'])
def test_a_file_that_is_none_is_not_read(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "carried-0000.bin").write_bytes(text)
    assert carried_store.read(tmp_path) == {}


def test_one_bad_file_does_not_spoil_the_other(tmp_path: Path) -> None:
    carried_store.write(tmp_path, [_carried()])
    (tmp_path / "carried-0000.bin").write_bytes(b"{}\n")
    assert len(carried_store.read(tmp_path)) == 1


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_store.write(tmp_path, [_carried()])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        carried_store.write(tmp_path, [_carried()])
    assert len(list(tmp_path.iterdir())) == 1
    assert len(carried_store.read(tmp_path)) == 1
