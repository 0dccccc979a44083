"""Which workload a person means, and when to ask back."""

import pytest

from aiops.commands.targets import pick
from aiops.domain import Workload
from aiops.errors import ConfigError

EU = Workload("prod-eu", "shop", "Deployment", "cart")
US = Workload("prod-us", "shop", "Deployment", "cart")
DB = Workload("prod-eu", "shop", "StatefulSet", "db")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop/db", DB),
        ("shop/StatefulSet/db", DB),
        ("shop/statefulset/db", DB),
        ("prod-eu/shop/cart", EU),
        ("prod-us/shop/Deployment/cart", US),
    ],
)
def test_a_target_names_one_workload(text, expected):
    assert pick(text, [EU, US, DB]) == expected


def test_an_ambiguous_target_lists_the_candidates():
    with pytest.raises(
        ConfigError, match="one of: prod-eu/shop/Deployment/cart, prod-us/shop/Deployment/cart"
    ) as caught:
        pick("shop/cart", [US, EU, DB])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["cart", "", "/", "shop/car", "other/cart", "a/b/c/d/e"])
def test_an_unknown_target_lists_what_is_known(text):
    with pytest.raises(ConfigError, match="known: prod-eu"):
        pick(text, [EU, US, DB])
