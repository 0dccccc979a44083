from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench.incidents import campaign, plants, recall

from aiops.edges import model_store


def test_what_was_made_once_is_read_again_until_the_sources_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plants, "CACHE", tmp_path)
    made = []

    def make() -> plants.Arrays:
        made.append(1)
        return {"values": np.array([1.5, np.nan], dtype=np.float32), "names": np.array(["a", "bc"])}

    first, second = plants.kept("a mesh", make), plants.kept("a mesh", make)
    assert 1 == len(made)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    plants.kept("another mesh", make)
    monkeypatch.setattr(plants, "SOURCES", "other text")
    plants.kept("a mesh", make)
    assert 3 == len(made)


def test_an_obvious_fault_is_caught_and_the_hour_before_it_is_the_twin_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = 404  # a small mesh: 8 services
    case = next(one for one in campaign.cases(seed) if one.kind == "crash-loop")
    case = campaign.Case(seed, "errors", 1, 0.5, case.service, case.start_s)
    monkeypatch.setattr(plants, "CACHE", tmp_path)
    monkeypatch.setattr(campaign, "cases", lambda _: (case,))
    there, _, kept = recall.simulated(seed)
    before = (case.start_s - there.start_s) // 60 - 10
    np.testing.assert_array_equal(kept["tail0"][:, :, 0], kept["values"][:, :, before])
    (found,) = recall.judge(seed, model_store.load(plants.ROOT / "models" / "starter"))
    assert found.broken
    assert found.shown
    assert found.faulty_s is not None
    assert 15 * 60 <= found.faulty_s <= 25 * 60
