from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aiops.detect.features import INPUTS, KNOWN, LEADS
from aiops.edges import model_store
from aiops.errors import ConfigError, ModelRefused

STARTER = Path(__file__).parents[2] / "models" / "starter"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STARTER, tmp_path / "copy"))


def _rewrite(folder: Path, onnx: bytes | None = None, **card: object) -> None:
    """Change model and card so that the hash still fits: what an attacker would do."""
    if onnx is not None:
        kept = model_store.load(STARTER).card
        model_store.save(folder, onnx, kept.model_copy(update={"sha256": hashlib.sha256(onnx).hexdigest()}))
        return
    found = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**found, **card}))


def test_the_starter_loads_and_is_small() -> None:
    model = model_store.load(STARTER)
    assert model.id.startswith("starter@")
    assert model.card.metrics.beats_seasonal_naive
    assert sum(path.stat().st_size for path in STARTER.iterdir()) < 500_000


def test_what_was_saved_loads_and_forecasts(tmp_path: Path) -> None:
    model = model_store.load(STARTER)
    model_store.save(tmp_path / "new", (STARTER / "model.onnx").read_bytes(), model.card)
    again = model_store.load(tmp_path / "new")
    assert again.card == model.card
    x, known = np.zeros((2, 3, INPUTS), np.float32), np.zeros((2, 3, len(LEADS), KNOWN), np.float32)
    quantiles, _ = again.run(x, known, again.state(2))
    assert quantiles.shape == (2, 3, len(LEADS), 3)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"model.onnx", "card.json"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    card, onnx = model_store.load(STARTER).card, (STARTER / "model.onnx").read_bytes()
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ConfigError, match="cannot write: File exists"):
        model_store.save(tmp_path / "taken", onnx, card)


def test_the_page_is_written_beside_the_model_and_never_outlives_it(folder: Path) -> None:
    card, onnx = model_store.load(folder).card, (folder / "model.onnx").read_bytes()
    model_store.save(folder, onnx, card, "a page of \ud800")
    assert (folder / "card.html").read_bytes() == b"a page of ?"
    (folder / "card.html").write_text("[" * 50_000)  # it decides nothing
    assert model_store.load(folder).card == card

    model_store.save(folder, onnx, card)
    assert not (folder / "card.html").exists()


def test_the_page_of_the_starter_is_that_of_the_starter() -> None:
    assert model_store.load(STARTER).card.sha256[:12] in (STARTER / "card.html").read_text()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("name", ["model.onnx", "card.json"])
def test_a_flipped_bit_is_refused(folder: Path, name: str, share: float) -> None:
    data = bytearray((folder / name).read_bytes())
    place = int(share * (len(data) - 1))
    data[place] ^= 0x10
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(ModelRefused):
        model_store.load(folder)


@pytest.mark.parametrize("percent", range(0, 100, 7))
def test_a_truncated_model_is_refused(folder: Path, percent: int) -> None:
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) * percent // 100])
    with pytest.raises(ModelRefused, match="sha256"):
        model_store.load(folder)


def _pickled(folder: Path) -> None:
    _rewrite(folder, pickle.dumps({"weights": [1.0]}))


def _truncated(folder: Path) -> None:
    _rewrite(folder, (folder / "model.onnx").read_bytes()[:20_000])


def _oversized(folder: Path) -> None:
    _rewrite(folder, bytes(9_000_000))


def _wrong_size(folder: Path) -> None:
    card = model_store.load(STARTER).card.model_copy(update={"hidden": 41})
    model_store.save(folder, (STARTER / "model.onnx").read_bytes(), card)


def _other_leads(folder: Path) -> None:
    card = model_store.load(STARTER).card.model_copy(update={"leads": [1]})
    model_store.save(folder, (STARTER / "model.onnx").read_bytes(), card)


def _foreign(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", 1, [1, 11])
    out = onnx.helper.make_tensor_value_info("y", 1, [1, 11])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Tanh", ["x"], ["y"])], "g", [value], [out])
    _rewrite(folder, onnx.helper.make_model(graph).SerializeToString())


def _with_operator(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        onnx = pytest.importorskip("onnx")
        model = onnx.load_from_string((folder / "model.onnx").read_bytes())
        model.graph.node.append(onnx.helper.make_node(name, ["x"], ["odd"]))
        _rewrite(folder, model.SerializeToString())

    return change


def _outside(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string((folder / "model.onnx").read_bytes())
    tensor = onnx.TensorProto(dims=[4], data_type=1, name="odd", data_location=1)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/hostname"
    model.graph.initializer.append(tensor)
    _rewrite(folder, model.SerializeToString())


def _huge(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string((folder / "model.onnx").read_bytes())
    model.graph.initializer.append(onnx.TensorProto(dims=[1 << 33], data_type=1, name="odd"))
    _rewrite(folder, model.SerializeToString())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "No such file"),
        (lambda folder: (folder / "card.json").unlink(), "No such file"),
        (lambda folder: (folder / "model.onnx").write_bytes(b""), "sha256"),
        (lambda folder: (folder / "card.json").write_text("[" * 50_000), "card"),
        (lambda folder: (folder / "card.json").write_bytes(bytes(300_000)), "at most"),
        (lambda folder: _rewrite(folder, format="aiops.model/2"), "format"),
        (lambda folder: _rewrite(folder, surprise=1), "surprise"),
        (lambda folder: _rewrite(folder, hidden=41), "changed after"),
        (_rewrite, "changed after"),
        (lambda folder: _rewrite(folder, inputs=12), "inputs"),
        (lambda folder: _rewrite(folder, any_signal={"threshold": 0, "typical": 1}), "threshold"),
        (_pickled, "no ONNX file"),
        (_truncated, "no ONNX file"),
        (_oversized, "at most"),
        (_foreign, "inputs"),
        (_wrong_size, "inputs"),
        (_other_leads, "buckets ahead"),
        (_with_operator("Loop"), "Loop"),
        (_with_operator("If"), "If"),
        (_outside, "outside parts"),
        (_huge, "elements"),
    ],
)
def test_what_does_not_check_out_is_refused_in_one_line(
    folder: Path, change: Callable[[Path], object], reason: str
) -> None:
    change(folder)
    with pytest.raises(ModelRefused, match=reason) as caught:
        model_store.load(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert str(folder.parent) not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="No such file"):
        model_store.load(tmp_path / "nothing")
