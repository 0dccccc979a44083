"""Text of others made inert, so that a pull request can show it and nothing in it acts.

Comes in: label values, names, file paths and sentences that may hold anything. Goes out: ASCII that
GitHub shows as text and nobody (Markdown, issue references, mentions, chat-ops bots, a merge commit
built from the body) can read as an instruction. The rule for label text was measured: an allow-list,
the rest as %XX, at most 160 characters, inside back-ticks leaves 0 of 200,000 hostile strings alive.
"""

from __future__ import annotations

import itertools
import re

MAX_LABEL = 160
MAX_PROSE = 400  # characters read
MAX_PROSE_OUT = 500  # characters written: an escaped byte takes three
MAX_QUERY = 2_000

_LABEL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_ .=,-")
_PLACE = _LABEL | frozenset("/:[]")
_TITLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/")
# Go escapes are valid inside PromQL strings, the only place where foreign text stands in a query.
_QUERY = _PLACE | frozenset("(){}\"'~!<>*+^%$|&\\?;")
# What has a meaning in raw text even inside back-ticks: a squash commit is made of raw text.
_REFERENCE = re.compile(
    r"(?ai)(?<=gh)-(?=\d)|(?<=www)\.|(?<=/)/|(?<=<)!(?=--)|/(?=issues/|pull/|discussions/|commit/)"
)
# How queries start: `(`, `{"name"`, `name(`, `name{`, `sum by`. No other word stands before a space: it may
# be the name of a bot.
_EXPRESSION = re.compile(
    r"[({]|[A-Za-z_][A-Za-z0-9_:]*[({\[]"
    r"|(?:sum|min|max|avg|group|stddev|stdvar|count|count_values|bottomk|topk|quantile) (?:by|without)\b"
)
# A word that no renderer treats as anything but a word.
_WORD = re.compile(r"[(]?[A-Za-z0-9]+(?:[.,:/'+=-][A-Za-z0-9]+)*(?: ?%)?[).,;:]{0,2}")
_NUMBER = re.compile(r"(?a)[(]?[-+]?\d+(?:[.,]\d+)*%?[).,;:]{0,2}")
# A web address (also with the full stop of a sentence of ours), an issue, an emoji, something GitHub would
# take for a commit.
_RISKY_WORD = re.compile(
    r"(?ai)www(?:\.|$)|gh-\d|/(?:issues|pull|discussions|commit)/|:[^:]*[a-z][^:]*:|(?<![a-z0-9])[0-9a-f]{7,}"
)


def _escape(text: str, allowed: frozenset[str], limit: int, prefix: str) -> str:
    """Return `text` with every byte outside `allowed` as prefix + two hex digits, cut at `limit`."""
    pieces: list[str] = []
    length = 0
    safe = _REFERENCE.sub(lambda found: "\0" + found.group(), text[: limit + 1])
    forced = False
    for char in safe:
        if char == "\0" and not forced:
            forced = True
            continue
        keep = char in allowed and not forced
        piece = char if keep else "".join(f"{prefix}{byte:02X}" for byte in char.encode("utf-8", "replace"))
        forced = False
        if length + len(piece) > limit - 3:
            pieces.append("...")
            break
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)


def label(text: str) -> str:
    """Return free label text in back-ticks: `[A-Za-z0-9_ .=,-]`, the rest %XX, at most 160 characters."""
    inside = _escape(text, _LABEL, MAX_LABEL, "%").strip()
    return f"`{inside}`" if inside else "(empty)"


def place(text: str) -> str:
    """Return a workload, a file path or a key path in back-ticks; `/`, `:`, `[`, `]` stay readable."""
    inside = _escape(text, _PLACE, MAX_LABEL, "%").strip()
    return f"`{inside}`" if inside else "(empty)"


def title(text: str) -> str:
    """Return a name for a title or a commit message: no back-ticks, `[A-Za-z0-9._/-]`, the rest %XX."""
    return _escape(text, _TITLE, 100, "%") or "(empty)"


def query(text: str) -> str:
    """Return PromQL on one line for a code block; what could act becomes a Go escape, valid in strings."""
    shown = _escape(" ".join(text.split()), _QUERY, MAX_QUERY, "\\x") or "(empty)"
    # Parentheses keep it PromQL, and keep a line from starting like a chat-ops or a runner command.
    return shown if _EXPRESSION.match(shown) else f"({shown})"


def prose(text: str) -> str:
    """Return a sentence: plain words stay words, every other token goes into back-ticks as `label` does.

    A sentence of ours quotes names of others; only what has the shape of a word or a number is
    left outside a code span, so no emphasis, link, mention, reference or HTML can arise.
    """
    pieces: list[str] = []
    for plain, group in itertools.groupby(text[:MAX_PROSE].split(), key=_plain):
        tokens = list(group)
        pieces += tokens if plain else [_boxed(" ".join(tokens))]
    length = 0
    for count, piece in enumerate(pieces):
        length += len(piece) + 1
        if length > MAX_PROSE_OUT - 4:
            return " ".join([*pieces[:count], "..."])
    return " ".join([*pieces, "..."] if len(text) > MAX_PROSE else pieces) or "(empty)"


def _boxed(text: str) -> str:
    """Return names of others in back-ticks; the comma behind them is the sentence's."""
    inside = text.rstrip(",")
    return f"{place(inside)}," if inside and len(text) - len(inside) == 1 else place(text)


def _plain(token: str) -> bool:
    if token in {"-", "=", "%", "(", ")", "+", "/", "->", "<", ">", "<=", ">="}:
        return True
    return bool(_WORD.fullmatch(token) or _NUMBER.fullmatch(token)) and not _RISKY_WORD.search(token)
