from __future__ import annotations

from pathlib import Path

import pytest

from rxbackup.ui.bundle import UnexpectedPageError, free_folder_of_address, free_of_address, with_proxy

BASE = "http://localhost:8000"
HOSTS = "=[`localhost`,`0.0.0.0`,`::`,`0:0:0:0:0:0:0:0`],x"


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_addresses_become_expressions_whatever_the_quotes(quote: str) -> None:
    script = f"e={{EVENT:{quote}ws://localhost:8000/_event{quote},PING:{quote}{BASE}/ping{quote}}}"
    freed, count = free_of_address(script, BASE)
    assert count == 2
    assert "localhost" not in freed
    assert 'EVENT:((location.protocol==="https:"?"wss://":"ws://")+location.host+"/_event")' in freed
    assert 'PING:(location.origin+"/ping")' in freed


def test_other_addresses_stay() -> None:
    script = '"http://localhost:80001/x" "http://example.com/" "ws://localhost:8000/a b"'
    assert free_of_address(script, BASE) == (script, 0)


def build(folder: Path, script: str) -> Path:
    (folder / "assets").mkdir()
    (folder / "assets" / "env.js").write_text(script, encoding="utf-8")
    return folder


def test_a_page_is_freed(tmp_path: Path) -> None:
    page = build(tmp_path, f'a="ws://localhost:8000/_event";h{HOSTS}')
    assert free_folder_of_address(page, BASE) == 1
    assert "h=[],x" in (page / "assets" / "env.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "script",
    [
        f'a="http://localhost:8000/ping";h{HOSTS}',
        'a="ws://localhost:8000/_event";',
        f'a="ws://localhost:8000/_event";h{HOSTS};b="see http://localhost:8000/ping here"',
        f'a="ws://localhost:8000/_event";b="ws://localhost:8000/_event";h{HOSTS}',
    ],
    ids=["no event address", "no list of hosts", "one left over", "two event addresses"],
)
def test_a_page_that_looks_otherwise_fails_the_build(tmp_path: Path, script: str) -> None:
    with pytest.raises(UnexpectedPageError):
        free_folder_of_address(build(tmp_path, script), BASE)


def test_the_development_server_passes_on_what_is_no_page() -> None:
    changed = with_proxy("export default {\n  server: {\n    port: 1,", "http://127.0.0.1:8000")
    assert '"^/(auth|dl|api|healthz|metrics|readyz)(/|$)": {"target": "http://127.0.0.1:8000"}' in changed
    with pytest.raises(UnexpectedPageError):
        with_proxy("export default {}", "http://127.0.0.1:8000")
