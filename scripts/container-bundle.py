"""An OCI runtime bundle that runs an image as compose.yaml does: read-only, without capabilities, no new privileges.

Usage: container-bundle.py IMAGE.json SECCOMP.json ROOT VOLUMES [NAME=VALUE…] >BUNDLE/config.json
IMAGE.json is the image's configuration (`buildah inspect --type image`, its Docker.config) and ROOT its root file
system; SECCOMP.json a profile in Docker's form; the image's volumes are the folders of VOLUMES, by their last names.
"""
import json
import platform
import sys

ARCHITECTURES = {"x86_64": ("amd64", "SCMP_ARCH_X86_64"), "aarch64": ("arm64", "SCMP_ARCH_AARCH64")}


def seccomp(profile):
    """The rules of a profile that hold for a process without capabilities on this machine."""
    name, architecture = ARCHITECTURES[platform.machine()]
    rules = []
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        if includes.get("caps") or name not in includes.get("arches", [name]) or name in excludes.get("arches", []):
            continue
        rules.append({key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key)})
    sub = [entry["subArchitectures"] or [] for entry in profile["archMap"] if entry["architecture"] == architecture]
    kept = {key: profile[key] for key in ("defaultAction", "defaultErrnoRet") if key in profile}
    return {**kept, "architectures": [architecture, *sum(sub, [])], "syscalls": rules}


def mount(destination, kind, *options):
    return {"destination": destination, "type": kind, "source": kind, "options": list(options)}


def bundle(image, profile, root, volumes, environment, user):
    quiet = ("nosuid", "noexec", "nodev")
    mounts = [
        mount("/proc", "proc", *quiet),
        mount("/dev", "tmpfs", "nosuid", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
        mount("/dev/shm", "tmpfs", *quiet, "mode=1777", "size=65536k"),
        mount("/dev/mqueue", "mqueue", *quiet),
        mount("/sys", "sysfs", *quiet, "ro"),
        mount("/tmp", "tmpfs", *quiet, "mode=1777"),
    ]
    for place in image["Volumes"]:
        mounts.append({"destination": place, "type": "bind", "source": f"{volumes}/{place.rsplit('/', 1)[1]}", "options": ["bind", "rw"]})
    none = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
    return {
        "ociVersion": "1.0.2",
        "root": {"path": root, "readonly": True},
        "hostname": "penstock",
        "process": {
            "terminal": False,
            "user": user,
            "args": image["Entrypoint"] + image["Cmd"],
            "env": image["Env"] + environment,
            "cwd": image.get("WorkingDir") or "/",
            "capabilities": none,
            "noNewPrivileges": True,
        },
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")],
            "seccomp": seccomp(profile),
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


def named_user(name, passwd):
    """What the image's USER is in its own /etc/passwd."""
    for line in passwd:
        fields = line.split(":")
        if name in (fields[0], fields[2]):
            return {"uid": int(fields[2]), "gid": int(fields[3])}
    raise SystemExit(f"the image has no user {name}")


if __name__ == "__main__":
    image_path, profile_path, root, volumes = sys.argv[1:5]
    with open(image_path) as file:
        image = json.load(file)
    with open(profile_path) as file:
        profile = json.load(file)
    with open(root + "/etc/passwd") as file:
        user = named_user(image["User"], file)
    json.dump(bundle(image, profile, root, volumes, sys.argv[5:], user), sys.stdout, indent=1)
