#!/usr/bin/env bash
# Installs the S3 servers that UploadsTests run against, into a folder of their own under .build: moto, which checks
# signatures, and localbucket, another one's work.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/.build/s3-servers
if [ -x "$venv/bin/python" ]; then exit 0; fi
python3 -m venv "$venv"
if ! "$venv/bin/pip" install --quiet --disable-pip-version-check 'moto[server,s3,iam]>=5,<6' 'boto3>=1.35,<2' 'localbucket>=1.2,<2' 2>"$venv/pip.log"; then
    cat "$venv/pip.log" >&2
    rm -rf "$venv"
    echo "moto and localbucket could not be installed from PyPI; the tests that need an S3 server will be skipped"
    # Where nobody looks at what was skipped, it counts as failed.
    [ -z "${CI:-}" ]
fi
