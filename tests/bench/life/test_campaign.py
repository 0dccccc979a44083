"""A slice of `make life`: ten days, every four hours and at random."""

from __future__ import annotations

import pytest
from bench.life import campaign
from bench.life.story import Story

from aiops.domain import PullRequest


@pytest.mark.parametrize("schedule", ["4 h", "random"])
def test_ten_days_end_without_a_wrong_word(schedule: str) -> None:
    life = campaign.live(schedule, 10, 1)
    assert life.wrong == {}
    assert len(life.proposed) > 5
    assert {"merged, helped", "closed"} <= set(life.told)


def test_what_happens_does_not_depend_on_when_somebody_looks() -> None:
    first, second = Story(3, 10), Story(3, 10)
    for hour in range(240):
        first.until(campaign.START_S + hour * campaign.HOUR)
    second.until(campaign.START_S + 239 * campaign.HOUR)
    assert first.episodes == second.episodes
    assert first.files.head("main") == second.files.head("main")


def test_a_verdict_that_does_not_fit_the_truth_is_seen() -> None:
    story = Story(1, 10)
    episode = story.episodes[0]
    merged_s, end_s = episode.start_s, campaign.START_S + 10 * campaign.DAY
    pull = PullRequest(1, "", "", "merged", "", "", "", (), merged_s, merged_s, merged_s, None)
    episode.end_s = merged_s + 3 * campaign.HOUR
    assert campaign._verdict(episode, pull, "helped", end_s) == "said to help, and did not"
    episode.cured_by = 1
    assert campaign._verdict(episode, pull, "no-help", end_s) == "said not to help, and did"
    assert campaign._verdict(episode, pull, "helped", end_s) == ""
