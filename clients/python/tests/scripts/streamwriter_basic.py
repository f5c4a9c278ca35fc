"""After torchaudio's tutorial "StreamWriter Basic Usage"."""

import io

from inputs import pictures, waveform
from torchaudio.io import StreamWriter

SAMPLE_RATE = 16000
WAVEFORM = waveform(40000)
NUM_FRAMES, NUM_CHANNELS = WAVEFORM.shape

# The basic usage.
s = StreamWriter("test.wav")
s.add_audio_stream(sample_rate=SAMPLE_RATE, num_channels=NUM_CHANNELS)
with s.open():
    s.write_audio_chunk(0, WAVEFORM)

# A file-like object.
with open("object.flac", "wb") as dst:
    s = StreamWriter(dst=dst, format="flac")
    s.add_audio_stream(SAMPLE_RATE, NUM_CHANNELS)
    with s.open():
        s.write_audio_chunk(0, WAVEFORM)

# Formats: those of the chunks and of the encoder.
s = StreamWriter("audio.mp3")
s.add_audio_stream(SAMPLE_RATE, NUM_CHANNELS, encoder="libmp3lame", encoder_format="s16p")
with s.open():
    s.write_audio_chunk(0, WAVEFORM)

# An image.
height, width = 96, 128
s = StreamWriter(dst="image.jpeg")
s.add_video_stream(frame_rate=1, height=height, width=width, format="rgb24")
with s.open():
    s.write_video_chunk(0, pictures(1, height, width))

# Video without audio, in the orders that there are.
frame_rate = 30
for format, channels in (("rgb24", 3), ("bgr24", 3), ("yuv444p", 3), ("gray8", 1), ("rgb0", 4)):
    s = StreamWriter(dst=f"video_{format}.mp4")
    s.add_video_stream(frame_rate=frame_rate, height=height, width=width, format=format)
    with s.open():
        s.write_video_chunk(0, pictures(30, height, width, channels))

s = StreamWriter("video.mov")
s.add_video_stream(frame_rate, width, height, encoder="libx264", encoder_format="yuv422p")
with s.open():
    s.write_video_chunk(0, pictures(30, height, width))

# Video with audio.
s = StreamWriter(dst="both.mp4")
s.add_audio_stream(sample_rate=SAMPLE_RATE, num_channels=NUM_CHANNELS)
s.add_video_stream(frame_rate=frame_rate, height=height, width=width, format="rgb24")
with s.open():
    s.write_audio_chunk(0, WAVEFORM[: SAMPLE_RATE * 2])
    s.write_video_chunk(1, pictures(frame_rate * 2, height, width))

# Data in one go, and chunk by chunk.
dst1 = io.BytesIO()
s = StreamWriter(dst=dst1, format="mp3")
s.add_audio_stream(SAMPLE_RATE, NUM_CHANNELS)
with s.open():
    s.write_audio_chunk(0, WAVEFORM)

dst2 = io.BytesIO()
s = StreamWriter(dst=dst2, format="mp3")
s.add_audio_stream(SAMPLE_RATE, NUM_CHANNELS)
with s.open():
    for start in range(0, NUM_FRAMES, SAMPLE_RATE):
        s.write_audio_chunk(0, WAVEFORM[start : start + SAMPLE_RATE, ...])

assert dst1.getvalue() == dst2.getvalue()
with open("chunks.mp3", "wb") as file:
    file.write(dst2.getvalue())


def test_slice(audio_encoder, slice_size, ext="mp4"):
    s = StreamWriter(dst=f"slice_{audio_encoder}_{slice_size}.{ext}")
    s.add_audio_stream(SAMPLE_RATE, NUM_CHANNELS, encoder=audio_encoder)
    with s.open():
        for start in range(0, NUM_FRAMES, slice_size):
            s.write_audio_chunk(0, WAVEFORM[start : start + slice_size, ...])


test_slice(audio_encoder="aac", slice_size=8000)
test_slice(audio_encoder="aac", slice_size=512)
test_slice(audio_encoder="libmp3lame", slice_size=512)
