#!/usr/bin/env bash
# One release build with the tests, then all of them in lanes side by side: most tests wait, and those that do so in the
# few threads of Swift's pool would leave the processors idle. Fails on a warning in our own sources.
# Usage: test.sh [arguments of `swift test`, e.g. --filter EndToEndTests]
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
mkdir -p .build
build_log=.build/test-build.log
lanes=.build/test-lanes
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
tests=$("$swift" build -c release --show-bin-path)/penstockPackageTests.xctest
# Run by root, libSvtAv1Enc gives the process that it is loaded into real-time priority if it may.
limit=()
if [ "$(id -u)" = 0 ]; then limit=(setpriv --bounding-set=-sys_nice); fi
rm -rf "$lanes"
mkdir -p "$lanes"
# Starts a lane: NAME COMMAND…; its output goes to NAME.log, its exit code to NAME.status.
lane() {
    local name=$1 status=0 TIMEFORMAT='%0R s, %0U + %0S s of CPU'
    shift
    touch "$lanes/$name.log"
    {
        { time "$@" >"$lanes/$name.log" 2>&1 || status=$?; } 2>"$lanes/$name.time"
        echo "$status" >"$lanes/$name.status"
        echo "$name: $(cat "$lanes/$name.time"), exit code $status"
    } &
}
selecting=$#
swift_tests() {
    local status=0
    "${limit[@]}" "$tests" --testing-library swift-testing "$@" || status=$?
    # EX_UNAVAILABLE: of those that were asked for, none is in this lane.
    if [ "$status" -eq 69 ] && [ "$selecting" -gt 0 ]; then status=0; fi
    return "$status"
}
# For tests that compute: begun all at once, each takes as long as all of them, and what it does by the clock is late.
some_at_a_time() { SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 swift_tests "$@"; }
clients() {
    local status=0
    scripts/schemathesis.sh || status=1
    scripts/test-python.sh || status=1
    return $status
}

case " $* " in
*" --filter "*) lane tests swift_tests "$@" ;;
*)
    # EndToEnd is serialized: one after the other in each lane, and these take longest.
    lane end-to-end-1 swift_tests --filter '^EndToEndTests\.EndToEnd/[A-F]' "$@"
    lane end-to-end-2 swift_tests --filter '^EndToEndTests\.EndToEnd/[G-P]' "$@"
    lane end-to-end-3 swift_tests --filter '^EndToEndTests\.' --skip '^EndToEndTests\.EndToEnd/[A-P]' "$@"
    lane stream-writer some_at_a_time --filter '^StreamWriterTests\.' "$@"
    lane other-libraries some_at_a_time --skip '^(EndToEndTests|StreamWriterTests)\.' "$@"
    ;;
esac
# A run of some tests only has no use for these.
if [ $# -eq 0 ]; then lane clients clients; fi
# Whoever ends this ends what it has started.
trap 'trap - TERM; kill -TERM 0' INT TERM
wait

# The lines of single tests; "Test run with …" is the runner's own, and a case has no line of its own that counts.
lines() { cat "$lanes"/*.log | grep -aE "^[^ ]+ Test .* ($1)" | grep -av '^[^ ]* Test run with' || true; }
count() { lines "$1" | wc -l; }
status=0
for log in "$lanes"/*.log; do
    # Without one, the lane itself was killed.
    if [ "$(cat "${log%.log}.status" 2>&1)" != 0 ]; then
        status=1
        printf '\n== The log of %s\n' "$(basename "$log" .log)"
        cat "$log"
    fi
done
if [ $# -eq 0 ]; then
    step "schemathesis, Python client"
    tail -n 12 "$lanes/clients.log"
fi

step "Summary"
lines skipped
if [ "$status" -ne 0 ]; then
    echo "Failures (whole logs: $lanes/*.log):"
    lines 'recorded an issue|failed after'
fi
passed=$(count 'passed after')
echo "build $((built - started)) s, tests $((SECONDS - built)) s"
if [ "$passed" -eq 0 ] && [ "$status" -eq 0 ]; then
    echo "no test ran"
    status=1
fi
echo "$passed passed, $(count 'failed after') failed, $(count skipped) skipped"
exit "$status"
