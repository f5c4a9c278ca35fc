"""What the files of deploy/ say of each other and of the image; writes the cluster's HAProxy configuration to a file."""
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

# compose.yaml: the image's folders, its port, its secret, and enough time.
service = yaml.safe_load(read("deploy/compose.yaml"))["services"]["penstock"]
check(sorted(volume.split(":")[1] for volume in service["volumes"]) == sorted(yaml.safe_load(volumes)), "compose.yaml: a volume for each folder")
check(all(port.endswith(":" + variables["PENSTOCK_PORT"]) for port in service["ports"]), "compose.yaml: the image's port")
check(service["environment"]["PENSTOCK_TOKEN_FILE"] in [f"/run/secrets/{name}" for name in service["secrets"]], "compose.yaml: the token file is a secret")
check(int(service["stop_grace_period"].rstrip("s")) > int(service["environment"]["PENSTOCK_SHUTDOWN_GRACE"]) + 10, "compose.yaml: more time than --shutdown-grace")

# The unit: likewise.
unit = dict(re.findall(r"^(?:Environment=)?([A-Za-z_]+)=(.*)$", read("deploy/systemd/penstock.service"), re.M))
check(int(unit["TimeoutStopSec"]) > int(unit["PENSTOCK_SHUTDOWN_GRACE"]) + 10, "penstock.service: more time than --shutdown-grace")

for failure in failures:
    print("FAILED:", failure)
if failures:
    sys.exit(1)
print("the same rules, servers, users, folders and times everywhere")
