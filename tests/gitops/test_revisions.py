"""Which revision an Application or a Flux source deploys, beside the branch that is read."""

from __future__ import annotations

import pytest

from aiops.domain import Checkout
from aiops.gitops import revisions, sources

MAIN = Checkout("main", default=True, addresses=("https://git.example.com/acme/gitops.git",))


@pytest.mark.parametrize(
    ("checkout", "revision", "reason"),
    [
        (MAIN, "main", ""),
        (MAIN, "refs/heads/main", ""),
        (MAIN, "HEAD", ""),
        (MAIN, "", ""),
        (Checkout(), "v1.2.3", ""),
        (MAIN, "v1.2.3", "deploys revision v1.2.3, and main is read"),
        (MAIN, "1.*", "deploys revision 1.*, and main is read"),
        (MAIN, "refs/tags/main", "deploys revision refs/tags/main, and main is read"),
        (MAIN, "Main", "deploys revision Main, and main is read"),
        (MAIN, "{{branch}}", "is known only in the cluster"),
        (Checkout("env/prod", default=False), "env/prod", ""),
        (Checkout("env/prod", default=False), "HEAD", "deploys the default branch, and env/prod is read"),
        (Checkout("env/prod", default=None), "", "whether that is env/prod is not known here"),
        (Checkout("main", default=None), "HEAD", ""),
    ],
)
def test_only_what_deploys_our_branch_is_reached_by_an_edit(
    checkout: Checkout, revision: str, reason: str
) -> None:
    found = revisions.problem(checkout, "Application/web", revision)

    assert (bool(reason), True) == (bool(found), reason in found)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/acme/gitops",
        "https://token@GIT.example.com/acme/gitops.git/",
        "git@git.example.com:acme/gitops.git",
        "ssh://git@git.example.com:22/acme/gitops",
    ],
)
def test_one_repository_has_one_address_however_it_is_written(url: str) -> None:
    assert "git.example.com/acme/gitops" == sources.address(url)


def test_a_mirror_keeps_the_name_and_a_local_path_tells_nothing() -> None:
    none: frozenset[str] = frozenset()
    assert not revisions.is_other(MAIN, "https://mirror.example.com/x/gitops", none)
    assert revisions.is_other(MAIN, "https://git.example.com/acme/shop", none)
    assert not revisions.is_other(
        Checkout("main", default=True, addresses=("/srv/gitops.git",)), "https://a.example/shop", none
    )


def test_where_our_address_is_named_one_of_the_same_name_is_another_repository() -> None:
    named = frozenset({"git.example.com/acme/gitops"})
    assert not revisions.is_other(MAIN, "https://git.example.com/acme/gitops.git", named)
    assert revisions.is_other(MAIN, "https://git.example.com/other/gitops", named)
