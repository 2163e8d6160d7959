from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from rxbackup.serving.built_files import inline_scripts, page_paths, script_hashes


def test_inline_scripts_are_read_as_a_browser_hashes_them() -> None:
    html = '<script>a<b && "&amp;"</script><script src="/x.js"></script><p></p><script type=module>\n1 </script>'
    assert inline_scripts(html) == ['a<b && "&amp;"', "\n1 "]


def test_every_script_is_hashed_once(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        (tmp_path / name).write_text("<script>go()</script>", encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
    assert script_hashes(tmp_path) == (f"'sha256-{digest}'",)


def test_pages_are_the_folders_with_an_index(tmp_path: Path) -> None:
    for name in (".", "sign-in", "a/b", "assets"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "sign-in/index.html", "a/b/index.html"):
        (tmp_path / name).touch()
    assert page_paths(tmp_path) == {"/sign-in", "/a/b"}
