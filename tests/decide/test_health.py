from __future__ import annotations

import pytest

from aiops.decide import health


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        (812.4, "812"),
        (9_999.0, "9999"),
        (96_400.0, "96.4 thousand"),
        (999_499.0, "999 thousand"),
        (999_500.0, "1 million"),
        (7_037_352.0, "7.04 million"),
        (4.2e9, "4200 million"),
    ],
)
def test_a_count_of_requests_is_one_that_a_person_takes_in(requests: float, told: str) -> None:
    assert health._count(requests) == told
