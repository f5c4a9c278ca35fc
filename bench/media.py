"""The inputs: made once from the repository's clip, so that every encoder gets a real picture and real sound."""
import os
import subprocess

from bench.places import DATA, ROOT

CLIP = ROOT / "media" / "bigbuckbunny.mp4"
WIDTH, HEIGHT, FRAME_RATE = 1920, 1080, 25
FRAME_BYTES = WIDTH * HEIGHT * 3
CLIP_FRAMES = 120
SAMPLE_RATE = 48000


def _made(name, *arguments):
    """A file that ffmpeg makes with these arguments, unless it is there already."""
    target = DATA / name
    if not target.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        part = DATA / f"{name}.part"
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments), str(part)], check=True)
        os.rename(part, target)
    return target


# Planes of a tensor lie in the order R, G, B; those of FFmpeg's gbrp in the order G, B, R.
LAYOUTS = {
    "packed": "format=rgb24",
    "nchw": "format=rgb24,format=gbrp,shuffleplanes=2:0:1:3,format=gbrp",
    "gbrp": "format=rgb24,format=gbrp",
}


def rgb24(layout, width=WIDTH, height=HEIGHT):
    """120 frames of the clip, scaled; the same pictures in each layout."""
    return _made(f"clip-{width}x{height}-{layout}.rgb", "-i", CLIP, "-an", "-vf",
                 f"scale={width}:{height},{LAYOUTS[layout]}", "-frames:v", CLIP_FRAMES, "-f", "rawvideo")


def converted():
    """The pictures of `rgb24`, as an encoder takes them."""
    return _made(f"clip-{WIDTH}x{HEIGHT}-converted.yuv420p", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
                 "-r", FRAME_RATE, "-i", rgb24("packed"), "-pix_fmt", "yuv420p", "-f", "rawvideo")


def yuv420p(width, height, frames):
    return _made(f"clip-{width}x{height}-{frames}.yuv420p", "-i", CLIP, "-an", "-vf",
                 f"scale={width}:{height},format=yuv420p", "-frames:v", frames, "-f", "rawvideo")


def sound(seconds, channels=2, sample_format="f32le"):
    """The clip's sound again and again, 48 kHz, interleaved."""
    return _made(f"sound-{seconds}s-{channels}ch.{sample_format}", "-stream_loop", "-1", "-i", CLIP, "-vn",
                 "-ac", channels, "-ar", SAMPLE_RATE, "-t", seconds, "-f", sample_format)


def noise_frames(count=4):
    """1080p frames of random bytes, for what no encoder looks at."""
    target = DATA / f"noise-{count}.yuv444p"
    if not target.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        target.write_bytes(os.urandom(FRAME_BYTES) * count)
    return target


def speech(seconds, rate):
    """The clip's sound as speech is sent: 16 bits, in mono."""
    return _made(f"speech-{seconds}s-{rate}.s16le", "-stream_loop", -1, "-i", CLIP, "-vn", "-ar", rate, "-ac", 1, "-t", seconds, "-f", "s16le")
