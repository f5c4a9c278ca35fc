"""After torchaudio's tutorial of AudioEffector, whose effects and codecs are StreamWriter's filters and encoders."""

from inputs import waveform
from torchaudio.io import CodecConfig, StreamWriter

sample_rate = 16000
source = waveform(24000)
stereo = waveform(24000, 2)


def apply(name, effect, samples=source):
    s = StreamWriter(f"{name}.wav")
    s.add_audio_stream(sample_rate, samples.shape[1], filter_desc=effect)
    with s.open():
        s.write_audio_chunk(0, samples)


apply("original", None)
apply("slower", "atempo=0.7")
apply("faster", "atempo=1.8")
apply("highpass", "highpass=frequency=1500")
apply("lowpass", "lowpass=frequency=1000")
apply("allpass", "allpass")
apply("bandpass", "bandpass=frequency=3000")
apply("bandreject", "bandreject=frequency=3000")
apply("echo", "aecho=in_gain=0.8:out_gain=0.88:delays=60:decays=0.4")
apply("chorus", "chorus=0.5:0.9:50|60|40:0.4|0.32|0.3:0.25|0.4|0.3:2|2.3|1.3")
apply("fft", "afftfilt=real='re * (1-clip(b * (b/nb), 0, 1))':imag='im * (1-clip(b * (b/nb), 0, 1))'")
# Not vibrato: FFmpeg 5.1 begins it with memory that it has not set.
apply("tremolo", "tremolo=f=8:d=0.8")
apply("crystalizer", "crystalizer")
apply("flanger", "flanger")
apply("phaser", "aphaser")
apply("pulsator", "apulsator", stereo)
apply("haas", "haas")
apply("several", "highpass=frequency=300,lowpass=frequency=3000,volume=0.5")


def encode(name, format, encoder=None, codec_config=None):
    s = StreamWriter(f"{name}.{format}", format=format)
    s.add_audio_stream(sample_rate, 1, encoder=encoder, codec_config=codec_config)
    with s.open():
        s.write_audio_chunk(0, source)


encode("default", "ogg")
encode("vorbis", "ogg", "vorbis")
encode("opus", "ogg", "opus")
encode("default", "mp3")
encode("compression_1", "mp3", codec_config=CodecConfig(compression_level=1))
encode("compression_9", "mp3", codec_config=CodecConfig(compression_level=9))
encode("bit_rate_192", "mp3", codec_config=CodecConfig(bit_rate=192_000))
encode("bit_rate_8", "mp3", codec_config=CodecConfig(bit_rate=8_000))
encode("qscale_9", "mp3", codec_config=CodecConfig(qscale=9))
encode("qscale_1", "mp3", codec_config=CodecConfig(qscale=1))
