"""1080p rgb24 in both layouts to x264: ultrafast and veryfast, one encoder thread and two, into mp4. Beside the
libraries, x264 alone: the same pictures, converted beforehand."""
import itertools

from bench import media
from bench.figures import Case
from bench.peers import alone
from bench.penstock import Penstock
from bench.places import MEMORY
from bench.workloads.encoding import Comparison

# ffmpeg has no name for planes in the order R, G, B. It gets them in gbrp's own order, so that neither
# of the two transposes anything.
FFMPEG_LAYOUT = {"nchw": ("gbrp", "gbrp"), "packed": ("packed", "rgb24")}
SIZE = {"width": media.WIDTH, "height": media.HEIGHT, "frame_rate": media.FRAME_RATE}


def run(settings):
    with Penstock(folder=MEMORY) as server:
        for layout, preset, threads in itertools.product(("nchw", "packed"), ("ultrafast", "veryfast"), (1, 2)):
            name = f"1080p rgb24 {layout} → x264 {preset}, {threads} thread{'s' * (threads > 1)}"
            case = Case(name, "s", more_is_better=False)
            yield _comparison(settings, server, layout, preset, threads).measure(case, settings.rounds)


def _comparison(settings, server, layout, preset, threads):
    frames = settings.size(media.CLIP_FRAMES, 8)
    encoder = {"encoder": "libx264", "encoder_option": {"preset": preset, "threads": str(threads)}}
    return Comparison(
        settings, server, muxer="mp4", total=frames * media.FRAME_BYTES, seconds=frames / media.FRAME_RATE,
        input=media.rgb24(layout), ffmpeg_input=media.rgb24(FFMPEG_LAYOUT[layout][0]), stream={"type": "video", "format": "rgb24", "layout": layout, **SIZE, **encoder},
        job={"kind": "video", "layout": layout, "format": "rgb24", "encoder_format": "yuv420p", "piece": 1, **SIZE, **encoder},
        arguments=_ffmpeg_arguments(layout, preset, threads),
        alone=alone.Encoding(media.converted(), media.WIDTH, media.HEIGHT, media.FRAME_RATE, frames, encoder["encoder"], encoder["encoder_option"]))


def _ffmpeg_arguments(layout, preset, threads):
    reading = ["-f", "rawvideo", "-pix_fmt", FFMPEG_LAYOUT[layout][1], "-s", f"{media.WIDTH}x{media.HEIGHT}", "-r", media.FRAME_RATE]
    writing = ["-c:v", "libx264", "-preset", preset, "-threads", threads, "-pix_fmt", "yuv420p"]
    return reading, writing
