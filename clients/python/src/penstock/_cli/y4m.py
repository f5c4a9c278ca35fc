"""YUV4MPEG2: uncompressed pictures with a head that says what they are."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .reading import Input, InvalidInput

MAGIC = b"YUV4MPEG2"
#: Bytes of a line of the head at most.
LONGEST_LINE = 4096

#: Of colour spaces: FFmpeg's pixel format, bytes of a sample, and the planes as shifts of the width and the height.
_420, _411, _422, _444 = ((1, 1), (1, 1)), ((2, 0), (2, 0)), ((1, 0), (1, 0)), ((0, 0), (0, 0))
_SPACES: dict[str, tuple[str, int, tuple[tuple[int, int], ...]]] = {
    "420": ("yuv420p", 1, _420),
    "420jpeg": ("yuv420p", 1, _420),
    "420mpeg2": ("yuv420p", 1, _420),
    "420paldv": ("yuv420p", 1, _420),
    "411": ("yuv411p", 1, _411),
    "422": ("yuv422p", 1, _422),
    "444": ("yuv444p", 1, _444),
    "444alpha": ("yuva444p", 1, (*_444, (0, 0))),
    "mono": ("gray", 1, ()),
    **{f"mono{bits}": (f"gray{bits}le", 2, ()) for bits in (9, 10, 12, 14, 16)},
    **{
        f"{name}p{bits}": (f"yuv{name}p{bits}le", 2, planes)
        for name, planes in (("420", _420), ("422", _422), ("444", _444))
        for bits in (9, 10, 12, 14, 16)
    },
}
_FIELD_ORDERS = {"p": "progressive", "t": "tt", "b": "bb"}
_RANGES = {"FULL": "pc", "LIMITED": "tv"}


class Y4M:
    """Pictures of a YUV4MPEG2 stream. `given` are members that the user gives, which the head need not have then."""

    def __init__(self, source: Input, given: dict[str, Any], chunk_bytes: int) -> None:
        self._source = source
        self._chunk_bytes = chunk_bytes
        line = source.line(LONGEST_LINE)
        if line is None:
            raise InvalidInput(f"{source.name} is no YUV4MPEG2: its first line does not end")
        words = line.decode("ascii", "replace").split(" ")
        if words[0] != MAGIC.decode():
            raise InvalidInput(f'{source.name} is no YUV4MPEG2: it begins with "{words[0][:20]}"')
        marks = {word[0]: word[1:] for word in words[1:] if word and word[0] != "X"}
        further = dict(word[1:].partition("=")[::2] for word in words[1:] if word.startswith("X"))
        width, height = self._size("W", marks), self._size("H", marks)
        space = marks.get("C", "420jpeg")
        if space not in _SPACES:
            raise self._unknown(f"its colour space C{space}", f"those known are {', '.join(_SPACES)}")
        pixel_format, sample_bytes, planes = _SPACES[space]
        pixels = width * height + sum(-(-width >> x) * -(-height >> y) for x, y in planes)
        self._frame_bytes = pixels * sample_bytes
        self.stream: dict[str, Any] = {"type": "video", "width": width, "height": height, "format": pixel_format}
        if "frame_rate" not in given:
            self.stream["frame_rate"] = self._rate(marks)
        if "sample_aspect_ratio" not in given:
            self.stream |= self._aspect(marks.get("A", "0:0"))
        if "field_order" not in given:
            self.stream |= self._field_order(marks.get("I", "?"))
        if "color_range" not in given and "COLORRANGE" in further:
            if further["COLORRANGE"] not in _RANGES:
                raise self._unknown(f"its range XCOLORRANGE={further['COLORRANGE']}", "FULL and LIMITED are known")
            self.stream["color_range"] = _RANGES[further["COLORRANGE"]]

    def chunks(self, frame_bytes: int) -> Iterator[memoryview]:
        """Whole pictures, as they come."""
        if frame_bytes != self._frame_bytes:
            raise InvalidInput(
                f"{self._source.name} has pictures of {self._frame_bytes} bytes, and the server takes {frame_bytes}"
            )
        per_chunk = max(1, self._chunk_bytes // self._frame_bytes)
        buffer = memoryview(bytearray(per_chunk * self._frame_bytes))
        count = taken = 0
        try:
            while self._begins(taken):
                frame = buffer[count * self._frame_bytes : (count + 1) * self._frame_bytes]
                found = self._source.fill(frame, self._frame_bytes)
                if found < self._frame_bytes:
                    raise InvalidInput(
                        f"{self._source.name} ends within picture {taken}, counted from 0: it has {found} of the "
                        f"{self._frame_bytes} bytes of one"
                    )
                count += 1
                taken += 1
                if count == per_chunk or not self._source.is_ready():
                    whole, count = count, 0
                    yield buffer[: whole * self._frame_bytes]
        except InvalidInput:
            if count:
                yield buffer[: count * self._frame_bytes]
            raise
        if count:
            yield buffer[: count * self._frame_bytes]

    def _begins(self, index: int) -> bool:
        """Reads the head of a picture; False at the end."""
        if not self._source.peek(1):
            return False
        at = self._source.position
        line = self._source.line(LONGEST_LINE)
        if line is None or line.split(b" ")[0] != b"FRAME":
            raise InvalidInput(
                f"{self._source.name} has no picture where picture {index}, counted from 0, should begin (byte {at}): "
                "a line FRAME is missing. It is damaged, or its pictures are of another size than its head says"
            )
        return True

    def _size(self, mark: str, marks: dict[str, str]) -> int:
        text = marks.get(mark, "")
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1 << 15):
            raise InvalidInput(f"{self._source.name} has no {mark} (the pictures' size) that can be: {mark}{text[:20]}")
        return int(text)

    def _rate(self, marks: dict[str, str]) -> str:
        rate = self._ratio("F", marks.get("F", "0:0"))
        if rate is None:
            raise InvalidInput(f"{self._source.name} does not say its rate (F): give it with --frame-rate")
        return f"{rate.numerator}/{rate.denominator}"

    def _aspect(self, text: str) -> dict[str, Any]:
        ratio = self._ratio("A", text)
        return {} if ratio is None else {"sample_aspect_ratio": f"{ratio.numerator}:{ratio.denominator}"}

    def _ratio(self, mark: str, text: str) -> Fraction | None:
        """A ratio such as 30000:1001; None of 0:0, which says that it is not known."""
        parts = text.split(":")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            raise InvalidInput(f"{self._source.name} has a {mark} that is no ratio (30000:1001): {mark}{text[:40]}")
        over, under = map(int, parts)
        return Fraction(over, under) if over and under else None

    def _field_order(self, text: str) -> dict[str, Any]:
        if text == "?":
            return {}
        if text == "m":
            raise self._unknown(
                "that some pictures are interlaced and some are not (Im)", "give --field-order, which holds for all"
            )
        if text not in _FIELD_ORDERS:
            raise self._unknown(f"its interlacing I{text[:20]}", "p, t, b and ? are known; or give --field-order")
        return {"field_order": _FIELD_ORDERS[text]}

    def _unknown(self, what: str, advice: str) -> InvalidInput:
        return InvalidInput(f"{self._source.name} says {what}, which can't be passed on: {advice}")
