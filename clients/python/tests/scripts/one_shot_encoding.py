"""After torchcodec's examples "Encoding video frames" and "Encoding audio samples"."""

import io

from inputs import pictures, waveform
from torchcodec.encoders import AudioEncoder, VideoEncoder

ONE_THREAD = {"threads": 1}
frames = pictures(40, 96, 128)

encoder = VideoEncoder(frames=frames, frame_rate=30)
encoder.to_file("video.mp4", extra_options=ONE_THREAD)
encoder.to_file("codec.mkv", codec="h264", extra_options=ONE_THREAD)
encoder.to_file("ffv1.mkv", codec="ffv1")
encoder.to_file("quality.mp4", pixel_format="yuv444p", crf=0, preset="ultrafast", extra_options=ONE_THREAD)
encoder.to_file("rate.mp4", crf=23.5, preset="fast", extra_options={"tune": "film", "g": 10, **ONE_THREAD})
encoder.to_file("fragmented.mp4", extra_options={"movflags": "frag_keyframe+empty_moov", "qp": 30, **ONE_THREAD})
encoder.to_file("pictures.gif")
encoder.to_file("motion.avi")
with open("tensor.mov", "wb") as file:
    file.write(bytes(encoder.to_tensor("mov", extra_options=ONE_THREAD)))
buffer = io.BytesIO()
encoder.to_file_like(buffer, "mkv", extra_options=ONE_THREAD)
with open("object.mkv", "wb") as file:
    file.write(buffer.getvalue())

samples = waveform(32000, 2).T
encoder = AudioEncoder(samples=samples, sample_rate=16000)
encoder.to_file("sound.wav")
encoder.to_file("sound.flac")
encoder.to_file("sound.mp3", bit_rate=64_000)
encoder.to_file("mono.wav", num_channels=1)
encoder.to_file("other_rate.wav", sample_rate=24000)
AudioEncoder(samples[0], sample_rate=16000).to_file("one_dimension.wav")
buffer = io.BytesIO()
encoder.to_file_like(buffer, "wav")
with open("object.wav", "wb") as file:
    file.write(buffer.getvalue())
assert len(encoder.to_tensor("wav")) == len(buffer.getvalue())
