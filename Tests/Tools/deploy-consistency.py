"""What the files of deploy/ say of each other, of the image and of the program.

Usage: deploy-consistency.py HAPROXY.cfg HELP.json: writes the cluster's HAProxy configuration to the former, and reads
what `penstock --experimental-dump-help` says from the latter.
"""
import json
import re
import sys

import yaml

failures = []


def check(holds, what):
    if not holds:
        failures.append(what)


def read(path):
    with open(path) as file:
        return file.read()


def documents(path):
    return {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(read(path))}


def rules(configuration):
    """What must be the same wherever HAProxy runs: all but addresses, peers, and where the proxy itself listens."""
    own = ("server ", "bind ", "localpeer ", "peer ", "resolvers ", "parse-resolv-conf", "hold ", ".if", ".else", ".endif", "stats socket ")
    lines = [line.strip() for line in configuration.splitlines()]
    lines = [line.replace(" init-addr none resolvers cluster", "") for line in lines if line and not line.startswith("#")]
    return [line for line in lines if not line.startswith(own)]


def image():
    """Variables and folders of the Dockerfile's last stage."""
    last = read("Dockerfile").split("\nFROM ")[-1]
    variables = dict(re.findall(r"(PENSTOCK_[A-Z_]+)=(\S+)", last))
    return variables, re.search(r"--uid (\d+)", last).group(1), re.search(r"^VOLUME (\[.*\])", last, re.M).group(1)


variables, user, volumes = image()
proxy, nodes = documents("deploy/kubernetes/proxy.yaml"), documents("deploy/kubernetes/nodes.yaml")
in_cluster = proxy["ConfigMap", "penstock-proxy"]["data"]["haproxy.cfg"]
with open(sys.argv[1], "w") as file:
    file.write(in_cluster)
alone = read("deploy/haproxy/haproxy.cfg")
different = [pair for pair in zip(rules(alone), rules(in_cluster)) if pair[0] != pair[1]]
check(rules(alone) == rules(in_cluster), f"haproxy.cfg and the ConfigMap have the same rules: {different[:3]}")

# Both backends have the same servers under the same ids, and a cluster as many as it has nodes.
for name, text in (("haproxy.cfg", alone), ("the ConfigMap", in_cluster)):
    writers, new = text.split("\nbackend writers")[1].split("\nbackend new")
    servers = [[tuple(line.split()[1:5]) for line in part.splitlines() if line.strip().startswith("server ")] for part in (writers, new)]
    check(servers[0] == servers[1] and len(set(server[3] for server in servers[0])) == len(servers[0]), f"{name}: the same servers in both backends, each with an id of its own")
replicas = nodes["StatefulSet", "penstock"]["spec"]["replicas"]
check([server[0] for server in servers[0]] == [f"penstock-{index}" for index in range(replicas)], f"a server for each of the {replicas} nodes")

# A pod: the image's user and folders, and enough time for what ends it.
pod = nodes["StatefulSet", "penstock"]["spec"]["template"]["spec"]
container = pod["containers"][0]
environment = {item["name"]: item.get("value") for item in container["env"]}
check(str(pod["securityContext"]["runAsUser"]) == user, f"the pod's user is the image's, {user}")
drain = container["lifecycle"]["preStop"]["exec"]["command"]
needed = int(drain[drain.index("--timeout") + 1]) + int(environment["PENSTOCK_SHUTDOWN_GRACE"])
check(pod["terminationGracePeriodSeconds"] > needed, f"a pod has more than {needed} s to end")
mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
for place in yaml.safe_load(volumes) + [environment["PENSTOCK_TOKEN_FILE"]]:
    check(any(place.startswith(mount + "/") for mount in mounts), f"{place} is on a volume: {mounts}")
limit = container["resources"]["limits"]["memory"]
check(limit.endswith("Gi") and int(environment["PENSTOCK_MAX_ENCODER_MEMORY"]) < int(limit[:-2]) << 30, "an encoder may take less than the pod")

# Nodes find each other by their headless service, at the port that they listen on, and may reach each other there.
service, port = re.fullmatch(r"dns:([a-z-]+):(\d+)", environment["PENSTOCK_PEERS"]).groups()
headless = nodes["Service", service]["spec"]
check(headless["clusterIP"] == "None" and headless["publishNotReadyAddresses"], "PENSTOCK_PEERS is the service that has an address for each node")
check(int(port) in [item["containerPort"] for item in container["ports"] if item["name"] == "http"], "PENSTOCK_PEERS has the nodes' own port")
policy, labels = nodes["NetworkPolicy", "penstock"]["spec"], nodes["StatefulSet", "penstock"]["spec"]["template"]["metadata"]["labels"]
for direction, side in (("ingress", "from"), ("egress", "to")):
    check(any({"protocol": "TCP", "port": "http"} in rule["ports"] and {"podSelector": {"matchLabels": labels}} in rule[side] for rule in policy[direction]),
          f"the network policy lets nodes reach each other: {direction}")

# compose.yaml: the image's folders, its port, its secrets, its health, and enough time.
compose = yaml.safe_load(read("deploy/compose.yaml"))
service = compose["services"]["penstock"]
mounted = dict(volume.split(":")[:2] for volume in service["volumes"])
check(sorted(mounted.values()) == sorted(yaml.safe_load(volumes)), "compose.yaml: a volume for each folder")
check(set(mounted) == set(compose["volumes"]), f"compose.yaml: the volumes that are mounted are those that are declared: {sorted(compose['volumes'])}")
check(set(service["secrets"]) == set(compose["secrets"]), f"compose.yaml: the secrets that are used are those that are declared: {sorted(compose['secrets'])}")
check(all(set(secret) == {"file"} for secret in compose["secrets"].values()), "compose.yaml: a secret is a file")
check(service["environment"]["PENSTOCK_TOKEN_FILE"] in [f"/run/secrets/{name}" for name in service["secrets"]], "compose.yaml: the token file is a secret")
# Published to this machine alone, and the port that the image serves.
for port in service["ports"]:
    address, _, inner = port.rsplit(":", 2)
    check(address == "127.0.0.1" and inner == variables["PENSTOCK_PORT"], f"compose.yaml: {port} is the image's port, on loopback")
check("EXPOSE " + variables["PENSTOCK_PORT"] in read("Dockerfile"), "Dockerfile: the port that is exposed is the server's")
check(int(service["stop_grace_period"].rstrip("s")) > int(service["environment"]["PENSTOCK_SHUTDOWN_GRACE"]) + 10, "compose.yaml: more time than --shutdown-grace")
check(service["read_only"] is True and service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"], "compose.yaml: read-only, without capabilities and new privileges")
check(service["build"] == "..", "compose.yaml: built from this checkout")

# What the program's own help says that there is.
with open(sys.argv[2]) as file:
    program = json.load(file)["command"]
commands = {command["commandName"]: command for command in program["subcommands"]}
settings = {"PENSTOCK_" + name["name"].upper().replace("-", "_") for argument in commands["serve"]["arguments"] for name in argument["names"]}
in_image = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", read("Dockerfile"), re.M)
health = service.get("healthcheck", {}).get("test") or (["CMD"] + yaml.safe_load(in_image.group(1)) if in_image else [])
check(health[:2] == ["CMD", "penstock"] and health[2:3] and health[2] in commands, f"compose.yaml: its health is asked by a command that there is: {health}")
unit_text, packaged_text = read("deploy/systemd/penstock.service"), read("deploy/debian/penstock.service")
for place, names in (
    ("compose.yaml", service["environment"]),
    ("Dockerfile", variables),
    ("nodes.yaml", environment),
    ("systemd/penstock.service", re.findall(r"^Environment=([A-Z_]+)=", unit_text, re.M)),
):
    unknown = sorted(name for name in names if name.startswith("PENSTOCK_") and name not in settings)
    check(not unknown, f"{place}: variables that the program does not read: {unknown}")

# The units: likewise, and the package's confines the server as the other does.
unit = dict(re.findall(r"^(?:Environment=)?([A-Za-z_]+)=(.*)$", unit_text, re.M))
check(int(unit["TimeoutStopSec"]) > int(unit["PENSTOCK_SHUTDOWN_GRACE"]) + 10, "penstock.service: more time than --shutdown-grace")
# Whose files they are and where programs, settings and tokens lie is each unit's own.
own = ("Documentation=", "ExecStart=", "Environment", "User=", "Group=", "RuntimeDirectory=", "#")
for place, text in (("systemd", unit_text), ("debian", packaged_text)):
    check(not re.search(r"^(DynamicUser|RestrictSUIDSGID)=(yes|true|1|on)", text, re.M), f"{place}/penstock.service: leaves openat2() to the server")
lines = [[line for line in text.splitlines() if line and not line.startswith(own)] for text in (unit_text, packaged_text)]
check(lines[0] == lines[1], f"the package's unit differs from systemd/penstock.service: {sorted(set(lines[0]) ^ set(lines[1]))}")

for failure in failures:
    print("FAILED:", failure)
if failures:
    sys.exit(1)
print("the same rules, servers, users, folders and times everywhere")
