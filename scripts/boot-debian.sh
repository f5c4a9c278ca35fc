#!/usr/bin/env bash
# Boots the systemd of a root file system, in namespaces of its own (network too). SIGTERM ends it.
# Usage: boot-debian.sh ROOT      (as root)
set -euo pipefail
export root=$1
machine=
# The branch of cgroup2 that the machine has to itself, whatever is mounted where on this one.
branch() {
    unshare --mount bash -euo pipefail -c '
        mount --make-rprivate /
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        cd /sys/fs/cgroup
        "$@"
    ' - "$@"
}
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    if [ -n "$machine" ]; then kill -KILL "$machine" 2>/dev/null || true; wait "$machine" 2>/dev/null || true; fi
    # The last of its processes may take a moment.
    for _ in $(seq 50); do
        if branch find "penstock-$$" -depth -type d -exec rmdir '{}' + 2>/dev/null; then break; fi
        sleep 0.1
    done
}
trap cleanup EXIT
trap 'exit 143' TERM INT

branch mkdir "penstock-$$"
# Entered before the cgroup namespace is made, whose root it becomes.
unshare --mount bash -euo pipefail -c '
    mount --make-rprivate /
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    echo $$ >"/sys/fs/cgroup/penstock-$1/cgroup.procs"
    exec unshare --mount --pid --cgroup --net --uts --ipc --fork --kill-child bash -euo pipefail -c "
        ip link set lo up
        mount --bind \"\$root\" \"\$root\"
        cd \"\$root\"
        mount -t proc proc proc
        mount -t sysfs -o ro sysfs sys
        mount -t cgroup2 cgroup2 sys/fs/cgroup
        mount -t tmpfs -o mode=755 tmpfs dev
        for device in null zero full random urandom tty; do touch dev/\$device; mount --bind /dev/\$device dev/\$device; done
        mkdir dev/pts dev/shm
        mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        ln -s /proc/self/fd dev/fd
        for place in dev/shm run tmp; do mount -t tmpfs -o mode=1777 tmpfs \$place; done
        chmod 755 run
        mkdir run/before
        pivot_root . run/before
        umount -l /run/before
        exec env -i container=penstock PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=journal
    "
' - $$ &
machine=$!
wait "$machine"
