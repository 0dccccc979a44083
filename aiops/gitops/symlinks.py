"""What a path means when git keeps a symbolic link on the way: text in the tree, never a file system.

A link counts when its target is in the same tree; then the target is read and edited, the link
stays. One that leads out, in a circle or nowhere keeps its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from aiops.errors import EditRefused

LINK = "120000"
MAX_LINKS = 16  # on the way to one file; Linux stops at 40
MAX_TEXT_BYTES = 4_096  # PATH_MAX


def resolve(path: str, links: Collection[str], text: Callable[[str], str]) -> str:
    """Return the path with every link on its way followed. Raises EditRefused.

    `links`: the paths that are links; `text`: what one says.
    """
    todo = path.split("/")[::-1]
    done: list[str] = []
    followed = 0
    while todo:
        part = todo.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not done:
                raise EditRefused("a symbolic link out of the repository", where=path)
            done.pop()
            continue
        here = "/".join((*done, part))
        if here not in links:
            done.append(part)
            continue
        followed += 1
        if followed > MAX_LINKS:
            raise EditRefused("a symbolic link in a circle, or through too many others", where=path)
        target = text(here)
        if target.startswith("/") or "\0" in target or not target:
            raise EditRefused("a symbolic link out of the repository", where=path)
        todo.extend(target.split("/")[::-1])
    return "/".join(done)
