"""The goals of the design, each held against what was measured."""
import dataclasses


@dataclasses.dataclass
class Verdict:
    goal: str
    figure: str
    met: bool


def _ratio(results, case, peer, bound, text, at_least=False):
    ratio = results[case].ratio(peer) if case in results else None
    if ratio is None:
        return Verdict(text, "not measured", False)
    return Verdict(text, f"{ratio:.2f}", ratio >= bound if at_least else ratio <= bound)


def _chunks(results):
    """The lower of two: with a log line a request on both sides, and without."""
    text = "20 ms PCM chunks on one keep-alive connection: ≥ 0.8 × nginx `return 204`, same client"
    names = ("20 ms PCM chunks, 1 connection", "20 ms PCM chunks, 1 connection, each logged")
    ratios = [results[name].ratio("nginx") if name in results else None for name in names]
    if None in ratios:
        return Verdict(text, "not measured", False)
    return Verdict(text, f"{ratios[0]:.2f}; each logged: {ratios[1]:.2f}", min(ratios) >= 0.8)


def _sessions(results):
    text = "create + add stream + open + finalize: ≥ 150 per s"
    case = results.get("create + add stream + open + finalize, 1 connection, records on disk")
    if case is None:
        return Verdict(text, "not measured", False)
    rate = case.median("penstock")
    return Verdict(text, f"{rate:.0f} per s", rate >= 150)


def _writers(results):
    text = "1,000 writers sending 20 ms audio chunks in real time: all keep up; ≤ 3 MB private memory each"
    case = results.get("1000 writers in real time, pcm")
    if case is None:
        return Verdict(text, "not measured", False)
    late, private = case.median("penstock"), case.note("penstock", "private_mb_max")
    unanswered = case.note("penstock", "unanswered")
    return Verdict(text, f"{late:.2f} % late, {unanswered:.0f} unanswered; at most {private:.2f} MB",
                   late <= 0.1 and unanswered == 0 and private <= 3)


def _live(results):
    text = "1,000 live audio bodies in real time with a latency of 200 ms, 500 with 60 ms: none late"
    names = ["1000 live bodies, pcm, latency 200 ms", "500 live bodies, pcm, latency 60 ms"]
    if any(name not in results for name in names):
        return Verdict(text, "not measured", False)
    late = [results[name].median("penstock") for name in names]
    unanswered = [results[name].note("penstock", "unanswered") for name in names]
    return Verdict(text, ", ".join(f"{share:.2f} % late" for share in late), max(late) == 0 and max(unanswered) == 0)


def _live_memory(results):
    text = "an idle live encoder: ≤ 1 MB private memory for PCM"
    case = results.get("private memory of a live writer")
    if case is None:
        return Verdict(text, "not measured", False)
    held = {name: case.median(name) for name in case.samples}
    return Verdict(text, ", ".join(f"{name} {size:.2f} MB" for name, size in held.items()), held["pcm"] <= 1)


def _latency(results):
    text = "chunk in → encoded bytes out at `…/output` (adts): p99 ≤ the codec's own delay + 5 ms"
    case = results.get("chunk in → frame at …/output, aac, alone: p99")
    if case is None:
        return Verdict(text, "not measured", False)
    p99 = case.median("penstock")
    return Verdict(text, f"the codec's own delay + {p99:.2f} ms", p99 <= 5)


# The libraries and programs that one has without Penstock.
PEERS = ("torchaudio", "torchcodec", "torchcodec, file-like", "PyAV", "ffmpeg")


def _videos(results):
    return {name: case for name, case in results.items() if name.startswith("1080p rgb24 ")}


def _worst(text, bound, ratios):
    """Of a goal over several cases."""
    found = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    if not ratios or len(found) < len(ratios):
        return Verdict(text, "not measured", False)
    worst = max(found, key=found.get)
    return Verdict(text, f"{min(found.values()):.2f} to {found[worst]:.2f}: {worst}", found[worst] <= bound)


def _to_best_peer(case):
    """Round by round: over the best of them."""
    present = [peer for peer in PEERS if case.samples.get(peer)]
    if not present or not case.samples.get("penstock"):
        return None
    return max(case.ratio(peer) for peer in present)


def _short_lives(results):
    text = "create + add stream + open + finalize: ≥ 300 per s, ≤ 5 ms of CPU"
    case = results.get("create + add stream + open + finalize, 1 connection, records on disk")
    if case is None or any("cpu_ms" not in sample.notes for sample in case.samples["penstock"]):
        return Verdict(text, "not measured", False)
    rate, cpu = case.median("penstock"), case.note("penstock", "cpu_ms")
    return Verdict(text, f"{rate:.0f} per s, {cpu:.1f} ms", rate >= 300 and cpu <= 5)


def further(results):
    """Those of the second round."""
    videos = _videos(results)
    every = "1080p rgb24, both layouts → x264 ultrafast and veryfast, 1 and 2 threads → mp4"
    seconds = next((name.split()[0] for name in results if "of stereo float" in name), "600")
    return [
        _worst(f"{every}: ≤ 1.10 × x264 alone", 1.10, {name: case.ratio("x264 alone") for name, case in videos.items()}),
        _worst(f"{every}: ≤ 0.75 × the best of {', '.join(PEERS)}", 0.75, {name: _to_best_peer(case) for name, case in videos.items()}),
        _ratio(results, "20 ms PCM chunks, 64 connections", "nginx", 0.5, "20 ms PCM chunks on 64 connections: ≥ 0.5 × nginx `return 204`", at_least=True),
        *[_ratio(results, f"{seconds} s of stereo float → {name}", "PyAV", 1.0, f"{seconds} s of 48 kHz stereo float → {name}: ≤ 1.0 × PyAV in process")
          for name in ("wav", "flac", "aac")],
        _short_lives(results),
    ]


def verdicts(results):
    """One a goal; a goal whose case is not among the results counts as not met."""
    video = "1080p rgb24 nchw → x264 ultrafast, 1 thread"
    seconds = next((name.split()[0] for name in results if "of stereo float" in name), "600")
    audio = f"{seconds} s of stereo float → "
    return [
        _ratio(results, "raw ingest, 1080p yuv444p", "bare receive", 0.85,
               "raw ingest, 1080p yuv444p: ≥ 0.85 × a bare loopback receive", at_least=True),
        _ratio(results, video, "torchaudio", 0.65, f"{video} → mp4: ≤ 0.65 × torchaudio in process"),
        _ratio(results, video, "ffmpeg", 0.85, f"{video} → mp4: ≤ 0.85 × ffmpeg fed by a pipe"),
        _ratio(results, audio + "wav", "torchaudio", 0.6, "600 s of 48 kHz stereo float → wav: ≤ 0.6 × torchaudio"),
        _ratio(results, audio + "flac", "torchaudio", 1.0, "600 s of 48 kHz stereo float → flac: ≤ 1.0 × torchaudio"),
        _ratio(results, audio + "aac", "torchaudio", 1.02, "600 s of 48 kHz stereo float → aac: ≤ 1.02 × torchaudio"),
        _chunks(results), _sessions(results), _writers(results), _latency(results), _live(results),
        _ratio(results, "20 ms pieces of live bodies, latency 20 ms", "a bare process a writer", 1.5,
               "a live audio body in pieces of 20 ms: CPU ≤ 1.5 × a bare process that does `recv` and `write`"),
        _live_memory(results), *further(results),
    ]
