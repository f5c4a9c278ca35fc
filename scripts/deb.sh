#!/usr/bin/env bash
# Packs both programs as a Debian package: dist/penstock_VERSION-1~debN_ARCH.deb. Of this machine's release they are
# what `make dist` has left; of another, all is made in a root of that (scripts/in-debian.sh).
# Usage: deb.sh [bookworm|trixie]
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p dist
if [ $# -gt 0 ] && [ "$1" = "$(. /etc/os-release && echo "$VERSION_CODENAME")" ]; then
    exec make --no-print-directory deb
elif [ $# -gt 0 ]; then
    scripts/in-debian.sh "$1" make deb
    rm -f dist/penstock_*~"$(case $1 in bookworm) echo deb12 ;; trixie) echo deb13 ;; esac)"_*.deb
    cp "${PENSTOCK_ROOTS:-/var/cache/penstock-roots}/$1/src/penstock/dist"/penstock_*.deb dist/
    exit
fi

work=$PWD/.build-deb
version=$(dist/bin/penstock --version)
release=$(. /etc/os-release && echo "$ID${VERSION_ID:-}")

noted=$(dpkg-parsechangelog -l deploy/debian/changelog --show-field Version)
if [ "${noted%-*}" != "$version" ]; then
    echo "deploy/debian/changelog begins with $noted, and the programs are $version: it needs an entry" >&2
    exit 1
fi
# What was built on an older release sorts before, so that an upgrade of the release brings the newer.
packed=$noted~${release/debian/deb}

rm -rf "$work"
source=$work/penstock-$version
mkdir -p "$source"/{bin,completions,etc,man}
cp -r deploy/debian "$source/debian"
cp -r --parents README.md CHANGELOG.md SECURITY.md openapi.yaml docs deploy/{grafana,haproxy,nginx,prometheus} "$source"
cp dist/bin/penstock{,-encoder} "$source/bin"
cp deploy/penstock.yaml "$source/etc"
sed -i "1s/($noted)/($packed)/" "$source/debian/changelog"
cp deploy/debian/penstock-encoder.1 "$source/man"
date=$(date -u +%F -d "$(dpkg-parsechangelog -l deploy/debian/changelog --show-field Date)")
dist/bin/penstock --experimental-dump-help | python3 scripts/man-page.py "$version" "$date" >"$source/man/penstock.1"
dist/bin/penstock --generate-completion-script bash | sed "1{/^#!/d}" >"$source/completions/penstock"
dist/bin/penstock --generate-completion-script zsh >"$source/completions/_penstock"
dist/bin/penstock --generate-completion-script fish >"$source/completions/penstock.fish"

(cd "$source" && dpkg-buildpackage --build=binary --no-sign --root-command= >"$work/log" 2>&1) || {
    tail -n 30 "$work/log" >&2
    exit 1
}
grep -E '^dpkg-(shlibdeps|gencontrol|deb): (warning|error)' "$work/log" >&2 || true
package=$(echo "$work"/penstock_*.deb)
lintian --allow-root --fail-on error "$package"
rm -f dist/penstock_*~"${packed##*~}"_*.deb
cp "$package" dist/
rm -rf "$work"
echo "dist/${package##*/}"
