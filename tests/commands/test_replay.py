from __future__ import annotations

import pytest

from aiops.commands.replay import difference


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": [1, {"b": None}], "sha256": "x"}, {"a": [1, {"b": None}], "sha256": "y"}, ""),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "plan.a[1].b: 2 in the bundle, 3 now"),
        ({"a": 1, "b": 1}, {"b": 2}, "plan.a: 1 in the bundle, null now"),
        ({"a": 1, "items": []}, {"a": 2, "items": 3}, "plan.items: 0 entries in the bundle, 3 now"),
        ({"a": 1}, {"a": 1.0}, "plan.a: 1 in the bundle, 1.0 now"),
        ({"a": 1}, {"a": True}, "plan.a: 1 in the bundle, true now"),
        ([1], [1, 2], "plan: 1 entries in the bundle, 2 entries now"),
        (None, {}, "plan: null in the bundle, 0 entries now"),
        ("\x1b[31m", "a", 'plan: "\\u001b[31m" in the bundle, "a" now'),
        ({"\x1b": 1}, {}, "plan.\\x1b: 1 in the bundle, null now"),
    ],
)
def test_the_first_difference_is_named_in_ascii(before, now, expected):
    assert difference(before, now) == expected
