"""A slice of `make fuzz-text`, and that it would notice a string that acts."""

from __future__ import annotations

from bench.texts import run


def test_of_hostile_strings_none_acts():
    count, found, examples = run.part((0, 300))
    assert (count, dict(found), examples) == (300, {}, [])


def test_a_place_that_lets_text_through_is_noticed(monkeypatch):
    monkeypatch.setattr(run.inert, "prose", lambda text: text)
    _, found, _ = run.part((0, 60))
    assert found["body: mention"] > 0
    assert found["body: command"] > 0


def test_a_log_that_lets_text_through_is_noticed(monkeypatch):
    monkeypatch.setattr(run.terminal, "shielded", lambda text: text)
    _, found, _ = run.part((0, 60))
    assert found["log: ::error::"] > 0
