"""600 s of 48 kHz stereo float to wav, flac and aac."""
from bench import media
from bench.figures import Case
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.workloads.encoding import Comparison

# aac goes into mp4: ADTS has no duration, which is what the outputs are held against.
ENCODERS = {"wav": ("wav", "pcm_s16le"), "flac": ("flac", "flac"), "aac": ("mp4", "aac")}
# Left alone Penstock and ffmpeg make 24 bits of floats for flac, and torchcodec can't be asked for less; the others
# take the encoder's first format.
SAMPLES = {"wav": "s16", "flac": "s16", "aac": "fltp"}


def run(settings):
    seconds = settings.size(600, 20)
    input = media.sound(600)
    total = seconds * media.SAMPLE_RATE * 2 * 4
    with Penstock(folder=MEMORY) as server:
        for name, (muxer, encoder) in ENCODERS.items():
            sound = {"sample_rate": media.SAMPLE_RATE, "num_channels": 2, "format": "flt", "encoder": encoder}
            comparison = Comparison(
                settings, server, muxer=muxer, input=input, total=total, seconds=seconds,
                stream={"type": "audio", "encoder_format": SAMPLES[name], **sound}, job={"kind": "audio", "piece": seconds * media.SAMPLE_RATE, **sound},
                arguments=(
                    ["-f", "f32le", "-ar", media.SAMPLE_RATE, "-ac", 2], ["-c:a", encoder, "-sample_fmt", SAMPLES[name]]))
            case = Case(f"{seconds} s of stereo float → {name}", "s", more_is_better=False)
            yield comparison.measure(case, settings.rounds)
