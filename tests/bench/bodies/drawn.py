"""What GitHub shows of a Markdown text, as a picture: its own Markdown engine, Mermaid in Chromium.

Comes in: a title and a body or a comment. Goes out: a PNG of few colours. The style is GitHub's own in
what moves a line break: width, sizes, tables, code spans. Fonts are those of this machine.
"""

from __future__ import annotations

import html
import io
from typing import Any

import cmarkgfm
import real
from cmarkgfm.cmark import Options
from PIL import Image

WIDTH = 900  # of the column of a conversation on a laptop
COLOURS = 128
_LIGHT = ("#1f2328", "#ffffff", "#d1d9e0", "#f6f8fa", "rgba(129,139,152,.12)", "#59636e")
_DARK = ("#f0f6fc", "#0d1117", "#3d444d", "#151b23", "rgba(101,108,118,.2)", "#9198a1")
_STYLE = """
:root {{ --text: {0}; --page: {1}; --line: {2}; --stripe: {3}; --code: {4}; --faint: {5} }}
body {{ margin: 0; background: var(--page); color: var(--text);
  font: 14px/1.5 -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }}
main {{ padding: 16px; width: {width}px; box-sizing: border-box; overflow-wrap: break-word }}
h1 {{ font-size: 26px; font-weight: 400; margin: 0 0 16px }}
h2 {{ font-size: 21px; font-weight: 600; margin: 24px 0 16px; padding-bottom: 6px;
  border-bottom: 1px solid var(--line) }}
p, ul, table, pre, details {{ margin: 0 0 16px }} ul {{ padding-left: 28px }} li + li {{ margin-top: 3px }}
table {{ border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto }}
th, td {{ padding: 6px 13px; border: 1px solid var(--line); overflow-wrap: normal }}
tr:nth-child(2n) {{ background: var(--stripe) }}
code {{ font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--code);
  padding: .2em .4em; border-radius: 6px; white-space: break-spaces }}
pre {{ padding: 16px; background: var(--stripe); border-radius: 6px; overflow: auto }}
pre code {{ background: none; padding: 0; white-space: pre }}
pre.mermaid {{ background: none; padding: 16px; text-align: center }}
hr {{ border: 0; height: 3px; background: var(--line); margin: 24px 0 }}
a {{ color: #0969da }}
"""
# As GitHub sets it up: nothing of a text is obeyed, the theme is the reader's.
_DRAW = """async (theme) => {
  mermaid.initialize({startOnLoad: false, securityLevel: "strict", theme});
  let count = 0;
  for (const code of document.querySelectorAll('pre[lang="mermaid"] > code')) {
    const made = await mermaid.render("drawn" + count++, code.textContent);
    code.parentElement.className = "mermaid";
    code.parentElement.innerHTML = made.svg;
  }
  return count;
}"""
# The first screen: down to the end of the part with the chart.
_FIRST = """() => {
  const heads = [...document.querySelectorAll("h2")];
  const chart = document.querySelector("pre.mermaid");
  const end = chart ? chart.getBoundingClientRect().bottom : 0;
  const next = heads.map(one => one.getBoundingClientRect().top).find(top => top > end);
  return end && next ? next - 8 : document.querySelector("main").getBoundingClientRect().bottom;
}"""


def page(title: str, text: str, *, dark: bool) -> str:
    """Return the HTML of one text."""
    shown = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    head = f"<h1>{html.escape(title)}</h1>" if title else ""
    style = _STYLE.format(*(_DARK if dark else _LIGHT), width=WIDTH)
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style><main>{head}{shown}</main>'


def png(chromium: Any, title: str, text: str, *, dark: bool = False, whole: bool = False) -> bytes:
    """Return the picture: the first screen with the chart, or all of it."""
    tab = chromium.new_page(viewport={"width": WIDTH, "height": 800})
    tab.set_content(page(title, text, dark=dark))
    tab.add_script_tag(path=str(real.mermaid_js()))
    tab.evaluate(_DRAW, "dark" if dark else "default")
    high = tab.evaluate(_FIRST if not whole else "() => document.documentElement.scrollHeight")
    taken = tab.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": high})
    tab.close()
    return _small(taken)


def _small(taken: bytes) -> bytes:
    """Return the picture in few colours: text and lines need no more. Rare ones, as of a line, stay."""
    image = Image.open(io.BytesIO(taken)).convert("RGB")
    out = io.BytesIO()
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()
