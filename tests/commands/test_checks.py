from __future__ import annotations

import pytest

from aiops.commands import checks


@pytest.mark.parametrize(
    ("used", "state", "said"),
    [
        (("istio", "kubernetes"), "ok", "who calls whom is asked"),
        (("hubble", "kubernetes"), "ok", "who calls whom is asked"),
        (("clients", "kubernetes"), "warning", "nothing is scaled"),
        (("nginx", "kubernetes"), "warning", "little but pods that cannot start leads to a proposal"),
        (("kubernetes",), "warning", "little but pods that cannot start leads to a proposal"),
    ],
)
def test_the_doctor_says_what_a_source_of_requests_will_never_lead_to(used, state, said):
    (line,) = checks.sources(used)
    assert (line.state, said in line.text) == (state, True)
