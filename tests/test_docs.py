"""The documentation holds together: every link leads somewhere, every page is reached from the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import real

ROOT = real.CHECKOUT
PAGES = (ROOT / "README.md", ROOT / "pipelines" / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """Return (file, heading) of every link of a page that stays in the repository."""
    found = []
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            path, _, heading = target.partition("#")
            found.append(((page.parent / path).resolve() if path else page, heading))
    return found


def headings(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page):
    for path, heading in links(page):
        assert path.exists(), path
        assert not heading or heading in headings(path), f"{path.name}#{heading}"


def test_every_page_is_linked_from_the_readme():
    reached = {path for path, _ in links(PAGES[0])}
    assert {page for page in PAGES if page.parent.name == "docs"} <= reached
