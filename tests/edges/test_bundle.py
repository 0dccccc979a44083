from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aiops.domain import Answer, Checkout, Commit, Grid, Query, TreeFile
from aiops.edges import bundle, bundle_reading, bundle_writing
from aiops.errors import ConfigError, DataUnusable, EditRefused

GRID = Grid(1_700_000_040, 1_700_000_040 + 60 * 4, 60)
RATE = Query("rate", "rate(x[5m])", "req/s", ("namespace", "workload"))
AWAY = Query("away", "absent", "", ("namespace",))
ODD = "caf\udce9.yaml"  # a name in Latin-1, as git keeps it
SHA = "a" * 40


class Source:
    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def now_s(self) -> int:
        return 7

    def read(self, query: Query, grid: Grid) -> Answer:
        if query is AWAY:
            raise DataUnusable("refused by http://user:canary@prometheus", where="canary")
        labels = tuple({"namespace": 'q"\n', "workload": f"é{row}"} for row in range(len(self.values)))
        return Answer(query, labels, self.values, grid.times, (), None)


class Manifests:
    sha = SHA
    checkout = Checkout(
        "main", default=True, addresses=("https://me:can/ary@git.example.com/a/b.git", "git@h:a/b")
    )

    def tree(self):
        return MappingProxyType(
            {ODD: TreeFile(ODD, "100644", "b" * 40, 3), "l": TreeFile("l", "120000", "c" * 40, 1)}
        )

    def read(self, path):
        if path == "l":
            raise EditRefused("a symbolic link", where="l", todo="look")
        return b"a: \xff\n"

    def link(self, path):
        if path != "l":
            raise EditRefused("not a symbolic link that can be read", where=path)
        return "../\udce9"


class Repository:
    shallow = True

    def head(self, base):
        return SHA

    def files(self, sha):
        return Manifests()

    def commits(self, sha, path, limit):
        return (Commit(SHA, 5, 'a "subject"', (ODD,)),)


class Alertmanager:
    def muting(self, alerts, at_s):
        if at_s:
            raise DataUnusable("away")
        return (None, "somebody")


def kept(folder: Path, read, source=None) -> tuple[bundle.Bundle, str]:
    """Listen to what `read(metrics, repository, silences)` reads; return the bundle and what was said."""
    writer = bundle_writing.Writer(folder / "e.zip")
    ports = writer.metrics(source or Source(np.zeros((1, 5)))), writer.repository(Repository())
    read(*ports, writer.silences(Alertmanager()))
    said = writer.finish({"step": 60}, 7, "", None, b"{}\n")
    writer.close()
    return bundle.Bundle(folder / "e.zip"), said


@given(arrays.arrays("<u8", st.tuples(st.integers(0, 3), st.just(5)), elements=st.integers(0, 2**64 - 1)))
def test_samples_come_back_bit_for_bit(tmp_path_factory, bits):
    folder = tmp_path_factory.mktemp("b")
    source = Source(bits.view("<f8"))
    opened, _ = kept(folder, lambda metrics, *_: metrics.read(RATE, GRID), source)
    said, again = source.read(RATE, GRID), bundle_reading.BundledMetrics(opened).read(RATE, GRID)
    assert (again.labels, again.warnings, again.samples) == (said.labels, (), None)
    assert again.values.tobytes() == bits.tobytes()


def read_everything(metrics, repository, silences):
    """Return everything these ports say, errors included."""
    found = [metrics.now_s(), repository.shallow, repository.head("main"), repository.commits(SHA, ODD, 3)]
    files = repository.files(SHA)
    assert repository.files(SHA) is files
    alerts = [{"a": "b"}, {}]
    for read in (
        lambda: dict(files.tree()),
        lambda: (files.sha, files.checkout.branch, files.checkout.default),
        lambda: files.read(ODD),
        lambda: files.read("l"),
        lambda: files.link("l"),
        lambda: files.link(ODD),
        lambda: silences.muting(alerts, 0),
    ):
        try:
            found.append(read())
        except EditRefused as error:
            found.append(str(error))
    for away in (lambda: metrics.read(AWAY, GRID), lambda: silences.muting(alerts, 1)):
        with pytest.raises(DataUnusable):
            away()
    return found


def test_the_repository_its_refusals_and_silences_come_back_as_they_were(tmp_path):
    said = []
    opened, _ = kept(tmp_path, lambda *ports: said.extend(read_everything(*ports)))
    again = read_everything(
        bundle_reading.BundledMetrics(opened),
        bundle_reading.BundledRepository(opened),
        bundle_reading.BundledSilences(opened),
    )
    assert again == said
    told = bundle_reading.BundledRepository(opened).files(SHA).checkout.addresses
    assert told == ("https://git.example.com/a/b.git", "git@h:a/b")
    with zipfile.ZipFile(tmp_path / "e.zip") as zipped:
        everything = b"".join(zipped.read(name) for name in zipped.namelist())
    assert b"canary" not in everything
    assert b"can/ary" not in everything


def test_what_was_not_read_is_asked_of_nobody(tmp_path):
    opened, _ = kept(tmp_path, lambda *_: None)
    repository = bundle_reading.BundledRepository(opened)
    for read in (
        lambda: bundle_reading.BundledMetrics(opened).read(RATE, GRID),
        lambda: repository.head("main"),
        lambda: repository.files(SHA),
        lambda: repository.commits(SHA, "a", 1),
        lambda: bundle_reading.BundledSilences(opened).muting([], 0),
    ):
        with pytest.raises(ConfigError, match="which the bundle does not hold"):
            read()


def test_the_same_reads_give_the_same_file(tmp_path):
    files = []
    for name in "ab":
        (tmp_path / name).mkdir()
        kept(tmp_path / name, read_everything)
        files.append((tmp_path / name / "e.zip").read_bytes())
    assert files[0] == files[1]


def test_what_does_not_fit_is_not_kept_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_BYTES", 1_000)
    writer = bundle_writing.Writer(tmp_path / "e.zip")
    answer = writer.metrics(Source(np.ones((40, 5)))).read(RATE, GRID)
    said = writer.finish({}, 7, "", None, b"{}\n")
    writer.close()
    assert len(answer.labels) == 40
    assert said == "evidence not kept: this run read more than 0.0 MB in 50000 objects"
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ends_early_leaves_no_file(tmp_path):
    writer = bundle_writing.Writer(tmp_path / "e.zip")
    writer.metrics(Source(np.ones((1, 5)))).read(RATE, GRID)
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot write: No such file"):
        bundle_writing.Writer(tmp_path / "none" / "e.zip")


def zipped(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in members:
            out.writestr(name, data)
    return path.read_bytes()


def end_record(entries: int, directory: int) -> bytes:
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, directory, 0, 0)


def hostile(path: Path) -> dict[str, bytes]:
    ours = (bundle.MANIFEST, b"{}")
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = zipped(path, ours, ours)
    plain = zipped(path, ours)
    central = plain.index(b"PK\1\2")
    larger = bytearray(plain)
    struct.pack_into("<L", larger, central + 24, 2**31)
    locked = bytearray(plain)
    locked[central + 8] |= 1
    return {
        "no such file": b"",
        "unpack requires": b"PK",
        "expected a small zip file": b"#!/bin/sh\n" * 9,
        "has no business in it": zipped(path, ours, ("../../.ssh/authorized_keys", b"x")),
        "'/etc/passwd' has no business": zipped(path, ours, ("/etc/passwd", b"x")),
        "'objects/../a' has no business": zipped(path, ours, ("objects/../a", b"x")),
        "a name stands in it twice": twice,
        "stored or deflated": zipped(path, ours, method=zipfile.ZIP_BZIP2),
        "members that are stored": bytes(locked),
        "bytes unpacked": bytes(larger),
        "at most 50000 objects": end_record(60_000, 10),
        "expected at most 50000": end_record(10, 2**30),
        "without a comment": plain[:-2] + b"\1\0x",
        "expected a small zip file in one part, without": plain[:-22]
        + b"PK\6\7".ljust(20, b"\0")
        + end_record(0, 0),
        "no bundle.json in it": zipped(path, ("objects/" + "a" * 64, b"x")),
        "expected JSON as": plain,
        "writes it: maximum recursion": zipped(path, (bundle.MANIFEST, b"[" * 1_000_000)),
        "of at most 33554432 bytes": zipped(path, (bundle.MANIFEST, b" " * (2**25 + 1))),
    }


def test_a_hostile_file_ends_in_one_line(tmp_path):
    file = tmp_path / "e.zip"
    for said, data in hostile(file).items():
        if data:
            file.write_bytes(data)
        else:
            file.unlink(missing_ok=True)
        with pytest.raises(ConfigError) as caught:
            bundle.Bundle(file)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_member_never_unpacks_to_more_than_it_says(tmp_path):
    file = tmp_path / "e.zip"
    data = bytearray(zipped(file, (bundle.MANIFEST, json.dumps({"a": "x" * 10**7}).encode())))
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 10)
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=r"^e\.zip: "):
        bundle.Bundle(file)
