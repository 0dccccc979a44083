"""Laws 1, 2, 5 and 6 of the design, read off the syntax trees of the package.

`breaches` returns every place that breaks one; the package has none, and a copy of it with one
breach planted has exactly that one. Only what is imported and called by name is seen: code that
hides an import in a string is a matter for review.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import real

# A room (folder or module of aiops/) stands on a floor and imports from that floor or below.
FLOORS = {
    **dict.fromkeys(("__init__", "domain", "errors"), 0),
    **dict.fromkeys(
        ("limits", "ports", "ingest", "detect", "diagnose", "decide", "gitops", "propose", "page", "mesh"), 1
    ),
    "edges": 2,
    **dict.fromkeys(
        (
            "config",
            "config_file",
            "config_schema",
            "coverage",
            "deciding",
            "evaluate",
            "job",
            "measures",
            "pipeline",
            "reading",
            "report",
            "sending",
        ),
        3,
    ),
    **dict.fromkeys(("cli", "commands", "connect", "flags", "terminal", "tokens", "__main__"), 4),
}
# Pure: the same arguments give the same result. `pipeline` and `report` reach the world through ports.
PURE = {room for room, floor in FLOORS.items() if floor <= 1} | {
    "coverage",
    "deciding",
    "job",
    "measures",
    "pipeline",
    "reading",
    "report",
    "sending",
}
# fmt: off
IMPURE_IMPORTS = {
    "asyncio", "ctypes", "fileinput", "getpass", "glob", "importlib", "locale", "logging", "mmap",
    "multiprocessing", "os", "pathlib", "platform", "random", "secrets", "select", "shutil",
    "signal", "sqlite3", "sys", "tempfile", "threading", "time", "uuid", "webbrowser",
}
# hash() of a text is salted in each process.
IMPURE_CALLS = {"__import__", "breakpoint", "hash", "input", "open", "print"}
CLOCK_CALLS = {"now", "today", "utcnow"}
NUMPY_DISK = {
    "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "save", "savetxt", "savez",
    "savez_compressed",
}
NUMPY_SEEDED = {"Generator", "PCG64", "Philox", "SeedSequence"}
NETWORK_AND_PROCESSES = {
    "ftplib", "http", "requests", "smtplib", "socket", "ssl", "subprocess", "urllib3",
}
CODE_IN_DATA = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "skops"}
SIBLINGS = {"docs", "models", "notebooks", "pipelines", "real", "tests"}
# fmt: on

# Each costs 0.1 to 2.2 s to import: only these rooms, and only inside a function.
HEAVY = {
    "github": {"edges"},
    "matplotlib": set[str](),
    "onnx": {"detect"},
    "onnxruntime": {"detect"},
    "onnxscript": {"detect"},
    "pandas": {"commands", "edges", "evaluate"},
    "prometheus_api_client": {"edges"},
    "prometheus_client": {"edges"},
    "pyarrow": {"edges"},
    "ray": {"evaluate"},
    "requests": {"edges"},
    "scipy": {"detect"},
    "sklearn": {"detect"},
    "torch": {"detect"},
}


@dataclass(frozen=True, order=True)
class Breach:
    path: str
    line: int
    law: str
    what: str


@dataclass(frozen=True)
class Import:
    module: str  # dotted; for `from a import b` this is "a.b"
    line: int
    late: bool  # inside a function, or only for the type checker


def breaches(package: Path) -> list[Breach]:
    """Return every breach in the Python files below `package`, sorted."""
    found: list[Breach] = []
    for file in sorted(package.rglob("*.py")):
        path = file.relative_to(package)
        room = path.parts[0].removesuffix(".py")
        if room not in FLOORS:
            found.append(Breach(str(path), 1, "floors", f"aiops.{room} stands on no floor"))
            continue
        tree = ast.parse(file.read_bytes())
        package_name = ("aiops", *path.parent.parts)
        marks = [*_import_breaches(room, tree, package_name), *_call_breaches(room, tree)]
        found += [Breach(str(path), line, law, what) for line, law, what in marks]
    return sorted(set(found))


def _import_breaches(room: str, tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    for item in _imports(tree, package, late=False):
        parts = item.module.split(".")
        top = parts[0]
        if top == "aiops":
            other = parts[1] if len(parts) > 1 and parts[1] in FLOORS else "__init__"
            if FLOORS[other] > FLOORS[room]:
                yield item.line, "floors", f"{room} imports {other}, which stands higher"
        if room in PURE and (top in IMPURE_IMPORTS or _impure_part(parts)):
            yield item.line, "purity", f"{room} is pure and imports {item.module}"
        if room != "edges" and (top in NETWORK_AND_PROCESSES or item.module.startswith("urllib.request")):
            yield item.line, "edges", f"{room} imports {top}"
        if top in CODE_IN_DATA:
            yield item.line, "artefacts", f"{top} runs what it loads"
        if top in SIBLINGS:
            yield item.line, "siblings", f"{top} is not in an installed wheel"
        if top in HEAVY and not item.late:
            yield item.line, "heavy", f"{top} is imported when {room} is"
        if top in HEAVY and room not in HEAVY[top]:
            yield item.line, "heavy", f"{top} has no business in {room}"


def _impure_part(parts: list[str]) -> bool:
    """Tell the file half of `io` from its buffers."""
    return parts[0] == "io" and len(parts) > 1 and parts[1] not in ("BytesIO", "StringIO")


def _imports(node: ast.AST, package: tuple[str, ...], *, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(name.name, child.lineno, late) for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else ()
            source = ".".join([*base, *([child.module] if child.module else [])])
            yield from (Import(f"{source}.{name.name}", child.lineno, late) for name in child.names)
        else:
            function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from _imports(child, package, late=late or function or typing_only)


def _call_breaches(room: str, tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        owner, _, name = called.rpartition(".")
        if called in ("eval", "exec") or called in ("torch.load", "torch.save"):
            yield node.lineno, "artefacts", f"{called} runs what it is given"
        if room not in PURE:
            continue
        if called in IMPURE_CALLS or (owner == "io" and name not in ("BytesIO", "StringIO")):
            yield node.lineno, "purity", f"{room} is pure and calls {called}"
        if name in CLOCK_CALLS and owner.rpartition(".")[2] in ("datetime", "date", "Timestamp"):
            yield node.lineno, "purity", f"{room} is pure and asks the clock: {called}"
        if owner in ("np", "numpy") and name in NUMPY_DISK:
            yield node.lineno, "purity", f"{room} is pure and touches the disk: {called}"
        seeded = name in NUMPY_SEEDED or (name == "default_rng" and (node.args or node.keywords))
        if owner in ("np.random", "numpy.random") and not seeded:
            yield node.lineno, "purity", f"{room} is pure and draws unseeded: {called}"


def test_the_package_keeps_the_laws() -> None:
    assert breaches(real.CHECKOUT / "aiops") == []


def test_every_floor_has_a_room() -> None:
    rooms = {path.name.removesuffix(".py") for path in (real.CHECKOUT / "aiops").iterdir()}
    assert {0, 1, 2, 3, 4} == {floor for room, floor in FLOORS.items() if room in rooms}


@pytest.mark.parametrize(
    ("law", "room", "planted"),
    [
        ("floors", "decide", "from aiops import pipeline"),
        ("floors", "domain", "from aiops.ingest import presets"),
        ("floors", "gitops", "from ..edges import git"),
        ("floors", "edges", "def late():\n    import aiops.config"),
        ("floors", "pipeline", "if TYPE_CHECKING:\n    from aiops.cli import app"),
        ("floors", "a_new_room", "x = 1"),
        ("purity", "ingest", "import os"),
        ("purity", "detect", "from pathlib import Path"),
        ("purity", "diagnose", "def late():\n    import logging"),
        ("purity", "decide", "from io import FileIO"),
        ("purity", "gitops", "text = open('a').read()"),
        ("purity", "propose", "import datetime as dt\nnow = dt.datetime.now(dt.UTC)"),
        ("purity", "mesh", "import numpy as np\nnoise = np.random.normal()"),
        ("purity", "mesh", "import numpy as np\nrng = np.random.default_rng()"),
        ("purity", "detect", "import numpy as np\nweights = np.load('w.npy')"),
        ("purity", "pipeline", "print('done')"),
        ("edges", "commands", "import subprocess"),
        ("edges", "config", "from urllib.request import urlopen"),
        ("edges", "decide", "import socket"),
        ("artefacts", "edges", "import pickle"),
        ("artefacts", "detect", "def late(torch):\n    torch.load('model.pt')"),
        ("artefacts", "cli", "eval('1')"),
        ("siblings", "commands", "import models"),
        ("heavy", "detect", "import torch"),
        ("heavy", "detect", "class Scorer:\n    import sklearn.ensemble"),
        ("heavy", "edges", "try:\n    from github import Github\nexcept ImportError:\n    pass"),
        ("heavy", "edges", "import requests"),
        ("heavy", "decide", "def late():\n    import pandas"),
        ("heavy", "cli", "def late():\n    import torch"),
    ],
)
def test_a_planted_breach_is_the_one_that_is_found(law: str, room: str, planted: str, tmp_path: Path) -> None:
    home = tmp_path / room / "planted.py"
    home.parent.mkdir()
    home.write_text(f"{planted}\n", encoding="utf-8")

    assert {breach.law for breach in breaches(tmp_path)} == {law}


def test_a_breach_planted_in_a_copy_of_the_package_is_caught(tmp_path: Path) -> None:
    package = tmp_path / "aiops"
    shutil.copytree(real.CHECKOUT / "aiops", package, ignore=shutil.ignore_patterns("__pycache__"))
    module = package / "decide" / "__init__.py"
    lines = module.read_text(encoding="utf-8").splitlines()
    before = breaches(package)
    module.write_text("\n".join([*lines, "from aiops.edges import git"]), encoding="utf-8")

    what = "decide imports edges, which stands higher"
    planted = Breach("decide/__init__.py", len(lines) + 1, "floors", what)
    assert breaches(package) == sorted([*before, planted])


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("gitops", "import aiops.domain\nfrom aiops.errors import EditRefused"),
        ("detect", "def fit():\n    from sklearn.ensemble import IsolationForest"),
        ("edges", "if TYPE_CHECKING:\n    import requests"),
        ("detect", "import io\nbuffer = io.BytesIO()"),
        ("mesh", "import numpy as np\nrng = np.random.default_rng(7)"),
        ("edges", "from urllib.parse import urlsplit"),
        ("commands", "import os\nprint(os.environ)"),
    ],
)
def test_what_the_laws_allow_is_no_breach(room: str, allowed: str, tmp_path: Path) -> None:
    home = tmp_path / room / "planted.py"
    home.parent.mkdir()
    home.write_text(allowed, encoding="utf-8")

    assert breaches(tmp_path) == []
