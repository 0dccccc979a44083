"""kustomize or Helm, run on a copy of one commit: no token, no network, no plug-ins, bounded.

Only what the tree itself holds is written, into a folder of its own: regular files, and links that
stay inside. The process gets an empty environment, a time, a memory and an output limit, and a
network of its own without any address where Linux lets us (`unshare`). Without that, no program is
on its PATH (remote bases are fetched by git) and its proxy answers nothing: then only this machine's
own loopback can be asked over HTTP, which Go never sends to a proxy. Of kustomize plug-ins, charts and
functions are off, and files outside of the built folder are refused, as is kustomize's default.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from aiops.errors import ConfigError, EditRefused
from aiops.gitops import symlinks
from aiops.gitops.output import Chart
from aiops.ports import Files

TIMEOUT_S = 30
CPU_S = 30
MEMORY_BYTES = 4 << 30  # address space; Go reserves far more of it than it uses
HEAP = "512MiB"
OUTPUT_BYTES = 20_000_000
TREE_BYTES = 200_000_000  # of a whole commit
_FILE_BYTES = 5_000_000
# Not preexec_fn, which may hang in a program with threads. Memory in kB, output in blocks of 512 bytes.
_LIMITS = (
    f"ulimit -v {MEMORY_BYTES // 1024}; ulimit -t {CPU_S}; ulimit -f {OUTPUT_BYTES // 512}; ulimit -c 0;"
    ' exec "$@"'
)


class Built:
    """One commit written out, for a tool to build a folder of it. Use it as a context."""

    def __init__(self, files: Files, folder: str, tool: str = "kustomize") -> None:
        self._files = files
        self._folder = folder
        self._tool = tool
        self._room = Path()
        self._tree = Path()

    def __enter__(self) -> Self:
        program(self._tool)  # before anything is written
        self._room = Path(tempfile.mkdtemp(prefix="aiops-render-"))
        self._tree = self._room / "tree"
        try:
            self._write_all()
        except BaseException as error:
            shutil.rmtree(self._room)
            if isinstance(error, OSError):  # a name too long, a file that is a folder as well, no room left
                raise EditRefused(f"cannot be rendered: {error.strerror}") from None
            raise
        return self

    def _write_all(self) -> None:
        self._tree.mkdir()
        entries = {path: one for path, one in self._files.tree().items() if _is_plain(path)}
        links = {path for path, one in entries.items() if one.mode == symlinks.LINK}
        left = TREE_BYTES
        for path, one in entries.items():
            if path in links:
                self._link(path, links)
            elif one.mode in {"100644", "100755"} and one.size <= _FILE_BYTES:
                left -= one.size
                if left < 0:
                    raise EditRefused(f"cannot be rendered: the commit is larger than {TREE_BYTES} bytes")
                self.write({path: self._files.read(path)})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._room)

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write other content into files of the copy."""
        for path, content in contents.items():
            at = self._tree / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(content)

    def _link(self, path: str, links: set[str]) -> None:
        try:
            symlinks.resolve(path, links, self._files.link)
            text = self._files.link(path)
        except EditRefused:
            return
        at = self._tree / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(text)

    def build(self) -> bytes:
        """Return what kustomize makes of the folder. Raises EditRefused with its own last line."""
        return self._run("build", str(self._tree / self._folder))

    def template(self, chart: Chart) -> bytes:
        """Return what Helm makes of the chart in the folder. Raises EditRefused with its own last line.

        Helm never fetches for `template`: a dependency that is not below `charts/` ends it.
        """
        arguments = ["--namespace", chart.namespace or "default", "--skip-tests"]
        for number, (path, text) in enumerate(chart.values):
            at = self._tree / path if path else self._room / f"values-{number}.yaml"
            if not path:
                at.write_text(text, "utf-8")
            arguments += ["--values", str(at)]
        for one in chart.parameters:
            arguments += ["--set", one]
        return self._run("template", *arguments, "--", chart.name, str(self._tree / self._folder))

    def _run(self, *arguments: str) -> bytes:
        room, tool = self._room, self._tool
        limited = ("/bin/sh", "-c", _LIMITS, "aiops")
        command = [*limited, *_alone(), program(tool), *arguments]
        with (room / "out").open("wb") as out, (room / "err").open("wb") as err:
            process = subprocess.Popen(
                command,
                cwd=room,
                env=_environment(room),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                code = process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise EditRefused(f"cannot be rendered: {tool} took more than {TIMEOUT_S} s") from error
        if code:
            lines = (room / "err").read_text("utf-8", "replace").replace(str(self._tree), "").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), f"it ended with {code}")
            raise EditRefused(f"cannot be rendered: {tool} says {last[:200]}", where=self._folder or ".")
        return (room / "out").read_bytes()


@lru_cache(maxsize=2)
def program(tool: str = "kustomize") -> str:
    """Return the path of a tool. Raises ConfigError when it is not installed."""
    found = shutil.which(tool)
    if found is None:
        raise ConfigError(f"{tool} is not installed", where="--render", todo="install it, or leave it out")
    return str(Path(found).resolve())


@lru_cache(maxsize=1)
def _alone() -> tuple[str, ...]:
    """Return how to start a process without network, () where the system does not allow it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    command = (unshare, "--user", "--map-root-user", "--net", "--")
    tried = subprocess.run([*command, "/bin/true"], env={}, capture_output=True, check=False, timeout=10)
    return command if tried.returncode == 0 else ()


def _environment(room: Path) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"  # the port "discard"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere)
    return {"PATH": str(room / "none"), "HOME": str(room), "TMPDIR": str(room), "GOMEMLIMIT": HEAP, **proxies}


def _is_plain(path: str) -> bool:
    """Tell whether a path of the tree may be written out; git checks none of this in a crafted tree."""
    return "\0" not in path and not any(
        part in {"", ".", ".."} or part.lower() == ".git" for part in path.split("/")
    )
