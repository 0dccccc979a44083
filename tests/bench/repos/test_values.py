"""What the values of a release say, read without the resolver."""

from __future__ import annotations

from typing import Any

import pytest
from bench.repos.values import Part, parts


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [Part("shop", tagged=False, counted=False)]),
        ({"image": {"tag": "v1"}, "replicaCount": 2}, [Part("shop", tagged=True, counted=True)]),
        ({"image": {"registry": "q", "repository": "a/b"}}, [Part("shop", tagged=False, counted=False)]),
        ({"image": {"repository": "a/b:v1"}}, [Part("shop", tagged=True, counted=False)]),
        ({"global": {"imageRegistry": "quay.io"}}, [Part("shop", tagged=False, counted=False)]),
        ({"autoscaling": {"minReplicas": 2}}, [Part("shop", tagged=False, counted=False)]),
        ({"autoscaling": {"enabled": True, "minReplicas": 2}}, [Part("shop", tagged=False, counted=True)]),
        ({"fullnameOverride": "web", "replicas": 1}, [Part("web", tagged=False, counted=True)]),
        (
            {"webhook": {"replicaCount": 2}},
            [Part("shop", tagged=False, counted=False), Part("shop-webhook", tagged=False, counted=True)],
        ),
        (
            {"controllers": {"web": {"containers": {"vpn": {"image": {"repository": "v", "tag": "1"}},
                                                    "app": {"image": {"repository": "a", "tag": "2"}}}}}},
            [Part("shop", tagged=True, counted=False, image="a:2")],
        ),
        (
            {"controllers": {"web": {"replicas": 1}, "cron": {"containers": {"app": {"image": "a/b"}}}}},
            [Part("shop-web", tagged=False, counted=True),
             Part("shop-cron", tagged=False, counted=False, image="a/b")],
        ),
    ],
)  # fmt: skip
def test_a_release_and_its_parts_are_named_with_what_sets_them(
    values: dict[str, Any], expected: list[Part]
) -> None:
    assert expected == parts("shop", values)


def test_values_from_elsewhere_may_set_anything_of_the_release() -> None:
    assert [Part("shop", tagged=True, counted=True)] == parts("shop", None, elsewhere=True)
