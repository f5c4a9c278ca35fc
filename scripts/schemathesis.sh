#!/usr/bin/env bash
# Runs schemathesis from openapi.yaml against a live server: no server error, no answer that the
# contract does not have. Its environment lies in a folder of its own under .build.
# Usage: schemathesis.sh [binary folder]; PENSTOCK_FAULT_SCALE for longer runs
set -euo pipefail
cd "$(dirname "$0")/.."
binaries=$(realpath "${1:-.build/release}")
venv=$PWD/.build/schemathesis
contract=$PWD/openapi.yaml
examples=$(awk -v scale="${PENSTOCK_FAULT_SCALE:-1}" 'BEGIN { n = int(15 * scale); print n < 1 ? 1 : n }')

if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv"
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4,<5' 2>"$venv/pip.log"; then
        cat "$venv/pip.log" >&2
        rm -rf "$venv"
        echo "skipped: schemathesis could not be installed from PyPI"
        # Where nobody looks at what was skipped, it counts as failed.
        [ -z "${CI:-}" ]
        exit
    fi
fi

work=$(mktemp -d)
server=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local status=$?
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" || { status=1; echo "the server did not end well; the end of its log:" >&2; tail -n 20 "$work/log" >&2; }
    fi
    cd /
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Writers that nobody asks for any more make room, and end answers that follow a live output.
"$binaries/penstock" serve --port 0 --output-dir "$work/output" --state-dir "$work/state" \
    --idle-timeout 2 --body-timeout 5 --max-writers 500 --no-access-log 2>"$work/log" &
server=$!
address=
for _ in $(seq 200); do
    address=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$work/log" | head -n 1 || true)
    if [ -n "$address" ]; then break; fi
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.05
done
[ -n "$address" ] || { echo "the server did not say where it listens" >&2; exit 1; }

# It leaves a folder of its own where it runs.
cd "$work"
cat >schemathesis.toml <<'TOML'
# 501 is for methods nobody knows, 502 and 507 for destinations that fail, 503 for limits: each is
# documented where it may come, and held against that.
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 501, 502, 503, 507]
TOML

# One worker: CPython 3.11 counts its parser's depth for all threads together (python/cpython#106905), and two that
# describe their strategies at once now and then end the run with a SystemError.
checks=not_a_server_error,status_code_conformance,content_type_conformance
checks+=,response_headers_conformance,response_schema_conformance,unsupported_method,use_after_free
"$venv/bin/schemathesis" --config-file schemathesis.toml run "$contract" --url "$address" \
    --checks "$checks" --phases examples,coverage,fuzzing,stateful --max-examples "$examples" \
    --seed "${PENSTOCK_FAULT_SEED:-20260101}" --request-timeout 20 --workers 1 --continue-on-failure \
    --warnings off --generation-database none --no-color
grep -E ' (error|critical) ' "$work/log" | head -n 20 || true
