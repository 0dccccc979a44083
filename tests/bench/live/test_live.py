"""`make live` on a server that this project did not write, so that it works when somebody has a sandbox."""

from __future__ import annotations

import time

import pytest
import real
from bench.live import run

pytestmark = pytest.mark.real

TOKEN = "token-of-the-bot"


def test_every_step_finds_what_it_should_and_one_that_does_not_is_told():
    repos = [{"owner": "bot", "name": "sandbox", "auto_init": True}]
    seed = {
        "tokens": {TOKEN: {"login": "bot", "scopes": ["repo"]}},
        "github": {"users": [{"login": "bot"}], "repos": repos},
    }
    lines: list[str] = []
    with real.running_emulate(seed) as server:
        found = run.steps(TOKEN, server.base_url, "bot/sandbox", int(time.time()))
        assert run.told(found, lines.append) == 0, lines
    assert len(lines) == 15
    assert run.told(iter([("a thing", 1, 2)]), lines.append) == 1
    assert lines[-1] == "WRONG a thing: 1, expected 2"
