#!/usr/bin/env bash
# Says clearly when the Swift toolchain is missing or too old.
set -euo pipefail
swift=${SWIFT:-swift}
if ! command -v "$swift" >/dev/null; then
    echo "No Swift toolchain: '$swift' is not on PATH. Penstock needs Swift 6.1 or later; see https://www.swift.org/install/linux/" >&2
    exit 1
fi
version=$("$swift" --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1.\2/p' | head -n 1)
if [ -z "$version" ] || [ "$(printf '%s\n' 6.1 "$version" | sort -V | head -n 1)" != 6.1 ]; then
    echo "Penstock needs Swift 6.1 or later; '$swift' on PATH is Swift ${version:-of an unknown version}." >&2
    exit 1
fi
