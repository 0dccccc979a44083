"""Exit codes: the worst wins, in the order of the contract."""

import pytest

from aiops.errors import SEVERITY, DataUnusable, worst


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 10], 10),
        ([10, 21], 21),
        ([21, 40], 40),
        ([40, 20], 20),
        ([20, 31], 31),
        ([50, 31], 50),
        ([30, 2], 2),
    ],
)
def test_the_worst_exit_code_wins(codes, expected):
    assert worst(codes) == expected
    assert worst(codes[::-1]) == expected


def test_an_unknown_exit_code_is_not_swallowed():
    assert worst([0, 99]) == 99


def test_every_known_code_wins_over_done():
    assert [worst([0, code]) for code in SEVERITY] == list(SEVERITY)


def test_an_error_is_one_line_with_place_and_next_step():
    error = DataUnusable("expected JSON, found HTML", where="http://prom", todo="check the address")
    assert str(error) == "http://prom: expected JSON, found HTML (check the address)"
