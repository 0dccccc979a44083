"""The page of a backtest as text: what it says, and that foreign words stay words."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from page import backtests, reports
from page.test_page import Tags, skeleton

from aiops.errors import ConfigError
from aiops.page import backtest, calendar, calibrated, replayed, summary

TEXT = st.text(min_size=1, max_size=40) | st.sampled_from(reports.HOSTILE)


def html(given) -> str:
    return backtest.render(backtests.read(given))


def words(markup: str) -> str:
    return " ".join(" ".join(Tags(markup).words).split())


def test_the_page_says_how_many_how_right_and_what_they_cost():
    text = words(html(backtests.month()))
    assert "15 proposals: 5 right, 5 wrong, 5 unknown" in text
    assert (
        "4,465 runs from 2026-03-01 00:00 UTC to 2026-04-01 00:00 UTC, 3 of them without usable data" in text
    )
    assert "3.4 reviews a week" in text
    assert "50% precision" in text
    assert "15 (meets the wish) 0 0 0 0 0" in text
    assert "1.15.0 → 1.14.3 at 2026-03-04 10:45 UTC, never proposed" in text
    assert "proposed 25 min earlier" in text


def test_every_proposal_is_on_its_day_and_a_full_day_says_how_many_more():
    svg = calendar.drawing(backtests.read(backtests.month()).proposals, "2026-03-01", "2026-04-01")
    assert svg is not None
    links = [one.get("href") for one in svg.iter("a")]
    assert links == [f"#p{place}" for place in range(1, 12)]  # nine on the 30th, five of them drawn
    assert [one.text for one in svg.iter("text") if (one.text or "").startswith("+")] == ["+4"]
    days = [one for one in svg.iter("rect") if one.get("class") == "day"]
    assert len(days) == 31


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-03-02", "2026-03-01"), ("yesterday", "2026-03-01"), ("2020-01-01", "2026-01-01")],
)
def test_a_span_that_cannot_be_drawn_is_left_out(start, end):
    assert calendar.drawing((), start, end) is None


def test_what_was_promised_stands_beside_what_came():
    found = backtests.read(backtests.document()).calibration
    assert calibrated.told(found) == (
        "Of 3,100 days of workloads, 4.43 were to reach the score 1 for long enough to fire if all had been"
        " healthy (0.143 %); 23 did (0.742 %). Incidents and their victims are among these."
    )
    svg = calibrated.drawing(found)
    (line,) = [one for one in svg.iter("path") if one.get("class") == "observed"]
    assert line.get("d").count("L") == 4  # five scores were reached, the sixth never
    heights = [float(pair.split(" ")[1]) for pair in line.get("d")[1:].split("L")]
    assert heights == sorted(heights)


@pytest.mark.parametrize(
    "changes",
    [{"workload_days": 0}, {"observed": []}, {"predicted": {"score": 1.0, "share": 0.0}}],
)
def test_a_calibration_that_says_nothing_is_left_out(changes):
    given = backtests.document()
    given["calibration"] |= changes
    assert "Calibration" not in words(html(given))


def test_plans_and_nothing_found_are_called_so():
    text = words(
        html(backtests.document(plans={"refused": []}, calibration=None, thresholds=[], budget=None))
    )
    assert "Nothing would have been proposed" in text
    assert "4,465 plans from" in text
    assert "No run had usable data" in words(html(backtests.document(unusable=4_465)))


@hypothesis_settings(max_examples=40, deadline=None)
@given(TEXT)
def test_no_foreign_word_becomes_markup(text):
    plain = html(backtests.document(backtests.proposal(3), backtests.proposal(4, place=1)))
    hostile = html(
        backtests.document(backtests.proposal(3, text=text), backtests.proposal(4, text=text, place=1))
    )
    assert skeleton(hostile) == skeleton(plain)


def test_a_year_of_many_proposals_stays_small():
    found = [backtests.proposal(1 + place % 28, text="x" * 60, place=place) for place in range(900)]
    markup = html(backtests.document(*found))
    assert len(markup.encode()) < 600_000
    assert "and 500 more in the JSON document" in words(markup)


@pytest.mark.parametrize(
    "data", [b'{"schema": "aiops.backtest/1"}', b'{"schema": "aiops.backtest/1", "from": 3}']
)
def test_a_document_that_is_cut_is_one_line(data):
    assert replayed.is_one(data)
    with pytest.raises(ConfigError, match="not a backtest"):
        replayed.load(data, "x.json")


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": "aiops.report/1"}', b"[" * 100_000])
def test_another_document_is_not_taken_for_a_backtest(data):
    assert not replayed.is_one(data)


def test_the_summary_is_a_sentence_and_a_table_with_inert_words():
    found = backtests.read(backtests.document(backtests.proposal(3, text="<img src=x>|@me")))
    text = summary.of_backtest(found)
    assert text.startswith("### aiops backtest: 1 proposal: 1 right\n")
    assert "<img" not in text
    assert text.count("\n| ") == 3 - 1
