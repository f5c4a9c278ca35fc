"""Raw ingest: 1080p yuv444p frames that nothing looks at, so that only receiving them costs."""
from bench import generator, media
from bench.figures import Case, Sample
from bench.peers import ffmpeg, servers
from bench.penstock import Penstock
from bench.processes import Watch
from bench.rounds import interleaved
from bench.upload import mapped, post, send_bare

STREAM = {"type": "video", "frame_rate": 25, "width": media.WIDTH, "height": media.HEIGHT,
          "format": "yuv444p", "encoder": "rawvideo"}


def run(settings):
    frames = settings.size(400, 20)
    total = frames * media.FRAME_BYTES
    buffer = mapped(media.noise_frames())

    def in_gigabytes(sample):
        sample.value = total / 1e9 / sample.value
        return sample

    def penstock():
        server.create("raw", format="null", streams=[STREAM], open=True)
        with Watch({"penstock": server.pid}) as watch:
            receipt = post(server.port, "/v1/writers/raw/streams/0/chunks", buffer, total)
        assert receipt["frames"] == frames and server.finalize("raw")["streams"][0]["frames_encoded"] == frames
        server.delete("raw")
        return in_gigabytes(Sample.of(watch))

    def bare():
        with generator.listening("drain", media.FRAME_BYTES) as (pid, port), Watch({"bare receive": pid}) as watch:
            send_bare(port, buffer, total)
        return in_gigabytes(Sample.of(watch))

    def hummingbird():
        with servers.hummingbird() as (pid, port):
            post(port, "/drain", buffer, media.FRAME_BYTES)
            with Watch({"Hummingbird": pid}) as watch:
                assert post(port, "/drain", buffer, total) == total
        return in_gigabytes(Sample.of(watch))

    def torchaudio():
        return in_gigabytes(settings.torchaudio.run(
            kind="video", input=str(media.noise_frames()), bytes=len(buffer), times=frames // 4, piece=4, output="/dev/null",
            muxer="null", encoder="rawvideo", encoder_option={}, layout="nchw", format="yuv444p", frame_rate=25,
            width=media.WIDTH, height=media.HEIGHT))

    def pipe():
        size = f"{media.WIDTH}x{media.HEIGHT}"
        return in_gigabytes(ffmpeg.encode(
            ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", size, "-r", 25, "-i", "-", "-c:v", "rawvideo", "-f", "null", "-"],
            buffer, total))

    case = Case("raw ingest, 1080p yuv444p", "GB/s", more_is_better=True)
    with Penstock() as server:
        yield interleaved(case, {
            "penstock": penstock,
            "bare receive": bare,
            "Hummingbird": servers.hummingbird_missing() or hummingbird,
            "torchaudio": settings.torchaudio if isinstance(settings.torchaudio, str) else torchaudio,
            "ffmpeg": ffmpeg.reason_missing() or pipe,
        }, settings.rounds)
