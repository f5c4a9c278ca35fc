#!/usr/bin/env bash
# Encodes the bundled clip through a Penstock server with nothing but curl: raw frames and samples
# in, an MP4 out. Leaves the MP4 in demo-output/ and nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly clip=media/bigbuckbunny.mp4
readonly out=demo-output
readonly width=1280 height=720 frame_rate=25 sample_rate=48000 channels=6
readonly frame_bytes=$((width * height * 3)) second_of_audio=$((sample_rate * channels * 4))
server=

step() { printf '\n== %s\n' "$*"; }

stop_server() {
    local pid=$server
    server=
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid"
}

# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local status=$?
    stop_server || true
    rm -rf "$out/raw" "$out.state"
    if [ "$status" -ne 0 ] && [ "$status" -lt 128 ]; then
        printf '\nThe demo failed. The end of %s:\n' "$out/server.log" >&2
        tail -n 20 "$out/server.log" >&2 2>/dev/null || true
    fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# request METHOD PATH [curl options]: one request, its body on standard output; fails on an error answer.
request() {
    local method=$1 path=$2
    shift 2
    curl --silent --show-error --fail-with-body --noproxy '*' --request "$method" "$@" "$address$path"
}

# field NAME: the first value of that name in the JSON on standard input.
field() { grep -oE "\"$1\":(\"[^\"]*\"|[^,}]*)" | head -n 1 | cut -d : -f 2- | tr -d '"'; }

rm -rf "$out" "$out.state"
mkdir -p "$out/raw"

step "Decode $clip to raw rgb24 frames and 32-bit float samples"
ffmpeg -nostdin -loglevel error -stats -i "$clip" \
    -map 0:v -f rawvideo -pix_fmt rgb24 "$out/raw/video.rgb24" \
    -map 0:a -f f32le -c:a pcm_f32le "$out/raw/audio.f32"
video_bytes=$(stat -c %s "$out/raw/video.rgb24")
audio_bytes=$(stat -c %s "$out/raw/audio.f32")
frames=$((video_bytes / frame_bytes))
echo "$frames frames of ${width}x$height ($((video_bytes / 1000000)) MB), $((audio_bytes / channels / 4)) samples of $channels channels ($((audio_bytes / 1000000)) MB)"

step "Start a server on a free port"
.build/release/penstock serve --port 0 --output-dir "$out" --state-dir "$out.state" 2>"$out/server.log" &
server=$!
address=
for _ in $(seq 200); do
    address=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$out/server.log" | head -n 1 || true)
    if [ -n "$address" ]; then break; fi
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.05
done
if [ -z "$address" ]; then
    echo "the server did not say where it listens" >&2
    exit 1
fi
echo "$address, process $server"

step "Create a writer with both streams and open it"
description=$(
    cat <<JSON
{
  "dst": "bigbuckbunny.mp4",
  "metadata": { "title": "Big Buck Bunny" },
  "streams": [
    { "type": "video", "frame_rate": $frame_rate, "width": $width, "height": $height, "format": "rgb24" },
    { "type": "audio", "sample_rate": $sample_rate, "num_channels": $channels, "format": "flt" }
  ],
  "open": true
}
JSON
)
echo "POST /v1/writers $description"
writer=$(request POST /v1/writers -H 'Content-Type: application/json' --data "$description")
id=$(field id <<<"$writer")
if [ -z "$id" ]; then
    echo "no id in the answer: $writer" >&2
    exit 1
fi
echo "writer $id: encoders $(grep -oE '"encoder":"[^"]*"' <<<"$writer" | cut -d'"' -f4 | paste -sd, | sed 's/,/, /')"

step "Upload both streams, one second at a time"
echo "dd … | curl --data-binary @- $address/v1/writers/$id/streams/{0,1}/chunks"
# chunk STREAM FILE BLOCK_BYTES BLOCKS SKIP: sends these blocks of the file; the receipt on standard output.
chunk() {
    dd if="$2" bs="$3" count="$4" skip="$5" status=none |
        request POST "/v1/writers/$id/streams/$1/chunks" -H 'Content-Type: application/octet-stream' --data-binary @-
}
uploading=$(date +%s%N)
for ((second = 0; second * frame_rate < frames || second * second_of_audio < audio_bytes; second++)); do
    if [ $((second * frame_rate)) -lt "$frames" ]; then
        video=$(chunk 0 "$out/raw/video.rgb24" "$frame_bytes" "$frame_rate" $((second * frame_rate)))
    fi
    if [ $((second * second_of_audio)) -lt "$audio_bytes" ]; then
        audio=$(chunk 1 "$out/raw/audio.f32" "$second_of_audio" 1 "$second")
    fi
    video_offset=$(field offset <<<"$video")
    audio_offset=$(field offset <<<"$audio")
    printf '%3d %%  %4d of %d frames, %6d of %d samples sent\n' \
        $(((video_offset + audio_offset) * 100 / (video_bytes + audio_bytes))) \
        $((video_offset / frame_bytes)) "$frames" \
        $((audio_offset / channels / 4)) $((audio_bytes / channels / 4))
done

step "Finalize"
request POST "/v1/writers/$id/finalize" >"$out/raw/result.json"
echo "state $(field state <"$out/raw/result.json"), $(($(date +%s%N) / 1000000 - uploading / 1000000)) ms from the first chunk"

step "Stop the server"
if stop_server; then echo "exit 0"; else
    echo "the server exited with an error" >&2
    exit 1
fi

step "Compare $out/bigbuckbunny.mp4 with the clip"
psnr=$(ffmpeg -nostdin -hide_banner -i "$out/bigbuckbunny.mp4" -i "$clip" -lavfi '[0:v][1:v]psnr' -f null - 2>&1 |
    sed -nE 's/.*PSNR.* average:([0-9.inf]+).*/\1/p')
echo "PSNR $psnr dB over all frames"
if ! awk -v psnr="$psnr" 'BEGIN { exit !(psnr == "inf" || psnr + 0 >= 35) }'; then
    echo "that is too far from what was sent: 35 dB is the least" >&2
    exit 1
fi
ffprobe -hide_banner "$out/bigbuckbunny.mp4" 2>&1 | sed -n '/Duration:/p; /Stream #/p; /title/p'
ffprobe -v error -count_packets -show_entries stream=index,codec_name,nb_read_packets,duration -of compact "$out/bigbuckbunny.mp4"

printf '\n%s\n' "$PWD/$out/bigbuckbunny.mp4"
