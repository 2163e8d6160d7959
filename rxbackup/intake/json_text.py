"""A long JSON text read as a stream: piece by piece, values as they are written, in bounded memory."""

from __future__ import annotations

import codecs
import os
import re
from typing import BinaryIO

from rxbackup.errors import FileCorrupt

_PIECE_BYTES = 1 << 20
_SPACE = re.compile(rb"[ \t\r\n]*+")
_TOKEN = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+"|[\[{]|[\]}]|"')
_SCALAR = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+"|[-+.0-9A-Za-z]++')
_BEGINNINGS = frozenset(b'"{[-0123456789tfn'[i : i + 1] for i in range(17))
_TOUCHING = re.compile(rb"[-+.0-9A-Za-z]\Z")


class JsonText:
    """A file of JSON in UTF-8.

    `buffer` from `at` on is what was read but not yet taken; whoever takes of it moves `at`.
    """

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        self._file = file
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._before = 0
        self._ended = False
        self.total = os.fstat(file.fileno()).st_size
        self.buffer = b""
        self.at = 0
        self.more()

    @property
    def done(self) -> int:
        """How many bytes of the file were taken."""
        return self._before + self.at

    def more(self) -> bool:
        """Read on: at least as much again as waits. False at the end of the file.

        Raises:
            FileCorrupt: the text is not UTF-8.
        """
        if self._ended:
            return False
        waiting = self.buffer[self.at :]
        self._before += self.at
        piece = self._file.read(max(_PIECE_BYTES, len(waiting)))
        self._ended = not piece
        try:
            self._utf8.decode(piece, final=self._ended)
        except UnicodeDecodeError:
            raise FileCorrupt("The document is not UTF-8.") from None
        self.buffer, self.at = waiting + piece, 0
        return not self._ended

    def peek(self) -> bytes:
        """The next byte that is no blank, which is not taken; empty at the end."""
        while True:
            found = _SPACE.match(self.buffer, self.at)
            assert found is not None  # noqa: S101 - it matches nothing too
            self.at = found.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at : self.at + 1]
            if not self.more():
                return b""

    def expect(self, byte: bytes) -> None:
        """Take this byte, and blanks before it. Raises `FileCorrupt` if there is another."""
        if self.peek() != byte:
            raise self.broken()
        self.at += 1

    def took(self, byte: bytes) -> bool:
        """Take this byte if it comes next."""
        if self.peek() != byte:
            return False
        self.at += 1
        return True

    def value(self, *, most_bytes: int, most_depth: int) -> bytes:
        """Take the next value, as it is written.

        Raises:
            FileCorrupt: it is longer or deeper than allowed, or does not end.
        """
        if self.peek() not in _BEGINNINGS:
            raise self.broken()
        while True:
            end = value_end(self.buffer, self.at, most_depth=most_depth)
            if end is not None and (end < len(self.buffer) or self._ended or not self._may_go_on(end)):
                break
            if len(self.buffer) - self.at > most_bytes:
                raise FileCorrupt(f"A value in the document is longer than {most_bytes} bytes.")
            if not self.more():
                if end is not None:
                    break
                raise self.broken()
        if end - self.at > most_bytes:
            raise FileCorrupt(f"A value in the document is longer than {most_bytes} bytes.")
        start, self.at = self.at, end
        return self.buffer[start:end]

    def broken(self) -> FileCorrupt:
        """What to raise where the text does not go on as it must."""
        if self._ended and not self.buffer[self.at :].strip():
            return FileCorrupt("The file is cut short: it ends in the middle of the document.")
        return FileCorrupt(f"The document does not go on as one of rxbackup's at byte {self.done}.")

    def _may_go_on(self, end: int) -> bool:
        # A number or a word at the end of what was read may be the beginning of a longer one.
        return _TOUCHING.search(self.buffer, end - 1) is not None


def value_end(text: bytes, start: int, *, most_depth: int) -> int | None:
    """Just after the JSON value that begins at `start`; None if it does not end within the text.

    Brackets are matched, strings are seen whole; what stands between is not judged.
    """
    if text[start : start + 1] not in (b"{", b"["):
        scalar = _SCALAR.match(text, start)
        return scalar.end() if scalar else None
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] == b'"':
            # A string that does not end here: what follows is not to be taken for brackets.
            return None
        if token[0][:1] == b'"':
            continue
        depth += 1 if token[0] in b"[{" else -1
        if depth == 0:
            return token.end()
        if depth > most_depth:
            raise FileCorrupt(f"The document is nested more than {most_depth} deep.")
    return None
