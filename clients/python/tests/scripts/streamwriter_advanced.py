"""After torchaudio's tutorial "StreamWriter Advanced Usage": the parts of it that need no sound card and no screen.

A player, which is ffmpeg, pulls the stream from where it is written to, and records it.
"""

import os
import subprocess

from inputs import pictures, waveform
from torchaudio.io import CodecConfig, StreamWriter

sample_rate, num_channels = 16000, 1
frame_rate, width, height = 25, 128, 96
PORT = os.environ["PORT"]


def play(url, path):
    """A process that records what a server at `url` sends, once it is there."""
    attempt = 'ffmpeg -v quiet -y -i "$0" -map 0 -c copy "$1" </dev/null && exit'
    return subprocess.Popen(["sh", "-c", f"for n in $(seq 200); do {attempt}; sleep 0.1; done; exit 1", url, path])


def generator():
    frames, samples = pictures(50, height, width), waveform(2 * sample_rate)
    for start in range(0, 50, 10):
        yield frames[start : start + 10], samples[start * sample_rate // 25 : (start + 10) * sample_rate // 25]


# RTMP: the writer waits for a player.
url = f"rtmp://127.0.0.1:{PORT}/live/app"
s = StreamWriter(dst=url, format="flv")
s.add_audio_stream(sample_rate=sample_rate, num_channels=num_channels, encoder="aac")
s.add_video_stream(frame_rate=frame_rate, width=width, height=height)
player = play(url, "rtmp.flv")
with s.open(option={"listen": "1"}):
    for video_chunk, audio_chunk in generator():
        s.write_audio_chunk(0, audio_chunk)
        s.write_video_chunk(1, video_chunk)
assert player.wait(60) == 0

# Metadata and an option of the muxer.
s = StreamWriter("metadata.mka")
s.add_audio_stream(sample_rate, num_channels, encoder="flac")
s.set_metadata({"title": "forgotten"})
s.set_metadata({"artist": "torchaudio contributors"})
with s.open(option={"reserve_index_space": "4096"}):
    s.write_audio_chunk(0, waveform(8000))

# What a codec is told, other sizes and rates, and times.
s = StreamWriter("configured.mkv")
s.add_video_stream(
    frame_rate,
    width,
    height,
    encoder="libx264",
    encoder_option={"preset": "veryfast", "threads": "1"},
    encoder_width=64,
    encoder_height=48,
    codec_config=CodecConfig(bit_rate=100_000, gop_size=10, max_b_frames=0),
)
s.add_audio_stream(sample_rate, num_channels, encoder="pcm_s16le", encoder_sample_rate=8000, encoder_num_channels=2)
with s.open():
    for video_chunk, audio_chunk in generator():
        s.write_video_chunk(0, video_chunk)
        s.write_audio_chunk(1, audio_chunk)

s = StreamWriter("gap.mkv")
s.add_video_stream(frame_rate, width, height, encoder="ffv1")
with s.open():
    s.write_video_chunk(0, pictures(5, height, width))
    s.write_video_chunk(0, pictures(5, height, width), pts=1.0)

# A fragmented file, written to an object while it is encoded.
with open("fragmented.mp4", "wb") as file:
    s = StreamWriter(file, format="mp4", buffer_size=1000)
    s.add_video_stream(frame_rate, width, height, codec_config=CodecConfig(gop_size=10))
    with s.open(option={"movflags": "frag_keyframe+empty_moov"}):
        s.write_video_chunk(0, pictures(50, height, width))
