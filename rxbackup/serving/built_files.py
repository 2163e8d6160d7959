"""What the wall must know about the built page: its addresses, and the scripts that stand inside its files."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path


class _InlineScripts(HTMLParser):
    """Collects the text of every `<script>` without `src`; script text is never entity-decoded."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and not any(name == "src" for name, _ in attrs)
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def inline_scripts(html: str) -> list[str]:
    """The text of every inline script, exactly as a browser hashes it."""
    parser = _InlineScripts()
    parser.feed(html)
    parser.close()
    return parser.found


def script_hashes(folder: Path) -> tuple[str, ...]:
    """`'sha256-…'` of every inline script of every page below `folder`, sorted, each once."""
    scripts = {one for path in folder.rglob("*.html") for one in inline_scripts(path.read_text(encoding="utf-8"))}
    digests = (hashlib.sha256(one.encode()).digest() for one in scripts)
    return tuple(sorted(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests))


def page_paths(folder: Path) -> frozenset[str]:
    """The addresses of the pages that are files below `folder`: "/sign-in" for `sign-in/index.html`."""
    homes = (path.parent.relative_to(folder) for path in folder.rglob("index.html"))
    return frozenset(f"/{home.as_posix()}" for home in homes if home != Path())
