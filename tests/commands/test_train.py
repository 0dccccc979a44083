"""`aiops train` writes a model unless a better one is there, and says by how much."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from aiops.commands import train
from aiops.config import Config
from aiops.detect import training
from aiops.detect.model import Card
from aiops.domain import Answer, Grid, Panel, Query, Signal, Workload
from aiops.edges import model_store
from aiops.errors import ConfigError
from aiops.ingest import presets
from aiops.page import model_card
from aiops.page.words import plain

pytest.importorskip("torch")
DAY, STEP_S = 86_400, 300
QUICK = training.TrainSettings(name="mine", epochs=1, batches_per_epoch=2, rows_per_batch=4)
LONGER = dataclasses.replace(QUICK, batches_per_epoch=30)


@pytest.fixture(scope="module")
def panel() -> Panel:
    times = np.arange(20_500 * DAY, 20_507 * DAY, STEP_S, dtype=np.int64)
    rng = np.random.default_rng(1)
    wave = 10 + 5 * np.sin(2 * np.pi * times / DAY)
    values = (wave * rng.uniform(1, 5, (4, 1, 1)) + rng.normal(0, 0.5, (4, 1, len(times)))).astype(np.float32)
    workloads = tuple(Workload("c", "shop", "Deployment", name) for name in "abcd")
    return Panel(values, times, STEP_S, workloads, (Signal("request_rate", "req/s", "both", 0.5),))


@pytest.fixture(scope="module")
def made(panel: Panel) -> dict[str, tuple[bytes, Card]]:
    return {
        name: training.train([panel], settings, lambda _: None)
        for name, settings in (("weak", QUICK), ("good", LONGER))
    }


def saved(folder: Path, made: tuple[bytes, Card], panel: Panel) -> str:
    return train._saved(folder, *made, [panel], QUICK)


def test_a_worse_model_does_not_take_the_place_of_a_better_one(made, panel, tmp_path):
    saved(tmp_path, made["good"], panel)
    before = [(tmp_path / name).read_bytes() for name in ("card.json", "card.html")]

    said = saved(tmp_path, made["weak"], panel)

    assert [(tmp_path / name).read_bytes() for name in ("card.json", "card.html")] == before
    assert "card.html" not in said
    assert said.startswith(f"kept {tmp_path}, which is better on the same held-out day")
    assert "name another folder: --model" in said


def test_a_better_one_does(made, panel, tmp_path):
    saved(tmp_path, made["weak"], panel)

    said = saved(tmp_path, made["good"], panel)

    assert made["good"][1].sha256 in (tmp_path / "card.json").read_text()
    assert said.startswith(f"written to {tmp_path}; better on the same held-out day")
    assert made["good"][1].sha256[:12] in (tmp_path / "card.html").read_text()


def test_where_none_is_the_new_one_is_written_and_measured_beside_the_starter(made, panel, tmp_path):
    said = saved(tmp_path / "new", made["weak"], panel)

    assert (tmp_path / "new" / "model.onnx").is_file()
    assert "the starter model 0." in said


def test_the_page_tells_what_the_card_tells_and_is_the_same_each_time(made, panel, tmp_path):
    said = saved(tmp_path / "one", made["good"], panel)
    saved(tmp_path / "two", made["good"], panel)
    page = (tmp_path / "one" / "card.html").read_text()

    assert f"see whether it learned anything: {tmp_path / 'one' / 'card.html'}" in said
    assert page == (tmp_path / "two" / "card.html").read_text()
    metrics = made["good"][1].metrics
    assert f"mine {'beats' if metrics.beats_seasonal_naive else 'does not beat'} seasonal-naive" in page
    for error in (metrics.mae, metrics.mae_seasonal_naive, metrics.pinball, metrics.pinball_seasonal_naive):
        assert f">{plain(error)}</text>" in page
    assert "c/shop/Deployment/" in page
    assert page.count('class="band"') == 2  # one signal, and the key


def test_a_page_that_cannot_be_drawn_loses_no_model(made, panel, tmp_path, monkeypatch):
    saved(tmp_path, made["weak"], panel)
    monkeypatch.setattr(model_card, "render", lambda *_: 1 / 0)

    said = saved(tmp_path, made["good"], panel)

    assert "its page could not be drawn: ZeroDivisionError: division by zero" in said
    assert model_store.load(tmp_path).card.sha256 == made["good"][1].sha256
    assert not (tmp_path / "card.html").exists()  # that of the model before would tell of another


def test_a_damaged_model_is_no_better_one(made, panel, tmp_path):
    (tmp_path / "card.json").write_text("{}")

    assert "what was there is not usable" in saved(tmp_path, made["weak"], panel)
    assert made["weak"][1].sha256 in (tmp_path / "card.json").read_text()


def test_without_torch_or_a_folder_the_next_step_is_said(monkeypatch, tmp_path):
    config = Config.model_validate({"prometheus": {"url": "http://x"}, "repository": {"path": "."}})
    with pytest.raises(ConfigError, match="name one, for example models/mine"):
        train._folder(None, config)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'aiops\[train\]'"):
        train._folder(tmp_path, config)


class Fleet:
    """Answers every query for many workloads, each with its number as its value."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def now_s(self) -> int:
        return 0

    def read(self, query: Query, grid: Grid) -> Answer:
        names = (query.cluster_label, query.namespace_label, query.workload_label)
        labels = tuple(dict(zip(names, ("c", "shop", name), strict=True)) for name in self.names)
        values = np.arange(len(self.names), dtype=float)[:, None] * np.ones(len(grid.times))
        return Answer(query, labels, values, grid.times)


def learned(names: list[str], said: list[str]) -> Panel:
    queries = presets.signal_queries(("istio", "kubernetes"))
    return train._history(Fleet(names), queries, Grid(0, 600, 60), said.append)


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_learned(tmp_path):
    config = Config.model_validate({"prometheus": {"url": "http://x"}, "repository": {"path": "."}})
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "mine"):
        with pytest.raises(ConfigError, match="cannot be written"):
            train._folder(folder, config)
    assert train._folder(tmp_path / "new" / "mine", config) == tmp_path / "new" / "mine"


def test_of_a_large_fleet_the_same_sample_is_learned_from_each_time():
    names, said = [f"w{number:04}" for number in range(1_000)], []
    panel = learned(names, said)

    assert said == ["learning from 200 of 1000 workloads"]
    assert panel.values.shape == (200, 7, 11)
    assert {int(one.name[1:]) for one in panel.workloads} == set(panel.values[:, 3, 0].astype(int))
    assert learned(names[::-1], []).workloads == panel.workloads
    # One more workload moves at most one out of the sample.
    assert len(set(learned([*names, "new"], []).workloads) & set(panel.workloads)) >= 199


def test_of_a_small_fleet_every_workload_is_learned_from():
    said: list[str] = []
    assert (len(learned(["a", "b"], said).workloads), said) == (2, [])


def test_after_each_epoch_the_time_that_is_left_is_said(monkeypatch, panel):
    clock = iter([0.0, 30.0, 60.0])
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))
    said: list[str] = []
    training.train([panel], dataclasses.replace(QUICK, epochs=2), train._with_time_left(said.append))

    assert [text.partition(", at most ")[2] for text in said if "held-out loss" in text] == [
        "0.5 min left",
        "0.0 min left",
    ]
