from __future__ import annotations

import pytest

from rxbackup.api.downloads import attachment


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Backup.json", "attachment; filename=\"Backup.json\"; filename*=UTF-8''Backup.json"),
        ("Größe 1.sql", "attachment; filename=\"Groe 1.sql\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.sql"),
        ("備份", "attachment; filename=\"backup\"; filename*=UTF-8''%E5%82%99%E4%BB%BD"),
        ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ("", "attachment; filename=\"backup\"; filename*=UTF-8''backup"),
    ],
)
def test_a_name_becomes_a_header(name: str, header: str) -> None:
    assert attachment(name) == header


@pytest.mark.parametrize("name", ['a"b.json', "a\r\nSet-Cookie: x=1", "a;b", "a\x00b", "a\\b", "\u202egnp.exe"])
def test_no_name_breaks_out_of_the_header(name: str) -> None:
    header = attachment(name)
    assert not set(header) & set("\r\n\x00")
    assert header.count('"') == 2
    assert "\u202e" not in header
