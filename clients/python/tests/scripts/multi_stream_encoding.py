"""After torchcodec's example "Encoding audio and video streams with the Encoder"."""

import io

from inputs import pictures, waveform
from torchcodec.encoders import Encoder

# One thread: how many there are changes what x264 makes.
ONE_THREAD = {"threads": 1}

frames = pictures(60, 96, 128)
frame_rate = 24
audio_sample_rate = 16000
audio_samples = waveform(int(audio_sample_rate * len(frames) / frame_rate)).T

# Video + audio encoding.
encoder = Encoder()
video_stream = encoder.add_video(
    height=frames.shape[2], width=frames.shape[3], frame_rate=frame_rate, extra_options=ONE_THREAD
)
audio_stream = encoder.add_audio(sample_rate=audio_sample_rate, num_channels=1)
with encoder.open_file("both.mp4"):
    video_stream.add_frames(frames)
    audio_stream.add_samples(audio_samples)

# Incremental encoding.
encoder = Encoder()
video_stream = encoder.add_video(
    height=frames.shape[2], width=frames.shape[3], frame_rate=frame_rate, extra_options=ONE_THREAD
)
audio_stream = encoder.add_audio(sample_rate=audio_sample_rate, num_channels=1)
video_chunk_size = 10
samples_per_video_chunk = int(audio_sample_rate / frame_rate * video_chunk_size)
with encoder.open_file("incremental.mp4"):
    for i in range(0, len(frames), video_chunk_size):
        video_stream.add_frames(frames[i : i + video_chunk_size])
        audio_start = int(i / frame_rate * audio_sample_rate)
        audio_stream.add_samples(audio_samples[:, audio_start : audio_start + samples_per_video_chunk])

# Multiple video streams, multiple audio streams; whatever the order, those of video come first.
encoder = Encoder()
audio_en = encoder.add_audio(sample_rate=44100, num_channels=2)
large = encoder.add_video(height=96, width=128, frame_rate=30, device="cpu", extra_options=ONE_THREAD)
small = encoder.add_video(height=48, width=64, frame_rate=15, crf=30, preset="veryfast", extra_options=ONE_THREAD)
audio_fr = encoder.add_audio(
    sample_rate=44100, num_channels=2, bit_rate=64_000, out_num_channels=1, out_sample_rate=48000
)
with encoder.open_file("several.mkv"):
    large.add_frames(pictures(30, 96, 128))
    small.add_frames(pictures(15, 48, 64))
    audio_en.add_samples(waveform(44100, 2).T)
    audio_fr.add_samples(waveform(44100, 2, 70).T)

# Encoding to a file-like object.
buf = io.BytesIO()
encoder = Encoder()
video_stream = encoder.add_video(
    height=frames.shape[2], width=frames.shape[3], frame_rate=frame_rate, extra_options=ONE_THREAD
)
audio_stream = encoder.add_audio(sample_rate=audio_sample_rate, num_channels=1)
with encoder.open_file_like(buf, format="mp4"):
    video_stream.add_frames(frames)
    audio_stream.add_samples(audio_samples)
with open("object.mp4", "wb") as file:
    file.write(buf.getvalue())
