"""The real kustomize on a copy of a commit: what it must not reach, and what it must confirm."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import pytest
import real
from gitops.folders import MemoryFiles

from aiops.commands import rendering
from aiops.domain import Edit, Workload
from aiops.edges import render_tools
from aiops.edges.render_tools import Built
from aiops.errors import ConfigError, EditRefused
from aiops.gitops import edits, where

pytestmark = pytest.mark.real

WEB = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        - {name: web, image: "shop/web:1.4.0"}
"""
OVERLAY = b"resources: [web.yaml]\nimages: [{name: shop/web, newTag: 1.4.0}]\n"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{real.kustomize().parent}:/usr/bin:/bin")
    render_tools.program.cache_clear()


def built(files: dict[str, bytes], modes: dict[str, str] | None = None) -> str:
    with Built(MemoryFiles(files, modes), "") as copy:
        return copy.build().decode()


def confirmed(files: MemoryFiles, made: tuple[Edit, ...], new: str) -> str:
    target = where.resolve(files, Workload("", "shop", "Deployment", "web"), "image.tag")
    return rendering.confirm(files, target, made, new, ())


def test_an_edit_of_the_place_that_wins_is_confirmed() -> None:
    files = MemoryFiles({"kustomization.yaml": OVERLAY, "web.yaml": WEB})
    target = where.resolve(files, Workload("", "shop", "Deployment", "web"), "image.tag")
    made = edits.of(files, target, "1.3.9")

    expected = "spec.template.spec.containers.0.image of Deployment/web: shop/web:1.4.0 -> shop/web:1.3.9"
    assert expected == confirmed(files, made, "1.3.9")


@pytest.mark.parametrize(
    ("overlay", "old", "reason"),
    [
        (OVERLAY, b"shop/web:1.4.0", "nothing differs"),
        (
            b"resources: [web.yaml]\nimages: [{name: shop/web, newTag: 1.4.0}]\nnamePrefix: eu-\n",
            b"",
            "not 1.3.9",
        ),
        (b"resources: [web.yaml, more.yaml]\n", b"", "2 fields differ"),
    ],
)
def test_what_renders_otherwise_than_said_is_refused(overlay: bytes, old: bytes, reason: str) -> None:
    from aiops.gitops import output

    before = {
        "kustomization.yaml": overlay,
        "web.yaml": WEB,
        "more.yaml": WEB.replace(b"name: web,", b"name: b,"),
    }
    after = dict(before)
    if old:  # the manifest, which the overlay overrides
        after["web.yaml"] = WEB.replace(old, b"shop/web:1.3.9")
    elif b"more" in overlay:
        after = {path: text.replace(b"1.4.0", b"1.3.9") for path, text in before.items()}
    else:
        after["kustomization.yaml"] = overlay.replace(b"1.4.0", b"1.3.8")
    with pytest.raises(EditRefused, match=reason):
        output.only_one(built(before).encode(), built(after).encode(), "1.3.9")


def test_a_token_and_the_path_of_this_process_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")

    made = render_tools._environment(Path("/room"))

    assert ("secret" in str(made), "/room/none") == (False, made["PATH"])


def test_nothing_is_fetched_from_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(WEB)

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        remote = f"http://127.0.0.1:{server.server_port}/web.yaml"
        with pytest.raises(EditRefused, match="kustomize says"):
            built({"kustomization.yaml": f"resources: ['{remote}']\n".encode()})
        server.shutdown()
    assert [] == asked


@pytest.mark.parametrize(
    ("kustomization", "reason"),
    [
        (b"resources: ['https://github.com/acme/shop//deploy?ref=v1']\n", "proxyconnect"),
        (b"configMapGenerator: [{name: x, files: [/etc/passwd]}]\n", "is not in or below"),
        (b"configMapGenerator: [{name: x, files: [link]}]\n", "no such file"),
        (b"helmCharts: [{name: web, repo: 'https://charts.example.com'}]\n", "must specify --enable-helm"),
        (b"generators: [plugin.yaml]\n", "external plugins disabled"),
    ],
)
def test_what_leads_out_of_the_tree_or_runs_something_ends_the_build(
    kustomization: bytes, reason: str, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    plugin = b"""apiVersion: example.com/v1
kind: Canary
metadata:
  name: canary
  annotations: {config.kubernetes.io/function: "exec: {path: ./canary}"}
"""
    files = {
        "kustomization.yaml": kustomization,
        "plugin.yaml": plugin,
        "canary": f"#!/bin/sh\ntouch {ran}\n".encode(),
        "link": b"/etc/passwd",
    }

    with pytest.raises(EditRefused, match=reason):
        built(files, {"link": "120000", "canary": "100755"})
    assert not ran.exists()


@pytest.mark.parametrize("tree", [{"a": b"x", "a/b": b"x"}, {"a" * 300: b"x"}], ids=["both", "long"])
def test_a_tree_that_cannot_be_written_out_is_refused(tree: dict[str, bytes]) -> None:
    with pytest.raises(EditRefused, match="cannot be rendered"):
        built({"kustomization.yaml": OVERLAY, "web.yaml": WEB, **tree})


def test_a_build_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_tools, "TIMEOUT_S", 0.001)

    with pytest.raises(EditRefused, match="took more than"):
        built({"kustomization.yaml": OVERLAY, "web.yaml": WEB})


def test_paths_that_git_would_not_make_are_not_written(tmp_path: Path) -> None:
    files = MemoryFiles(
        {"../out.yaml": WEB, "a/.GIT/config": WEB, "kustomization.yaml": OVERLAY, "web.yaml": WEB}
    )

    with Built(files, "") as copy:
        names = sorted(path.name for path in copy._room.rglob("*") if path.is_file())

    assert ["kustomization.yaml", "web.yaml"] == names


def test_without_kustomize_the_flag_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    render_tools.program.cache_clear()

    with pytest.raises(ConfigError, match="kustomize is not installed"):
        built({"kustomization.yaml": OVERLAY})
