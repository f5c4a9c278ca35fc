#!/usr/bin/env bash
# One release build with the tests, then all of them. Fails on a warning in our own sources.
# Usage: test.sh [arguments of `swift test`, e.g. --filter EndToEndTests]
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
mkdir -p .build
build_log=.build/test-build.log
test_log=.build/test.log
started=$SECONDS

step() { printf '\n== %s\n' "$*"; }

step "Architecture"
scripts/check-architecture.sh
echo "imports follow the arrows"
scripts/check-bytes.sh
echo "names are compared as bytes"

step "Build (release, with tests)"
"$swift" build -c release --build-tests 2>&1 | tee "$build_log"
built=$SECONDS
# Swift's own libraries are linked into programs; the linker of Debian 13 names their parts without a path. Without a
# network SwiftPM takes the packages that it has kept.
warnings=$(grep -E '(^| )warning: ' "$build_log" | grep -vE '/\.build[^/]*/checkouts/|/swift_static/linux/lib|^_ThreadLocal\.swift\.o:|no connectivity to https:' | sort -u || true)
if [ -n "$warnings" ]; then
    printf '\nThe build has warnings:\n%s\n' "$warnings"
    # Compiled again next time, so that a second run does not pass by silence.
    grep -oE "^$PWD/[^:]+" <<<"$warnings" | sort -u | xargs -r touch -c
    exit 1
fi
scripts/check-architecture.sh .build/release
echo "no warnings; the gateway links no libav"

step "openapi.yaml"
scripts/check-openapi.sh

step "S3 servers"
scripts/s3-servers.sh

step "Tests"
status=0
# Run by root, libSvtAv1Enc gives the process that it is loaded into real-time priority if it may.
limit=()
if [ "$(id -u)" = 0 ]; then limit=(setpriv --bounding-set=-sys_nice); fi
"${limit[@]}" "$swift" test -c release --skip-build "$@" 2>&1 | tee "$test_log" || status=$?

step "schemathesis"
# A run of some tests only has no use for it.
if [ $# -eq 0 ]; then scripts/schemathesis.sh || status=1; else echo "left out"; fi

step "Python client"
if [ $# -eq 0 ]; then scripts/test-python.sh || status=1; else echo "left out"; fi

step "Summary"
# The lines of single tests; "Test run with …" is the runner's own.
count() { grep -E "^. Test .* $1" "$test_log" | grep -cv '^. Test run with' || true; }
passed=$(count 'passed after')
failed=$(count 'failed after')
skipped=$(count 'skipped')
if [ "$skipped" -gt 0 ]; then grep -E '^. Test .* skipped' "$test_log"; fi
if [ "$status" -ne 0 ]; then
    echo "Failures (whole log: $test_log):"
    grep -E '^. Test .* (recorded an issue|failed after)' "$test_log" || true
fi
echo "build $((built - started)) s, tests $((SECONDS - built)) s"
if [ "$passed" -eq 0 ] && [ "$status" -eq 0 ]; then
    echo "no test ran"
    status=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
