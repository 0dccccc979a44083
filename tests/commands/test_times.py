"""Times on the command line."""

import pytest

from aiops.commands.times import parse
from aiops.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1773829800", 1_773_829_800),
        ("2026-03-18T10:30:00Z", 1_773_829_800),
        ("2026-03-18T11:30:00+01:00", 1_773_829_800),
        ("2026-03-18", 1_773_792_000),
    ],
)
def test_a_time_reads_as_unix_seconds(text, expected):
    assert parse(text, "--at") == expected


@pytest.mark.parametrize("text", ["yesterday", "2026-03-18T10:30:00", "10:30", "2026-13-01", ""])
def test_a_time_without_a_zone_or_sense_is_refused(text):
    with pytest.raises(ConfigError, match="--at: expected a time"):
        parse(text, "--at")
