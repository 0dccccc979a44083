"""What in a text acts when GitHub shows it, or when a squash commit repeats it raw.

GitHub's own Markdown engine (cmarkgfm) tells what becomes a link, an image or HTML; mentions,
issue references and chat-ops commands are found in the text by GitHub after Markdown, and in a
commit message without Markdown, so they are looked for in the raw text.
"""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

from aiops.propose import proof

# What the template itself uses.
TEMPLATE_TAGS = frozenset(
    ("h2", "p", "strong", "code", "pre", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "hr")
)
# A `<` that is no such tag is looked at by a parser. cmark writes every other `<` as `&lt;`, so this only
# saves the parser for what is nothing but template; it is two thirds of the time of a judgement.
_PLAIN_TAG = re.compile(
    rf"</?(?:{'|'.join(sorted(TEMPLATE_TAGS))})(?: (?:lang|align|class)=\"[a-z-]*\")?(?: /)?>"
)
_MARKER = re.compile(r"<!-- aiops:1 [a-z0-9=. -]+ -->")
RAW_RULES = {
    "mention": re.compile(r"@"),
    "issue": re.compile(r"#\d"),
    "issue GH": re.compile(r"(?i)gh-\d"),
    "address": re.compile(r"://"),
    "issue address": re.compile(r"(?i)/(issues|pull|discussions)/"),
    "command": re.compile(r"(?m)^\s*(/[a-z]|bors |@|!\w|::)"),
    "comment": re.compile(r"<!--(?! aiops:1 )|(?s:.)<!-- aiops:1 "),
    "control": re.compile(r"[^\n\x20-\x7e]"),
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1

    def handle_comment(self, data: str) -> None:
        self.found["comment"] += 1


def tags(markdown: str) -> Counter[str]:
    """Return how often each HTML tag stands in the rendered text, raw HTML included."""
    parser = _Tags()
    parser.feed(_html(markdown))
    return parser.found


def foreign(markdown: str) -> list[str]:
    """Return the tags that the template does not use."""
    shown = _PLAIN_TAG.sub("", _MARKER.sub("", _html(markdown), count=1))
    if "<" not in shown:
        return []
    return [tag for tag in tags(markdown) if tag not in TEMPLATE_TAGS | {"comment"}]


def _html(markdown: str) -> str:
    return cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)


def live(markdown: str, external_url: str = "") -> list[str]:
    """Return what acts: every tag that the template does not use, every raw rule that matches.

    What the template itself holds is taken out first, at most as often as it stands there: the folded
    queries, and the links to the Prometheus of the settings in the exact shape that we write.
    """
    own = markdown.replace(f"\n{proof.OPEN_QUERIES}\n", "\n", 1)
    own = own.replace(f"\n{proof.CLOSE_QUERIES}\n", "\n", 1)
    if external_url:
        shape = (
            re.escape(external_url) + r"/graph\?g0\.expr=[A-Za-z0-9%]+&g0\.tab=0&g0\.range_input=\d+m"
            r"&g0\.end_input=[0-9A-F%]+"
        )
        own = re.sub(rf"\| \[Q\d\]\({shape}\) \|", "| Q |", own)
    return [f"<{tag}>" for tag in foreign(own)] + raw(own)


def raw(text: str) -> list[str]:
    """Return the raw rules that match: what a merge commit or a bot would act on."""
    return [name for name, rule in RAW_RULES.items() if rule.search(text)]
