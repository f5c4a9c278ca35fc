"""The settings that every encoder has in common, as torchaudio's CodecConfig has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CodecConfig:
    """Codec configuration: the fields of `torchaudio.io.CodecConfig`, with their names, order and defaults.

    A field at its default is not set, and the encoder's own default holds. One that an encoder does not look at is
    refused by the server, which names it.
    """

    bit_rate: int = -1
    """Bits per second."""

    compression_level: int = -1
    """How hard the encoder tries; which values there are depends on the encoder."""

    qscale: int | None = None
    """Global quality factor, for a variable bit rate: 0 (best) to 9 of MP3, -1 to 10 (best) of libvorbis."""

    gop_size: int = -1
    """Pictures in a group of pictures; 0: key frames only. Of video."""

    max_b_frames: int = -1
    """The most B frames between two others. Of video."""


def as_request(config: CodecConfig | None) -> dict[str, int] | None:
    """The members of a stream's `codec_config`: what has been set, by the rules of the original."""
    if config is None:
        return None
    fields: dict[str, int] = {}
    if config.bit_rate > 0:
        fields["bit_rate"] = config.bit_rate
    for name in ("compression_level", "gop_size", "max_b_frames"):
        if getattr(config, name) != -1:
            fields[name] = getattr(config, name)
    if config.qscale is not None:
        fields["qscale"] = config.qscale
    return fields or None
