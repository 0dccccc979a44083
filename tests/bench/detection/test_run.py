from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import real
from bench.detection import ours, peers, run
from bench.detection.series import Series, manifest

from aiops.edges import model_store
from aiops.errors import DataUnusable

_COLUMNS = "collection,series,file,domain,interval_s,train_len,family,kpi"


def _write(folder: Path, name: str, columns: int, rows: int = 1_500) -> None:
    rng = np.random.default_rng(columns)
    phase = np.arange(rows)[:, None] / 288 * 2 * np.pi
    values = 10 + 4 * np.sin(phase + np.arange(columns)) + rng.normal(size=(rows, columns)) * 0.3
    values[1_200:1_230] += 20
    label = np.zeros(rows, dtype=int)
    label[1_200:1_230] = 1
    frame = pd.DataFrame(values, columns=[f"m{i:02d}" for i in range(columns)])
    frame.insert(0, "timestamp", 1_773_000_000 + np.arange(rows) * 300)
    frame["label"] = label
    with gzip.open(folder / f"{name}.csv.gz", "wt") as file:
        frame.to_csv(file, index=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, columns in (("one", 1), ("two", 1), ("server", 3)):
        _write(tmp_path, name, columns)
    lines = [
        "nab,one,one.csv.gz,ads,300,700,,",
        "nab,two,two.csv.gz,tweets,300,700,,",
        "smd,server,server.csv.gz,server machine,300,700,,",
    ]
    (tmp_path / "manifest.csv").write_text("\n".join([_COLUMNS, *lines]) + "\n", encoding="utf-8")
    return tmp_path


def test_three_tables_end_to_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "CACHE", folder / "kept")
    monkeypatch.setattr(run, "PEERS_PYTHON", folder / "absent")
    monkeypatch.setenv("SEEDS", "1")
    monkeypatch.delenv("WSD", raising=False)
    monkeypatch.delenv("MODELS", raising=False)
    rules = {name: peers.METHODS[name] for name in ("seasonal-naive", "PromQL bands")}
    monkeypatch.setattr(peers, "METHODS", rules)
    peers.main(folder, folder / "kept", "one")
    assert run.main(folder) == 0
    out = capsys.readouterr().out
    assert "NAB: 2 series" in out
    assert "SMD: 1 series" in out
    assert "0 of 2 series have 4 days of history" in out
    assert "2 reused" in out
    assert "/ best peer (" in out
    assert "leakage, smd: none at 3 cuts, bit for bit" in out


def test_an_obvious_shift_is_ranked_and_found(folder: Path) -> None:
    from bench.detection import report

    model = model_store.load(real.CHECKOUT / "models" / "starter")
    series = manifest(folder)
    scores = [ours.score(one, model) for one in series]
    column = report.Column("ours", scores, ours=True, own_edge=True)
    found = report.measured(column, series, [one.label() for one in series])
    assert found.default.recall == 1.0
    assert found.default.delay_steps <= 3
    assert np.nanmin(found.vus) > 0.5


def test_a_peer_that_fails_or_answers_with_a_text_is_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(values: np.ndarray, train_len: int, step_s: int) -> np.ndarray:
        raise ValueError("too short")

    def told(values: np.ndarray, train_len: int, step_s: int) -> str:
        return "Model function 'run_X' is not defined."

    monkeypatch.setattr(peers, "METHODS", {"broken": broken, "told": told})
    peers.main(folder, folder / "kept", "one")
    failed = json.loads((folder / "kept" / "failed.json").read_text(encoding="utf-8"))
    assert failed["broken/nab/one"] == "ValueError: too short"
    assert "is not defined" in failed["told/smd/server"]
    assert not list((folder / "kept").rglob("*.npy"))


def test_scores_are_kept_for_the_same_method_and_file_alone(folder: Path) -> None:
    one = manifest(folder)[0]
    before = peers.kept(folder, "PromQL bands", one)
    assert before == peers.kept(folder, "PromQL bands", one)
    assert before != peers.kept(folder, "seasonal-naive", one)
    _write(folder, "one", 2)
    assert before != peers.kept(folder, "PromQL bands", one)


def test_near_copies_of_a_kpi_are_measured_once(folder: Path) -> None:
    lines = [_COLUMNS, "wsd,a,a.csv.gz,kpi,60,9,dev0,6-11", "wsd,b,b.csv.gz,kpi,60,9,dev0,6-11",
             "wsd,c,c.csv.gz,kpi,60,9,dev0,18-20"]  # fmt: skip
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert ["a", "c"] == [one.name for one in manifest(folder, "one")]
    assert ["a", "b", "c"] == [one.name for one in manifest(folder, "all")]
    assert {"dev0"} == {one.group for one in manifest(folder, "all")}


def test_training_on_too_short_a_history_says_how_many_series_have_one(folder: Path) -> None:
    with pytest.raises(DataUnusable, match="0 of 3 series have 4 days"):
        ours.train(manifest(folder), seed=0)


def test_the_panel_of_the_history_has_no_judged_row(folder: Path) -> None:
    one: Series = manifest(folder)[2]
    values = ours.panel(one).values  # noqa: PD011 - not a frame
    assert values.shape == (1, 3, 700)
    np.testing.assert_allclose(values[0].T, one.values()[:700], rtol=1e-6)
