"""Small repositories of every kind that an edit is made in, each with the answer by construction.

A kind is a function of a random source: it returns documents by file, and for each field the value
that wins. The layouts are plain on purpose: precedence is what the golden folders are for, here it
is the ways to write them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.edits import idioms
from bench.edits.idioms import Alias, Anchored, Span, Value

NAMES = ("web", "cart-api", "n1", "a", "on", "x-2", "frontend")
IMAGES = (
    "web",
    "shop/web",
    "reg.example.com:5000/shop/web",
    "ghcr.io/acme/web-app",
    "localhost/web",
    "quay.io/a/b/c",
)
ODD_TAGS = (
    "1e3", "1.10", "0123456", "on", "no", "null", "y", "2026-11-23", "0x1f", "1_0", "0o7", "1.", "7", "true",
    "12", "1234e56", "_x", "latest", "3.20",
)  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789_.-"
ALONE = ("kustomization.yaml", "values.yaml", "prod.yaml", "ops.yaml")  # files of one document
VALUES = 3  # new values for each place: what is written matters as much as where
Files = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: a field of a workload, the value that wins, and what it may become.

    `old`: the field's own value; `news`: (new value, what the scalar shall then say).
    """

    kind: str
    name: str
    field: str
    image: str | None
    file: str
    value: str
    old: str
    news: list[tuple[str, str]]


@dataclass(slots=True)
class Case:
    """One small repository. `spans`: where the values of a file stand."""

    files: dict[str, bytes]
    spans: dict[str, dict[str, Span]]
    asks: list[Ask]


@dataclass(slots=True)
class Draft:
    """A repository in the making: what to write, and what to ask of it."""

    chance: random.Random
    kind: str
    name: str
    image: str
    files: Files
    asks: list[Ask]

    def count(self, field: str, file: str) -> Value:
        """Return an integer of a file that sets a field, and ask for it."""
        old, *new = map(str, self.chance.sample(range(1, 10_000), 1 + VALUES))
        return self._ask(field, file, old, [(one, one) for one in new], old, count=True)

    def reference(self, file: str) -> Value:
        """Return a whole image reference of a file that sets the image, and ask for its version."""
        old, *new = self._versions()
        news = [(one, _with(self.image, one)) for one in new]
        return self._ask(_field(old), file, old, news, _with(self.image, old))

    def version(self, file: str) -> tuple[str, Value]:
        """Return (key, value) of an image version that stands alone, and ask for it."""
        old, *new = (one.rpartition("@")[2] for one in self._versions())
        value = self._ask(_field(old), file, old, [(one, one) for one in new], old)
        return ("digest" if ":" in old else "newTag"), value

    def tag(self, file: str) -> Value:
        """Return a tag that stands alone, and ask for it."""
        old, *new = _different(self.chance, tag)
        return self._ask("image.tag", file, old, [(one, one) for one in new], old)

    def _versions(self) -> list[str]:
        style = self.chance.random()
        if style < 0.8:
            return _different(self.chance, tag)
        digests = _different(self.chance, digest)
        return digests if style < 0.9 else [f"{tag(self.chance)}@{one}" for one in digests]

    def _ask(
        self,
        field: str,
        file: str,
        old: str,
        news: list[tuple[str, str]],
        scalar: str,
        *,
        count: bool = False,
    ) -> Value:
        image = None if count else f"{self.image}:x"
        value = Value(str(len(self.asks)), scalar, count)
        self.asks.append(Ask(self.kind, self.name, field, image, file, value.name, old, news))
        return value


def _different(chance: random.Random, make_one: Callable[[random.Random], str]) -> list[str]:
    """Return the old value and the new ones, no two of them equal."""
    found: dict[str, None] = {}
    while len(found) <= VALUES:
        found[make_one(chance)] = None
    return list(found)


def tag(chance: random.Random) -> str:
    """Return a tag as people write them, one in eight of the kind that readers stumble over."""
    style = chance.random()
    if style < 0.45:
        return f"v{chance.randrange(100)}.{chance.randrange(100)}.{chance.randrange(100)}"
    if style < 0.65:
        return f"{chance.randrange(10)}.{chance.randrange(30)}.{chance.randrange(30)}"
    if style < 0.77:
        return chance.choice(ODD_TAGS)
    if style < 0.88:
        return f"{chance.getrandbits(28):07x}"
    return chance.choice("abcXYZ_789") + "".join(chance.choice(LETTERS) for _ in range(chance.randrange(20)))


def digest(chance: random.Random) -> str:
    """Return the digest of an image."""
    return f"sha256:{chance.getrandbits(256):064x}"


def _field(version: str) -> str:
    return "image.digest" if ":" in version else "image.tag"


def _with(image: str, version: str) -> str:
    return f"{image}@{version}" if version.startswith("sha256:") else f"{image}:{version}"


def make(seed: int) -> Case:
    """Return the repository of a seed."""
    from bench.edits.pointers import KINDS

    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    kind: Callable[[Draft], None] = chance.choice(KINDS)
    draft = Draft(chance, kind.__name__, chance.choice(NAMES), chance.choice(IMAGES), {}, [])
    kind(draft)
    files, spans = {}, {}
    for path, documents in draft.files.items():
        alone = path.endswith(ALONE) or ".argocd-source" in path
        written = documents if alone else _among(chance, documents)
        files[path], spans[path] = idioms.write(chance, written, alone=alone)
    chance.shuffle(draft.asks)
    return Case(files, spans, draft.asks)


def _among(chance: random.Random, documents: list[Any]) -> list[Any]:
    """Return the documents with others between them that nobody asks for."""
    found: list[Any] = []
    for one in documents:
        if chance.random() < 0.15:
            found.append(_other(chance))
        found.append(one)
    return found


def _other(chance: random.Random) -> Any:
    kind = chance.choice(("Service", "ConfigMap", "Namespace"))
    body: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": {"name": chance.choice(NAMES)}}
    if kind == "ConfigMap":
        body["data"] = {"a.yaml": chance.choice(idioms.BLOCKS), "text": chance.choice(idioms.TEXTS)}
    elif kind == "Service":
        body["spec"] = {"ports": [{"port": 80, "name": "http"}], "selector": {"app": "web"}}
    return body


def noise(chance: random.Random) -> dict[str, Any]:
    """Return keys that no field stands in."""
    found: dict[str, Any] = {}
    for number in range(chance.choice((0, 0, 0, 1, 2))):
        key = chance.choice(("note", "example.com/text", "checksum", f"k{number}"))
        found[key] = chance.choice((*idioms.TEXTS, *idioms.BLOCKS))
    return found


def anchored(chance: random.Random, spec: dict[str, Any], labels: dict[str, Any]) -> Any:
    """Return labels, one time in ten behind an anchor that the selector stands for."""
    if chance.random() < 0.1:
        spec["selector"] = {
            "matchLabels": Alias("l") if chance.random() < 0.5 else {"<<": Alias("l"), "b": "c"}
        }
        return Anchored("l", labels)
    return labels
