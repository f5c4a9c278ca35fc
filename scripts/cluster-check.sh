#!/usr/bin/env bash
# Three nodes and HAProxy with deploy/haproxy/haproxy.cfg as it stands, each in a network namespace of its own on
# this machine; then clients that write through the proxy while nodes are drained, killed and added; and what three
# nodes do against one, where control groups give each the same share of a processor.
# Usage: cluster-check.sh [binary folder [--only PART]]      (as root; HAPROXY: another haproxy)
set -euo pipefail
cd "$(dirname "$0")/.."
binaries=$(realpath "${1:-.build/release}")

if [ "$(id -u)" -ne 0 ]; then
    echo "cluster-check.sh needs root: it makes network namespaces" >&2
    exit 1
fi
if [ -z "${PENSTOCK_CLUSTER:-}" ]; then
    # All of it is within namespaces of this run: what is left behind goes with them.
    PENSTOCK_CLUSTER=1 exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$binaries" "${@:2}"
fi

mount --make-rprivate /
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
trap 'cd /; umount -l "$work"; rmdir "$work"' EXIT

# 10.0.0.1 is the proxy and its clients; 10.0.0.11 to 10.0.0.14 are nodes.
ip link set lo up
ip link add nodes type bridge
ip addr add 10.0.0.1/24 dev nodes
ip link set nodes up
for number in 1 2 3 4; do
    ip netns add "n$number"
    ip link add "veth$number" type veth peer name eth0 netns "n$number"
    ip link set "veth$number" master nodes up
    ip -n "n$number" addr add "10.0.0.1$number/24" dev eth0
    ip -n "n$number" link set eth0 up
    ip -n "n$number" link set lo up
done

# The configuration's own paths, seen by this run alone, and a certificate for "localhost".
mkdir -p /run/haproxy /etc/haproxy
mount -t tmpfs tmpfs /run/haproxy
mount -t tmpfs tmpfs /etc/haproxy
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
cat "$work/certificate.pem" "$work/key.pem" >/etc/haproxy/penstock.pem

python3 Tests/Tools/cluster --binaries "$binaries" --work "$work" --configuration deploy/haproxy/haproxy.cfg \
    --haproxy "${HAPROXY:-haproxy}" "${@:2}"
