#!/usr/bin/env bash
# Holds deploy/ against the programs that read it: promtool, kubernetes-validate, HAProxy, systemd, and nginx with a
# real server behind it. The names of metrics are held against /metrics by `make test` (MonitoringTests).
# Usage: deploy-check.sh [binary folder]      (the session through nginx as root)
set -euo pipefail
cd "$(dirname "$0")/.."
binaries=$(realpath "${1:-.build/release}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n== %s\n' "$*"; }

step "Prometheus: rules"
promtool check rules deploy/prometheus/alerts.yaml
promtool test rules Tests/Tools/alerts-test.yaml

step "Kubernetes: against the API's schemas"
venv=.build/kubernetes-validate
if [ ! -x "$venv/bin/kubernetes-validate" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check 'kubernetes-validate>=1.31'
fi
# The schemas' newest, and the oldest that these files are meant for.
for version in 1.31 1.34; do
    "$venv/bin/kubernetes-validate" --strict --quiet -k "$version" deploy/kubernetes/nodes.yaml deploy/kubernetes/proxy.yaml
    echo "as Kubernetes $version has it"
done

step "What the files say of each other"
"$binaries/penstock" --experimental-dump-help >"$work/help.json"
"$venv/bin/python" Tests/Tools/deploy-consistency.py "$work/kubernetes.cfg" "$work/help.json"

step "HAProxy: both configurations"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
cat "$work/certificate.pem" "$work/key.pem" >"$work/penstock.pem"
# Read to its end: otherwise it may fail by SIGPIPE.
haproxy -v | sed -n 1p
# Names of pods are looked up by a cluster's DNS.
sed -i -E "s#(server penstock-proxy-[01]) penstock-proxy-[01]:#\1 127.0.0.1:#; s#/etc/haproxy/tls/tls.pem#$work/penstock.pem#" "$work/kubernetes.cfg"
sed "s#/etc/haproxy/penstock.pem#$work/penstock.pem#" deploy/haproxy/haproxy.cfg >"$work/haproxy.cfg"
for proxy in penstock-proxy-0 penstock-proxy-1; do HOSTNAME=$proxy haproxy -c -f "$work/kubernetes.cfg"; done
haproxy -c -f "$work/haproxy.cfg"

step "systemd: the units"
if command -v systemd-analyze >/dev/null; then
    for unit in deploy/systemd/penstock.service deploy/debian/penstock.service; do
        # The program need not be installed here.
        sed -E 's#^ExecStart=/usr/(local/)?bin/penstock#ExecStart=/bin/true#' "$unit" >"$work/penstock.service"
        systemd-analyze verify --man=no "$work/penstock.service"
        exposure=$(systemd-analyze security --offline=true --threshold=20 "$work/penstock.service" | tail -n 1)
        echo "$unit: $exposure"
    done
else
    echo "skipped: systemd-analyze is not installed"
fi

step "nginx: a session through it"
if [ "$(id -u)" -eq 0 ]; then
    unshare --net --mount --pid --fork --kill-child --mount-proc scripts/nginx-session.sh "$binaries" "$work"
else
    echo "skipped: it needs root, for a network namespace"
fi
