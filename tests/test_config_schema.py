"""The schema for editors accepts what `load` accepts, and the page lists every key."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from aiops import config_schema
from aiops.commands import demo
from aiops.config import Config

ROOT = Path(__file__).parents[1]
SETTINGS = ("prometheus.yaml", "recording.yaml")
TEXTS = [demo.SETTINGS, *((ROOT / "pipelines" / name).read_text(encoding="utf-8") for name in SETTINGS)]
SMALL = {"prometheus": {"url": "http://x"}, "repository": {"path": "."}}


def errors(settings):
    return [
        error.message
        for error in jsonschema.Draft202012Validator(config_schema.schema()).iter_errors(settings)
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_every_file_that_we_ship_is_accepted(text):
    assert errors(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"step": "5m"}, 0),
        ({"step": 60}, 0),
        ({"step": "5 minutes"}, 1),
        ({"forgery": "local"}, 1),
        ({"prometheus": [{"url": "http://a", "cluster": "a"}, {"url": "http://b", "cluster": "b"}]}, 0),
        ({"prometheus": []}, 1),
        ({"signals": ["istoi"]}, 1),
        ({"queries": {"q": {"expr": "x", "unit": "s", "direction": "up", "min_deviation": 1}}}, 0),
    ],
)
def test_an_editor_marks_what_load_refuses_and_nothing_else(more, wrong):
    assert len(errors(SMALL | more)) == wrong


def test_the_page_is_what_the_settings_say():
    expected = config_schema.reference()
    assert expected == (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8"), (
        "run: python -c 'from aiops import config_schema as c; print(c.reference(), end=str())'"
        " > docs/configuration.md"
    )


def test_a_list_of_spans_is_told_as_one():
    assert "| `excluded` | a list of [from, to] |" in config_schema.reference()


def test_the_page_has_a_row_for_every_key():
    rows = {line.split("`")[1] for line in config_schema.reference().splitlines() if line.startswith("| `")}
    models = [Config.model_json_schema(), *Config.model_json_schema()["$defs"].values()]
    assert {key for model in models for key in model["properties"]} == rows
