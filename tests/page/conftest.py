"""A real Chromium that opens a page and keeps what it asks for and complains of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import real


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with real.running_chromium() as found:
        yield found


@pytest.fixture
def opened(browser, tmp_path):
    """Return `open(markup, **context) -> page`; what it asks for and complains of is on it."""
    contexts = []

    def open_page(markup: str, **options: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_bytes(markup.encode("utf-8", "replace"))
        contexts.append(browser.new_context(**options))
        tab = contexts[-1].new_page()
        tab.asked, tab.complaints = [], []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.goto(file.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
