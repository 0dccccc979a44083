from __future__ import annotations

from collections import Counter

import pytest
from bench.incidents import campaign
from bench.incidents.meshes import DAY, MINUTE

from aiops.mesh.faults import Deploy


def test_the_list_is_a_function_of_the_seed() -> None:
    assert campaign.cases(7) == campaign.cases(7)
    assert campaign.stage(7) == campaign.stage(7)
    assert campaign.cases(7) != campaign.cases(8)


def test_five_seeds_have_every_level_of_every_kind_twice() -> None:
    seen = Counter((case.kind, case.level) for seed in range(5) for case in campaign.cases(seed))
    expected = {
        (kind, level + 1): 2 if len(sizes) == 5 else 5
        for kind, sizes in campaign.MAGNITUDES.items()
        for level in range(len(sizes))
    }
    assert expected == dict(seen)


@pytest.mark.parametrize("seed", range(5))
def test_every_fault_is_about_a_service_of_its_mesh_and_watched_on_the_last_day(seed: int) -> None:
    there = campaign.stage(seed)
    names = {service.name for service in there.there.mesh.services}
    for case in campaign.cases(seed):
        assert case.service in names
        assert there.day_s + 2 * 60 * MINUTE <= case.start_s
        assert case.end_s <= there.day_s + DAY
        assert getattr(campaign.event(case, "node-0"), "service", case.service) == case.service


def test_a_release_is_bad_by_the_magnitude_of_its_case() -> None:
    case = campaign.Case(1, "latency", 3, 300.0, "web", 6_000)
    event = campaign.event(case, "node-0")
    assert isinstance(event, Deploy)
    assert event.defect is not None
    assert ("latency", 300.0) == (event.defect.kind, event.defect.magnitude)


def test_magnitudes_go_from_obvious_to_barely_visible() -> None:
    for sizes in campaign.MAGNITUDES.values():
        assert sorted(sizes, reverse=True) == list(sizes)
