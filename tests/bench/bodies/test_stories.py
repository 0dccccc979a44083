"""One story of `make pictures`, as the suite can afford it: simulated, run, and drawn in a Chromium."""

from __future__ import annotations

import io

import pytest
import real
from bench.bodies import drawn, stories, stormy
from PIL import Image


@pytest.fixture(scope="module")
def shown():
    return stories.play(next(one for one in stories.STORIES if one.name == "cannot-start"))


def test_a_story_ends_in_the_body_that_a_forge_holds(shown):
    assert shown.title.startswith("Roll back apps/")
    assert shown.text.startswith("<!-- aiops:1 action=rollback ")
    assert "ImagePullBackOff" in shown.text.split("## Observed against")[0]


@pytest.mark.real
def test_the_picture_is_the_first_screen_and_its_chart_with_every_line_in_its_colour(shown):
    with real.running_chromium() as chromium:
        first = Image.open(io.BytesIO(drawn.png(chromium, shown.title, shown.text)))
        whole = Image.open(io.BytesIO(drawn.png(chromium, shown.title, shown.text, whole=True)))
    assert (first.width, whole.width) == (drawn.WIDTH, drawn.WIDTH)
    assert 800 < first.height < whole.height / 2
    colours = {colour for _, colour in first.convert("RGB").getcolors(maxcolors=1_000)}
    for red, green, blue in ((176, 196, 222), (220, 20, 60), (112, 128, 144), (255, 165, 0)):
        assert any(abs(r - red) + abs(g - green) + abs(b - blue) < 60 for r, g, b in colours)


def test_a_storm_opens_one_issue_and_no_pull_request():
    forge = stormy.storm(stories.SEED)
    (issue,) = forge.tracked
    assert (forge.kept, issue.state) == ([], "open")
    assert "| G-STORM | **tripped** | 16 of 16 workloads unexplained, 16 firing |" in issue.body


def test_a_story_that_does_not_come_about_says_so():
    calm = stories.Story("nothing", "nothing")
    with pytest.raises(LookupError, match="pull request 1 was not opened"):
        stories.play(calm)
