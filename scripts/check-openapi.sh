#!/usr/bin/env bash
# Checks that openapi.yaml is valid OpenAPI, with a validator kept in a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.build/openapi-validator
if [ ! -x "$venv/bin/openapi-spec-validator" ]; then
    python3 -m venv "$venv"
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check 'openapi-spec-validator>=0.7,<1' 2>"$venv/pip.log"; then
        cat "$venv/pip.log" >&2
        rm -rf "$venv"
        echo "skipped: openapi-spec-validator could not be installed from PyPI"
        exit 0
    fi
fi
"$venv/bin/openapi-spec-validator" openapi.yaml
