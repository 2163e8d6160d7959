"""zstd, and its traps: the only place that speaks to the library.

A frame is never trusted to say how large it becomes, a truncated frame is never taken for a short one, and bytes
after a frame are an error. All of this comes after authentication; it bounds the damage of our own mistakes too.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

if sys.version_info >= (3, 14):  # the same module, grown up
    from compression import zstd
else:
    from backports import zstd

from rxbackup.errors import Corrupt

Buffer = bytes | bytearray | memoryview

_C = zstd.CompressionParameter
# Level 1: the reader of rows is the bottleneck beyond it, and higher levels gain little on COPY text.
# A hash table of 2^13 entries stays in the processor's first cache: measured a fifth faster than the level's own
# 2^14 at the same ratio (5.2 instead of 5.1 on the benchmark's assets).
_FRAME: Mapping[int, int] = {_C.compression_level: 1, _C.content_size_flag: 1, _C.checksum_flag: 1}
_WHOLE: Mapping[int, int] = {**_FRAME, _C.hash_log: 13}
# A difference needs a window over anchor and chunk together (8 + 8 MiB), and long-distance matching:
# without it the prefix is nearly useless (337 KB against 4 KB for 4 MB with 1 % of the rows changed).
_WINDOW_LOG = 24
_DIFFERENCE: Mapping[int, int] = {**_FRAME, _C.window_log: _WINDOW_LOG, _C.enable_long_distance_matching: 1}
_READING: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
_SHORTEST_PREFIX = 8
"""zstd takes no shorter one; such a prefix is left out, by writer and reader alike."""


def compress(plain: Buffer, *, prefix: Buffer | None = None) -> bytes:
    """One zstd frame with content size and checksum.

    Args:
        plain: what to compress.
        prefix: bytes that the reader will have too; the frame then holds little more than the difference.
    """
    leaning = _leaning(prefix)
    if leaning is None:
        compressor = zstd.ZstdCompressor(options=_WHOLE)
    else:
        compressor = zstd.ZstdCompressor(options=_DIFFERENCE, zstd_dict=leaning)
    compressor.set_pledged_input_size(len(plain))
    return compressor.compress(plain, zstd.ZstdCompressor.FLUSH_FRAME)


def decompress(frame: Buffer, length: int, *, prefix: Buffer | None = None) -> bytes:
    """The plain bytes, which must be exactly `length`.

    Never allocates much more than `length`, whatever the frame claims.

    Raises:
        Corrupt: the frame is damaged, truncated, followed by something, or of another length.
    """
    decompressor = zstd.ZstdDecompressor(zstd_dict=_leaning(prefix), options=_READING)
    try:
        # One byte more than allowed shows a frame that is too long without unpacking the rest of it.
        plain = decompressor.decompress(frame, max_length=length + 1)
        if len(plain) == length and not decompressor.eof and not decompressor.needs_input:
            plain += decompressor.decompress(b"", max_length=1)
    except zstd.ZstdError as error:
        raise Corrupt(f"Compressed bytes are damaged: {error}.") from error
    if len(plain) != length or not decompressor.eof or decompressor.unused_data:
        raise Corrupt("Compressed bytes do not have the length they were sealed with.")
    return plain


def _leaning(prefix: Buffer | None) -> tuple[zstd.ZstdDict, int] | None:
    if prefix is None or len(prefix) < _SHORTEST_PREFIX:
        return None
    return zstd.ZstdDict(prefix, is_raw=True).as_prefix
