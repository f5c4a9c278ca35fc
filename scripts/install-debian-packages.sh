#!/usr/bin/env bash
# Installs the Debian packages that a purpose needs and this machine lacks.
# Usage: install-debian-packages.sh {build|demo|test|bench|deploy|deb|deb-check|image}...
set -euo pipefail

build=(
    libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev
    libswresample-dev libswscale-dev libseccomp-dev libyaml-dev libcurl4-openssl-dev
    g++ git make pkg-config
)
demo=(ffmpeg curl)
test=(ffmpeg curl openssl python3 python3-numpy python3-venv libnginx-mod-rtmp xvfb)
deploy=(curl haproxy iproute2 nginx openssl prometheus python3 python3-venv)
deb=(build-essential debhelper lintian man-db python3)
deb_check=(curl ffmpeg iproute2 mmdebstrap procps python3-numpy)
image=(buildah crun curl ffmpeg golang-github-containers-common mmdebstrap python3-numpy)
bench=(ffmpeg nginx python3 python3-venv)

wanted=()
for purpose in "${@:-build}"; do
    case $purpose in
    build) wanted+=("${build[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    deploy) wanted+=("${deploy[@]}") ;;
    deb) wanted+=("${deb[@]}") ;;
    deb-check) wanted+=("${deb_check[@]}") ;;
    image) wanted+=("${image[@]}") ;;
    *)
        echo "usage: $0 {build|demo|test|bench|deploy|deb|deb-check|image}..." >&2
        exit 2
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian system. Penstock needs what these Debian packages hold; going on as if it were here:" >&2
    echo "  ${wanted[*]}" >&2
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$status" != installed ]; then missing+=("$package"); fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These Debian packages are missing and neither root nor sudo is at hand. As root:" >&2
        echo "  apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "Installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The packages' own chatter is shown only when something goes wrong.
if ! {
    "${as_root[@]}" apt-get update -q &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}"
} >"$log" 2>&1; then
    cat "$log" >&2
    echo "apt-get failed; its output is above." >&2
    exit 1
fi
