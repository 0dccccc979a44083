from __future__ import annotations

from dataclasses import replace

from aiops.decide import effects
from aiops.domain import (
    Capacity,
    Context,
    Hold,
    Rollback,
    Rollout,
    Scale,
    Surroundings,
    Target,
    Workload,
)

WEB = Workload("", "shop", "Rollout", "web")
BACK = Rollback("image.tag", "2", "1", "R1", "ran well")
MORE = Scale("hpa.max", 4, 6, "S3", "at its maximum")
TARGET = Target(WEB, "image.tag", (), None, None, (), None)


def context(**around):
    capacity = Capacity(3, 3, None, None, None)
    rollout = Rollout(None, None, (), None)
    return Context(WEB, (), (), (), None, capacity, rollout, (), (), (), around=Surroundings(**around))


def test_a_hold_sets_nothing_off():
    assert effects.of(Hold("G1", "no data"), WEB, context(), TARGET) == ()


def test_the_controllers_of_a_rollout_are_named():
    found = " ".join(effects.of(BACK, WEB, context(canary_failed=False), TARGET))
    assert "Argo Rollouts runs its steps" in found
    assert "Flagger analyses the older version" in found


def test_capacity_says_how_many_pods_and_who_decides_within_the_bounds():
    owned = replace(TARGET, owner="HorizontalPodAutoscaler/web")
    assert effects.of(MORE, WEB, context(), owned) == (
        "up to 2 more pods may run",
        "HorizontalPodAutoscaler/web decides how many run within the new bounds",
    )


def test_one_pod_is_one_pod():
    assert effects.of(replace(MORE, old=3, new=4), WEB, context(), TARGET)[0] == "up to 1 more pod may run"


def test_a_bot_that_proposes_newer_tags_is_named_where_a_tag_goes_back_and_nowhere_else():
    bots = ("Renovate (renovate.json)",)
    assert effects.of(BACK, WEB, context(), TARGET, bots)[-1] == (
        "Renovate (renovate.json) may propose 2 again, or merge it by itself: leave that version out there"
    )
    assert not any("Renovate" in text for text in effects.of(MORE, WEB, context(), TARGET, bots))
