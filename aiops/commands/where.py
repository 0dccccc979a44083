"""`aiops where`: where a field lives, which place wins, who owns it, or why it cannot be edited."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiops import connect, terminal
from aiops.commands import rendering, targets
from aiops.commands.propose import settings
from aiops.commands.run import failed
from aiops.domain import PastValue, Place, Target, Workload
from aiops.errors import AiopsError, ConfigError
from aiops.gitops import past
from aiops.gitops import where as resolver
from aiops.report import named, utc

MAX_PAST = 10
MAX_TOUCHED = 5
# What is read of a repository stays until the end and holds no circles: looking for dead circles
# after every 700 new objects, as Python does, takes a quarter of the time.
OBJECTS_PER_COLLECTION = 1_000_000
SHALLOW = "The clone is shallow: its history ends early. `git fetch --unshallow` completes it."


def where(
    target: str | None, repo: Path | None, config_file: Path, *, as_json: bool, render: bool = False
) -> int:
    """Print all workloads of the repository, or every place of one. Returns the exit code.

    `render`: let kustomize or Helm confirm that an edit of each field changes this field alone.
    """
    with _seldom_collected():
        return _answer(target, repo, config_file, as_json=as_json, render=render)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_PER_COLLECTION, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _answer(target: str | None, repo: Path | None, config_file: Path, *, as_json: bool, render: bool) -> int:
    rendered: dict[str, str] = {}
    try:
        if render and target is None:
            raise ConfigError("expected a TARGET beside it: one workload is rendered", where="--render")
        config = settings(repo, config_file)
        repository = connect.repository(config)
        files = repository.files(repository.head(config.repository.base))
        clusters = connect.clusters(config)
        with terminal.progress() as tell:
            tell("reading manifests")
            if not target:
                found = dict(resolver.workloads(files, clusters))
            else:
                named = dict(resolver.named(files, clusters))
                picked = targets.pick(target, named)
                places = resolver.targets(files, picked, named[picked], clusters)
                found = {picked: tuple(past.values(repository, files.sha, one) for one in places)}
                if render:
                    tell("rendering")
                    rendered = {
                        one.field: rendering.tried(files, one, clusters)
                        for one in found[picked]
                        if one.winner
                    }
    except AiopsError as error:
        return failed(error, None, as_json=as_json)
    if as_json:
        terminal.document(_document(found, rendered, shallow=repository.shallow))
    elif target:
        _print_places(found, rendered, shallow=repository.shallow)
    else:
        _print_overview(found)
    return 0


def _print_overview(found: Mapping[Workload, tuple[Target, ...]]) -> None:
    rows = []
    for workload, fields in found.items():
        for one in fields:
            place = f"{one.winner.file} {one.winner.path_text}" if one.winner else "-"
            value = one.winner.value if one.winner else "-"
            row = (str(workload), one.field, value, place, one.refusal or one.owner or "")
            rows.append(tuple(terminal.plain(text) for text in row))
    terminal.table(("WORKLOAD", "FIELD", "VALUE", "WINNING PLACE", "NOTE"), rows)


def _print_places(
    found: Mapping[Workload, tuple[Target, ...]], rendered: Mapping[str, str], *, shallow: bool
) -> None:
    for workload, fields in found.items():
        terminal.say(str(workload))
        for one in fields:
            terminal.say("")
            for line in explained(one):
                terminal.say(line)
            if one.field in rendered:
                terminal.say(f"    {terminal.plain(rendered[one.field])}")
    if shallow:
        terminal.say(f"\n{SHALLOW}")


def explained(one: Target) -> list[str]:
    """Return what a person wants to know of one field: places by precedence, owner, edit, history."""
    value = f" = {terminal.plain(one.winner.value)}" if one.winner else ""
    lines = [f"  {one.field}{value}"]
    for place in reversed(one.places):
        mark = "wins" if place == one.winner else "    "
        at = f"{terminal.plain(place.file)} {terminal.plain(place.path_text)}"
        lines.append(f"    {mark}  {at} = {terminal.plain(place.value)}  ({place.kind})")
    if one.beside:
        lines.append(f"    with  {terminal.plain(one.beside.path_text)} = {terminal.plain(one.beside.value)}")
    if one.owner:
        lines.append(f"    owned by {terminal.plain(one.owner)}")
    if one.insertion:
        at = f"{terminal.plain(one.insertion.file)} {terminal.plain(one.insertion.path_text)}"
        lines.append(f"    others share the winner; an edit writes a new key: {at} ({one.insertion.kind})")
    for pin in one.pins:
        what = "takes its marker away" if pin.what == "marker" else "lets it ignore the old tag"
        file, lift = terminal.plain(pin.file), terminal.plain(pin.lift)
        lines.append(f"    a rollback also {what} in {file}; to lift it, {lift}")
    if one.refusal:
        lines.append(f"    cannot be edited: {terminal.plain(one.refusal)}")
    lines += [_past(past) for past in one.history[:MAX_PAST]]
    return lines


def _past(past: PastValue) -> str:
    until = "now" if past.until_s is None else utc(past.until_s)
    value = terminal.plain(past.value)
    line = f"    was   {value}  {utc(past.since_s)} to {until}, by commit {past.commit[:12]}"
    files = ", ".join(terminal.plain(path) for path in past.touched[:MAX_TOUCHED])
    more = len(past.touched) - MAX_TOUCHED
    return (
        line + (f", which also changed {files}" if files else "") + (f" and {more} more" if more > 0 else "")
    )


def _document(
    found: Mapping[Workload, tuple[Target, ...]], rendered: Mapping[str, str], *, shallow: bool
) -> dict[str, Any]:
    return {
        "schema": "aiops.where/1",
        "history_complete": not shallow,
        "workloads": [
            {
                "workload": named(workload),
                "fields": [
                    {**_field(one), **({"rendered": rendered[one.field]} if one.field in rendered else {})}
                    for one in fields
                ],
            }
            for workload, fields in found.items()
        ],
    }


def _field(one: Target) -> dict[str, Any]:
    new = one.insertion
    return {
        "field": one.field,
        "places": [_place(each) for each in one.places],
        "winner": _place(one.winner) if one.winner else None,
        "beside": _place(one.beside) if one.beside else None,
        "owner": one.owner,
        "refusal": one.refusal,
        "insertion": new
        and {"file": new.file, "document": new.document, "path": new.path_text, "kind": new.kind},
        "pins": [
            {"owner": pin.owner, "what": pin.what, "file": pin.file, "lift": pin.lift} for pin in one.pins
        ],
        "history": [
            {
                "value": past.value,
                "commit": past.commit,
                "since": utc(past.since_s),
                "until": None if past.until_s is None else utc(past.until_s),
                "touched": list(past.touched),
            }
            for past in one.history
        ],
    }


def _place(one: Place) -> dict[str, Any]:
    return {
        "file": one.file,
        "document": one.document,
        "path": one.path_text,
        "value": one.value,
        "kind": one.kind,
    }
