"""Days looked at in other processes give the replay of one process."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from evaluate.conftest import BACK_S, BAD_S, END_S

from aiops import connect
from aiops.config_file import load
from aiops.errors import ConfigError
from aiops.evaluate import spread
from aiops.evaluate.backtest import follow, replay
from aiops.evaluate.looking import Look

EVERY_S = 900
SPAN = (BAD_S, END_S, EVERY_S)


def doors(config_file: Path):
    """Open what a worker needs; it must be importable there."""
    config = load(config_file)
    return connect.job(config, []), connect.metrics(config, 300), connect.repository(config)


def quiet(_):
    return None


def test_parts_in_two_processes_are_the_replay_of_one(past):
    expected = replay(*past.doors(), SPAN, quiet)
    job, metrics, repository = past.doors()
    look, told = Look(job, metrics, repository, END_S), []
    parts_s = (BACK_S - BAD_S) * 2  # the surge lies in another part than the bad release
    ahead = spread.ahead(partial(doors, past.config), look, SPAN, 2, told.append, parts_s)

    assert len(told) > 1
    assert follow(job, ahead, SPAN, quiet) == expected
    assert len(expected.proposals) == 2
    assert look._world.now == 0  # nothing had to be looked at here


def test_a_run_that_nobody_prepared_is_looked_at_here(past):
    job, metrics, repository = past.doors()
    span = (BAD_S + 1_200, BAD_S + 2_400, 600)
    look = Look(job, metrics, repository, span[1])
    ahead = spread.Ahead(
        look, [spread._Part({now_s: look.at(now_s) for now_s in range(span[0], span[1] + 1, 600)})]
    )

    assert follow(job, ahead, span, quiet).proposals[0].workload.name == "checkout"


def test_what_a_worker_cannot_open_is_the_same_clear_error(past, tmp_path):
    look = Look(*past.doors(), END_S)
    with pytest.raises(ConfigError, match="no configuration here"):
        spread.ahead(partial(doors, tmp_path / "aiops.yaml"), look, SPAN, 2, quiet)
