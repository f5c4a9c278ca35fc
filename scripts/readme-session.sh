#!/usr/bin/env bash
# The README's first minute, as it stands there, against a server; then what it has made is looked at.
# Usage: readme-session.sh URL WORK      (WORK: a folder for what is downloaded)
set -euo pipefail
cd "$(dirname "$0")/.."
url=$1 work=$2

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
scripts/page-session.py README.md "$url" "$work" --section "60 seconds" >"$work/session.log" 2>&1 || {
    cat "$work/session.log" >&2
    fail "the session"
}
grep -q '"state":"closed"' "$work/session.log" || fail "the writer is closed: $(cat "$work/session.log")"

# As ffprobe counts them: four seconds at 25 frames, and a second of sound.
described() { ffprobe -v error -count_packets -show_entries "$2" -of csv=p=0 "$1" | paste -sd ' '; }
pictures=$(described "$work/first.mp4" stream=codec_name,width,height | sed 's/ .*//')
[ "$pictures" = h264,640,360 ] || fail "pictures: $pictures"
count=$(ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 "$work/first.mp4")
[ "$count" = 100 ] || fail "$count pictures of 100"
sound=$(described "$work/tone.opus" stream=codec_name,channels)
[ "$sound" = opus,1 ] || fail "sound: $sound"
echo "the README's session: $count pictures of $pictures, and $sound"
