"""The page of a model as text: what it says of good and of bad ones, and what it never holds."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from page import cards, reports
from page.test_page import Tags, skeleton

from aiops.domain import Workload
from aiops.page import model_card

TEXT = st.text(min_size=1, max_size=40) | st.sampled_from(reports.HOSTILE)


def words(markup: str) -> str:
    return " ".join(" ".join(Tags(markup).words).split())


def render(*signals, ours: float = 0.14, names=(), **data) -> str:
    return model_card.render(cards.card(**data), cards.held(*signals, ours=ours), names)


def test_it_says_what_was_learned_from_and_when_it_was_judged():
    told = words(render())
    assert "12 workloads 14 days of history 3 held-out days 0.21% left out as incidents" in told
    assert "Learned from the history of 2026-03-05 to 2026-03-19, at steps of 60 s, with seed 0." in told
    assert "Judged on 3 days, 2026-03-16 to 2026-03-18, held out: they chose when to stop" in told


def test_one_day_is_one_day():
    one = replace(cards.held(), days=1, from_s=cards.START_S)
    told = words(model_card.render(cards.card(), one, ()))
    assert "1 held-out day 0.21%" in told
    assert "Judged on 2026-03-18, held out" in told


def test_a_good_model_beats_and_a_bad_one_does_not_in_plain_words():
    good, bad = words(render()), words(render(cards.of_signal("request_rate", 0.3), ours=0.3))

    assert "mine beats seasonal-naive" in good
    assert "It beats seasonal-naive for each of 3 signals." in good
    assert "was no worse" not in good
    assert "mine does not beat seasonal-naive" in bad
    assert "It does not beat seasonal-naive for any of 1 signal." in bad
    assert "was no worse" in bad


def test_the_signals_that_it_does_not_forecast_better_are_named():
    told = words(render(cards.of_signal("request_rate"), cards.of_signal("error_ratio", 0.25)))
    assert "It beats seasonal-naive for 1 of 2 signals; it does not beat it for error_ratio." in told


def test_each_day_says_whose_it_is_and_by_which_rule_it_was_chosen():
    told = words(render(cards.of_signal("request_rate")))
    assert "of all held-out days of all workloads the one in the middle" in told
    assert "request_rate in req/s, prod-eu/shop/Deployment/shop, 2026-03-18" in told
    assert "absolute error 0.12, in the middle of 36 workload-days; 91% of all values are in the band" in told


def test_a_signal_without_a_whole_day_is_said_to_have_none():
    markup = render(cards.of_signal("request_rate"), cards.of_signal("late", shown=False))
    assert "late : no held-out day with half of its samples" in words(markup)
    assert markup.count('class="observed"') == 2  # the key, and the one day


def test_without_a_held_out_day_the_page_says_so_and_draws_nothing():
    markup = model_card.render(cards.card(), None, ())
    assert "mine was not judged" in words(markup)
    assert "No whole day with samples was left to hold out, so nothing is drawn" in words(markup)
    assert "<svg" not in markup
    assert "seasonal-naive" not in words(markup)


def test_what_a_card_does_not_tell_is_left_out():
    bare = cards.card().model_copy(update={"data": {}, "training": {}})
    told = words(model_card.render(bare, cards.held(), ()))
    assert "Learned from the history, at steps of - s, with seed -." in told
    assert "left out as incidents" not in told.split("Held-out error")[0]


def test_the_workloads_are_listed_up_to_a_limit():
    names = [Workload("", "shop", "", f"w{number:03}") for number in range(model_card.MAX_WORKLOADS + 5)]
    told = words(render(names=names[::-1]))
    assert "shop/w000 shop/w001" in told
    assert "shop/w399 and 5 more" in told


def test_the_same_history_gives_the_same_bytes_and_a_small_page():
    many = [cards.of_signal(f"signal_{number}") for number in range(10)]
    assert render(*many) == render(*many)
    assert len(render(*many).encode()) < 300_000


@hypothesis_settings(max_examples=20)
@given(TEXT)
def test_no_text_of_others_adds_an_element_or_an_attribute(text):
    def made(name: str) -> str:
        signals = (cards.of_signal(name, text=name), cards.of_signal(name, 0.3, text=name))
        return render(*signals, names=[Workload(name, name, name, name)], source=name)

    assert skeleton(made(text)) == skeleton(made("word"))


@pytest.mark.parametrize("text", ["a\u202eb\u200bc", "\x1b[31m"])
def test_what_hides_or_turns_text_around_is_shown_by_its_number(text):
    markup = render(cards.of_signal(text, text=text), names=[Workload("", text, "", text)])
    assert not {"\u202e", "\u200b", "\x1b"} & set(markup)
    assert "\\u{" in markup
