r"""Who owns a file, by the CODEOWNERS file of the repository.

Comes in: the manifests of one commit and the paths a proposal edits. Goes out: logins and
`org/team`, the owners of every path in its order. GitHub's documented rules: of `.github/`, the root
and `docs/` the first file counts; the last pattern that matches wins, one without owners clears;
`!`, `[a-z]` and a leading `\\#` are not supported, such a line is skipped. Addresses by mail cannot be
asked for a review and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aiops.errors import EditRefused
from aiops.ports import Files

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
MAX_BYTES = 3_000_000  # GitHub reads no larger one
MAX_REVIEWERS = 15  # GitHub asks no more at once
_MAX_LINES = 20_000
_MAX_PATTERN = 512
_MAX_PIECES = 40  # names and stars; a longer pattern costs time and is nobody's
_BELOW = "\0"  # nothing, or all that lies below
_OWNER = re.compile(r"(?a)@([A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?)")


def of_tree(files: Files, paths: Iterable[str]) -> tuple[str, ...]:
    """Return who owns these paths, () where nobody is named or the file cannot be read."""
    place = next((one for one in PLACES if one in files.tree()), None)
    if place is None or files.tree()[place].size > MAX_BYTES:
        return ()
    try:
        text = files.read(place).decode("utf-8", "replace")
    except EditRefused:  # a link, or no file at all
        return ()
    return owners(text, paths)


def owners(text: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the owners of every path, in order and once each, by the text of a CODEOWNERS file."""
    rules = _rules(text)
    found: dict[str, None] = {}
    for path in paths:
        for pattern, named in reversed(rules):
            if _matches(pattern, path):
                found.update(dict.fromkeys(named))
                break
    return tuple(found)[:MAX_REVIEWERS]


def _rules(text: str) -> list[tuple[list[str], tuple[str, ...]]]:
    rules = []
    for line in text.splitlines()[:_MAX_LINES]:
        pattern, *rest = _words(line) or [""]
        tokens = _tokens(pattern)
        if tokens is None:
            continue
        asked = [_OWNER.fullmatch(word) for word in rest]
        rules.append((tokens, tuple(one[1] for one in asked if one is not None)))
    return rules


def _words(line: str) -> list[str]:
    """Split a line at spaces that are not escaped; `#` starts a comment at the start of a word."""
    words = re.findall(r"(?:\\.|[^\s\\])+", line)
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:comment]


def _tokens(pattern: str) -> list[str] | None:
    """Return a pattern as pieces to match one after the other; None when GitHub does not support it."""
    if not pattern or pattern[0] == "!" or "[" in pattern or pattern.startswith("\\#"):
        return None
    if len(pattern) > _MAX_PATTERN:
        return None
    body = re.sub(r"\\(.)", r"\1", pattern).strip("/")
    anchored = pattern.startswith("/") or "/" in body
    # `docs/*` is what lies in docs and nothing below; any other name is a file, or all of a folder.
    below = [] if body.endswith("/*") else ["/**" if pattern.endswith("/") else _BELOW]
    pieces = [piece for piece in re.split(r"(\*\*/|/\*\*|\*\*|\*|\?)", body) if piece]
    if len(pieces) > _MAX_PIECES:
        return None
    return [*([] if anchored else ["**/"]), *pieces, *below]


def _matches(tokens: list[str], path: str) -> bool:
    """Match a whole path, piece by piece, by the set of places reached: linear in the path for each piece."""
    reached = {0}
    for token in tokens:
        reached = _ends(token, path, reached)
        if not reached:
            return False
    return len(path) in reached


def _ends(piece: str, path: str, starts: set[int]) -> set[int]:
    """Return where a piece may end that begins at one of `starts` (not empty)."""
    last, first = len(path), min(starts)
    if piece == "**":
        return set(range(first, last + 1))
    if piece == "*":
        return _within_segments(path, starts)
    if piece == "?":
        return {start + 1 for start in starts if path[start : start + 1] not in {"", "/"}}
    if piece == "**/":
        return starts | {place + 1 for place in range(first, last) if path[place] == "/"}
    if piece in {"/**", _BELOW}:
        below = (
            {last} if any(path[start : start + 1] == "/" and last > start + 1 for start in starts) else set()
        )
        return starts | below if piece == _BELOW else below
    return {start + len(piece) for start in starts if path.startswith(piece, start)}


def _within_segments(path: str, starts: set[int]) -> set[int]:
    found: set[int] = set()
    inside = False
    for place in range(len(path) + 1):
        inside = inside or place in starts
        if inside:
            found.add(place)
        if path[place : place + 1] == "/":
            inside = False
    return found
