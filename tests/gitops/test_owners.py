"""Bots are found by where their settings stand."""

from __future__ import annotations

from aiops.gitops import owners


def test_a_bot_is_named_with_the_file_of_its_settings():
    paths = {"renovate.json", ".github/dependabot.yml", "apps/renovate.json", "apps/web.yaml"}
    assert owners.bots(paths) == ("Renovate (renovate.json)", "Dependabot (.github/dependabot.yml)")


def test_a_repository_without_bots_has_none():
    assert owners.bots({"apps/renovate.json", "README.md"}) == ()
