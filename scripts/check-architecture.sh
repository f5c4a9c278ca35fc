#!/usr/bin/env bash
# Fails when an import goes against the arrows of Package.swift, or the gateway's binary links libav or libcurl.
# Usage: check-architecture.sh [binary folder]
set -euo pipefail
cd "$(dirname "$0")/.."
failures=0

# forbid MODULES FOLDERS: no Swift file under the folders may import one of the modules.
forbid() {
    local modules=$1 found
    shift
    found=$(grep -rnE --include='*.swift' \
        "^[[:space:]]*(@[A-Za-z_]+(\([a-z]+\))?[[:space:]]+)*((public|package|internal|fileprivate|private)[[:space:]]+)?import[[:space:]]+((struct|class|enum|protocol|func|var|let|typealias)[[:space:]]+)?($modules)(\.|[[:space:]]|;|$)" \
        "$@" || true)
    if [ -n "$found" ]; then
        echo "against the arrows of Package.swift:"
        echo "$found"
        failures=1
    fi
}

# sources_but MODULE...: every folder of Sources except these.
sources_but() {
    local folder
    for folder in Sources/*/; do
        case " $* " in *" $(basename "$folder") "*) ;; *) echo "$folder" ;; esac
    done
}

mapfile -t folders < <(sources_but Libav)
forbid 'CLibav|CPixels' "${folders[@]}"
mapfile -t folders < <(sources_but SystemIO)
forbid 'CLinux|CSeccomp' "${folders[@]}"
mapfile -t folders < <(sources_but YAML)
forbid CLibYAML "${folders[@]}"
mapfile -t folders < <(sources_but Uploads)
forbid CCurl "${folders[@]}"
forbid 'SystemIO|HTTPServer|HTTP1|WriterModel|APICore|WriterAPI|Gateway|StreamWriter|Libav' Sources/Uploads
forbid Uploads \
    Sources/HTTPServer Sources/HTTP1 Sources/SystemIO Sources/WriterModel Sources/APICore Sources/ServiceLog Sources/Libav Sources/StreamWriter \
    Sources/Gateway Sources/penstock Sources/Stores
forbid 'SystemIO|HTTPServer|HTTP1|WriterModel|APICore|WriterAPI|Gateway|StreamWriter|Libav|Threading' Sources/Stores
mapfile -t folders < <(sources_but Stores Uploads WriterAPI penstock)
forbid Stores "${folders[@]}"
mapfile -t folders < <(sources_but penstock)
forbid 'YAML|Yams' "${folders[@]}"
mapfile -t folders < <(sources_but WriterAPI)
forbid CHeaps "${folders[@]}"
forbid 'Libav|StreamWriter|WriterAPI' \
    Sources/Gateway Sources/HTTPServer Sources/HTTP1 Sources/SystemIO Sources/WriterModel Sources/APICore Sources/ServiceLog Sources/penstock
forbid 'SystemIO|HTTPServer|Gateway' Sources/HTTP1 Sources/WriterModel Sources/Libav Sources/StreamWriter
forbid 'SystemIO|HTTPServer|HTTP1|WriterModel|APICore|WriterAPI|Gateway|StreamWriter|Libav|Uploads' Sources/Bytewise Sources/Threading Sources/YAML
forbid Bytewise Sources/Threading
forbid Threading Sources/Bytewise Sources/HTTP1 Sources/WriterModel
forbid Gateway Sources/HTTPServer Sources/APICore Sources/WriterAPI Sources/penstock-encoder

binaries=${1:-}
if [ -n "$binaries" ]; then
    linked=$(ldd "$binaries/penstock")
    if grep -E 'lib(av|sw)[a-z]+\.so|libcurl' <<<"$linked"; then
        echo "$binaries/penstock links libav or libcurl; the gateway must not"
        failures=1
    fi
    # Not through a pipe: grep leaves at the first match, and ldd's end then counts as a failure.
    linked=$(ldd "$binaries/penstock-encoder")
    if ! grep -q 'libavcodec\.so' <<<"$linked"; then
        echo "$binaries/penstock-encoder does not link libavcodec"
        failures=1
    fi
fi
exit $failures
