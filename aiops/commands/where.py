"""`aiops where`: where a field lives, which place wins, who owns it, or why it cannot be edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiops import connect, terminal
from aiops.commands import targets
from aiops.commands.propose import settings
from aiops.commands.run import failed
from aiops.domain import Place, Target, Workload
from aiops.errors import AiopsError
from aiops.gitops import where as resolver


def where(target: str | None, repo: Path | None, config_file: Path, *, as_json: bool) -> int:
    """Print all workloads of the repository, or every place of one. Returns the exit code."""
    try:
        config = settings(repo, config_file)
        repository = connect.repository(config)
        files = repository.files(repository.head(config.repository.base))
        clusters = connect.clusters(config)
        with terminal.progress() as tell:
            tell("reading manifests")
            found = dict(resolver.workloads(files, clusters))
            if target:
                picked = targets.pick(target, found)
                found = {picked: found[picked]}
    except AiopsError as error:
        return failed(error, None, as_json=False)
    if as_json:
        print(json.dumps(_document(found), indent=1))  # noqa: T201 - stdout is the contract
    elif target:
        _print_places(found)
    else:
        _print_overview(found)
    return 0


def _print_overview(found: Mapping[Workload, tuple[Target, ...]]) -> None:
    rows = []
    for workload, fields in found.items():
        for one in fields:
            place = f"{one.winner.file} {one.winner.path_text}" if one.winner else "-"
            value = one.winner.value if one.winner else "-"
            rows.append((str(workload), one.field, value, place, one.refusal or one.owner or ""))
    terminal.table(("WORKLOAD", "FIELD", "VALUE", "WINNING PLACE", "NOTE"), rows)


def _print_places(found: Mapping[Workload, tuple[Target, ...]]) -> None:
    for workload, fields in found.items():
        terminal.say(str(workload))
        for one in fields:
            terminal.say(f"\n  {one.field}")
            for place in one.places:
                mark = "wins" if place == one.winner else "    "
                terminal.say(f"    {mark}  {place.file} {place.path_text} = {place.value}  ({place.kind})")
            if one.owner:
                terminal.say(f"    owned by {one.owner}")
            if one.refusal:
                terminal.say(f"    cannot be edited: {one.refusal}")


def _document(found: Mapping[Workload, tuple[Target, ...]]) -> dict[str, Any]:
    def place(one: Place) -> dict[str, Any]:
        return {
            "file": one.file,
            "document": one.document,
            "path": one.path_text,
            "value": one.value,
            "kind": one.kind,
        }

    return {
        "schema": "aiops.where/1",
        "workloads": [
            {
                "workload": {
                    "cluster": workload.cluster,
                    "namespace": workload.namespace,
                    "kind": workload.kind,
                    "name": workload.name,
                },
                "fields": [
                    {
                        "field": one.field,
                        "places": [place(each) for each in one.places],
                        "winner": place(one.winner) if one.winner else None,
                        "owner": one.owner,
                        "refusal": one.refusal,
                    }
                    for one in fields
                ],
            }
            for workload, fields in found.items()
        ],
    }
