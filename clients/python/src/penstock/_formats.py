"""What the originals read from libav in their own process, asked of the server: muxers, encoders, their formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _private
from ._parameters import InvalidParameter
from ._problems import InvalidRequest, NotFound

if TYPE_CHECKING:
    from .client import Client

#: The order in which torchcodec looks for a sample format: the widest that the encoder has.
_WIDEST_SAMPLES = ("fltp", "flt", "dblp", "dbl", "s64p", "s64", "s32p", "s32", "s16p", "s16", "u8p", "u8")

#: How many channels the layouts have that encoders name.
_CHANNELS = {
    "mono": 1, "stereo": 2, "downmix": 2, "2.1": 3, "3.0": 3, "3.0(back)": 3, "4.0": 4, "quad": 4, "quad(side)": 4,
    "3.1": 4, "5.0": 5, "5.0(side)": 5, "4.1": 5, "5.1": 6, "5.1(side)": 6, "6.0": 6, "6.0(front)": 6, "hexagonal": 6,
    "6.1": 7, "6.1(back)": 7, "6.1(front)": 7, "7.0": 7, "7.0(front)": 7, "7.1": 8, "7.1(wide)": 8,
    "7.1(wide-side)": 8, "octagonal": 8,
}  # fmt: skip


class Formats:
    """One server's muxers and encoders. Each is asked for once in this process."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, ...], Any] = {}

    @property
    def folder(self) -> str | None:
        """The folder on this side that is a private server's output directory; None of other servers."""
        return _private.output_folder(self._client.address)

    def of_file(self, name: str) -> str:
        """The muxer that goes with a file's name, by its extension.

        Raises InvalidParameter where none does.
        """
        extension = name[name.rfind(".") :] if "." in name else ""
        try:
            plan = self._once(("file", extension), lambda: self._plan({"dst": "x" + extension}))
        except InvalidRequest as error:
            if error.code != "unknown-format":
                raise
            what = f"the extension {extension}" if extension else "a name without an extension"
            raise InvalidParameter(
                f'Failed to open output "{name}": there is no format for {what}; give one with format= '
                "(penstock.utils.get_muxers() lists them)"
            ) from None
        return str(plan["format"])

    def muxer(self, name: str) -> Mapping[str, Any]:
        """The muxer or output device of a name.

        Raises InvalidParameter where there is none.
        """
        muxer: Mapping[str, Any] | None = self._once(("muxer", name), lambda: self._find_muxer(name))
        if muxer is None:
            raise InvalidParameter(
                f'There is no format "{name}". penstock.utils.get_muxers() and get_output_devices() list what there is'
            )
        return muxer

    def _find_muxer(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self._client.get_muxer(name)
        except NotFound:
            return None

    def is_device(self, name: str) -> bool:
        """Whether a name is that of an output device."""
        devices = self._once(("devices",), self._client.list_output_devices)
        return any(name in str(device["name"]).split(",") for device in devices)

    def encoder(self, name: str) -> Mapping[str, Any] | None:
        """The encoder of a name, its own or its codec's; None where there is none."""
        encoder: Mapping[str, Any] | None = self._once(("encoder", name), lambda: self._find_encoder(name))
        return encoder

    def _find_encoder(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self._client.get_encoder(name)
        except NotFound:
            return None

    def default_encoder(self, muxer: str, media: str, file: str | None = None) -> str | None:
        """The encoder that a muxer has for "audio" or "video"; of pictures, the one of the file's extension."""
        if file is not None and media == "video" and "." in file:
            stream = {"type": "video", "frame_rate": 1, "width": 64, "height": 64}
            named = "x" + file[file.rfind(".") :]
            plan = self._once(("picture", named), lambda: self._plan({"dst": named, "streams": [stream]}))
            return str(plan["streams"][0]["encoder"])
        name = self.muxer(muxer).get(f"default_{media}_encoder")
        return None if name is None else str(name)

    def first_format(self, encoder: str | None) -> str | None:
        """The first of an encoder's formats, which the originals take where none is named."""
        found = None if encoder is None else self.encoder(encoder)
        formats = [] if found is None else found.get("formats", [])
        return str(formats[0]) if formats else None

    def widest_sample_format(self, encoder: str | None) -> str | None:
        """Of an audio encoder's formats the one that torchcodec takes."""
        found = None if encoder is None else self.encoder(encoder)
        formats = [] if found is None else found.get("formats", [])
        return next((name for name in _WIDEST_SAMPLES if name in formats), None)

    def takes(self, encoder: str | None, parameter: str, value: Any) -> bool:
        """Whether an encoder takes a sample rate or a number of channels, or has none in particular."""
        found = None if encoder is None else self.encoder(encoder)
        if found is None:
            return False
        if parameter == "sample_rate":
            return value in found.get("sample_rates", [value])
        if parameter == "num_channels":
            layouts = found.get("channel_layouts")
            return layouts is None or value in {_CHANNELS.get(str(layout)) for layout in layouts}
        return parameter != "frame_rate" or "frame_rates" not in found

    def takes_threads_by_itself(self, encoder: str | None) -> bool:
        """Whether an encoder takes as many threads as it thinks fit, where it is not told how many (libx264)."""
        found = None if encoder is None else self.encoder(encoder)
        options = [] if found is None else found.get("options", [])
        return any(option["name"] == "threads" and option.get("default") == "auto" for option in options)

    def options_of_container(self, muxer: str | None, encoder: str | None, names: Iterable[str]) -> set[str]:
        """Of options that were given together those of the muxer: what the encoder has not and the muxer has."""
        names = set(names)
        if muxer is None or not names:
            return set()
        found = None if encoder is None else self.encoder(encoder)
        of_encoder = {str(option["name"]) for option in (found or {}).get("options", [])}
        of_muxer = {str(option["name"]) for option in self.muxer(muxer).get("options", [])}
        return (names - of_encoder) & of_muxer

    def _plan(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._client.plan_writer(body)

    def _once(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]


def formats_of(client: Client) -> Formats:
    """What is known of a client's server; it is kept with the client, and no longer."""
    found = client.__dict__.get("_formats")
    if not isinstance(found, Formats):
        found = client.__dict__["_formats"] = Formats(client)
    return found
