"""WAV: PCM samples behind a head of chunks (RIFF, or RF64 of more than 4 GiB)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from .reading import Input, InvalidInput, frames

MAGICS = (b"RIFF", b"RF64", b"RIFX", b"BW64")
#: Lengths of about 2 GiB are what sox and arecord write into a pipe, and stand for more than there will be.
UNKNOWN_FROM, UNKNOWN_TO = 0x7FFF_0000, 0x8000_0100
#: Bytes of a chunk before the samples that is read over at most.
LONGEST_CHUNK = 1 << 30

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMATS = {
    (_PCM, 1): "u8", (_PCM, 2): "s16", (_PCM, 3): "s32", (_PCM, 4): "s32", (_PCM, 8): "s64",
    (_FLOAT, 4): "flt", (_FLOAT, 8): "dbl",
}  # fmt: skip
_NAMES = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM", 0x50: "MPEG", 0x55: "MP3"}
#: What follows the format's number in a subformat (KSDATAFORMAT_SUBTYPE_…).
_SUBFORMAT = bytes.fromhex("000000001000800000aa00389b71")


class Wav:
    """Samples of a WAV file. `notes` are sentences on what of its head was not passed on."""

    def __init__(self, source: Input, given: dict[str, Any], chunk_bytes: int) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        self.notes: list[str] = []
        magic, self._riff_bytes, kind = struct.unpack("<4sI4s", self._exactly(12))
        if kind != b"WAVE":
            raise InvalidInput(f"{source.name} is a RIFF file of {kind!r} and no WAV")
        if magic == b"RIFX":
            raise InvalidInput(f"{source.name} is a WAV of big-endian samples (RIFX), which is not read")
        self._long_length: int | None = None
        self.stream: dict[str, Any] = {}
        while True:
            name, length = struct.unpack("<4sI", self._exactly(8))
            if name == b"data":
                break
            if length > LONGEST_CHUNK:
                raise InvalidInput(f"{source.name} is damaged: its chunk {name!r} has {length} bytes")
            content = self._exactly(length + length % 2)
            if name == b"ds64" and length >= 16:
                self._long_length = struct.unpack_from("<Q", content, 8)[0]
            elif name == b"fmt ":
                self._take_format(content[:length], given)
        if not self.stream:
            raise InvalidInput(f"{source.name} has samples (data) before it says what they are (fmt)")
        self._length = self._known_length(length)

    def chunks(self, frame_bytes: int) -> Iterator[memoryview]:
        """Whole samples, as they come; those of 24 bits as the upper ones of 32."""
        length = self._length
        may_end = length is not None and UNKNOWN_FROM <= length < UNKNOWN_TO
        for chunk in frames(self._source, self._stored_bytes, self._chunk_bytes, length, may_end):
            yield _widened(chunk) if self._is_24_bits else chunk
        self._source.drain()

    def _take_format(self, content: bytes, given: dict[str, Any]) -> None:
        if len(content) < 16:
            raise InvalidInput(f"{self._source.name} is damaged: its format (fmt) has {len(content)} bytes, not 16")
        tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", content)
        mask = 0
        if tag == _EXTENSIBLE:
            if len(content) < 40:
                raise InvalidInput(f"{self._source.name} is damaged: its extensible format has {len(content)} bytes")
            mask, tag = struct.unpack_from("<IH", content, 20)
            if content[26:40] != _SUBFORMAT:
                raise InvalidInput(f"{self._source.name} has samples of a format of its own: {content[24:40].hex()}")
        if not channels or not rate or not block or block % channels:
            raise InvalidInput(
                f"{self._source.name} is damaged: {channels} channels in {block} bytes at {rate} Hz can't be"
            )
        size = block // channels
        if (tag, size) not in _FORMATS or not 0 < bits <= size * 8:
            name = {_PCM: "PCM", _FLOAT: "floats"}.get(tag) or _NAMES.get(tag, f"the format 0x{tag:x}")
            raise InvalidInput(
                f"{self._source.name} has {name} of {bits} bits in {size} bytes: whole numbers of 8, 16, 24, 32 and 64 "
                "bits and floats of 32 and 64 are read (`ffmpeg -i` makes them of others)"
            )
        self._is_24_bits = size == 3
        self._stored_bytes = block
        self.stream = {"type": "audio", "sample_rate": rate, "num_channels": channels, "format": _FORMATS[tag, size]}
        if self._is_24_bits:
            self.notes.append("samples of 24 bits are sent as the upper bits of s32: an encoder of 24 bits loses none")
        if mask and "channel_layout" not in given:
            if bin(mask).count("1") == channels:
                self.stream["channel_layout"] = f"0x{mask:x}"
            else:
                self.notes.append(
                    f"the channel mask 0x{mask:x} does not name {channels} channels: the usual ones are taken; "
                    "--channel-layout says others"
                )

    def _known_length(self, length: int) -> int | None:
        """Bytes of samples; None where the head doesn't know, as it was written to a pipe or never finished."""
        if self._long_length is not None and length == 0xFFFF_FFFF:
            return self._long_length or None
        is_followed = self._source.position - 8 < self._riff_bytes < UNKNOWN_FROM
        if length == 0xFFFF_FFFF or (length == 0 and not is_followed):
            return None
        return length

    def _exactly(self, count: int) -> bytes:
        data = self._source.read(count)
        if len(data) < count:
            raise InvalidInput(f"{self._source.name} ends within its head, after {self._source.position} bytes")
        return data


def _widened(chunk: memoryview) -> memoryview:
    count = len(chunk) // 3
    wide = bytearray(count * 4)
    for byte in range(3):
        wide[byte + 1 :: 4] = chunk[byte::3]
    return memoryview(wide)
