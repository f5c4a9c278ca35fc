"""The nodes and the proxy, in the network namespaces that cluster-check.sh has made."""
import http.client
import json
import os
import signal
import socket
import subprocess

from clients import Client
from common import check, eventually, options


# Of the fourth nothing responds before it is added.
PEERS = ",".join(f"n{number}=http://10.0.0.1{number}:8080" for number in (1, 2, 3))


class Node:
    def __init__(self, number):
        self.name, self.address = f"n{number}", f"10.0.0.1{number}"
        self.folder = f"{options.work}/{self.name}"
        self.start()

    def start(self, *limits, quota=None):
        os.makedirs(self.folder, exist_ok=True)
        self.log = open(self.folder + "/log", "ab")
        # Once it has become the server, all that it starts stays within the quota.
        within = quota.command if quota else []
        self.process = subprocess.Popen(
            [*within, "ip", "netns", "exec", self.name, options.binaries + "/penstock", "serve", "--node", self.name, "--host", self.address,
             "--peers", PEERS, "--agent-port", "8081", "--no-auth", "--output-dir", self.folder + "/output",
             "--state-dir", self.folder + "/state", *limits], stderr=self.log)
        eventually(lambda: self.ask("/readyz")[0] == 200, f"{self.name} is ready")

    def ask(self, path, method="GET"):
        """A request past the proxy; status 0: nothing responds."""
        try:
            connection = http.client.HTTPConnection(self.address, 8080, timeout=20)
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""

    def writers(self):
        """Its own, and not those of other nodes."""
        found, cursor = set(), ""
        while cursor is not None:
            page = json.loads(self.ask(f"/v1/writers?scope=node&limit=1000{cursor}")[1])
            check(page["node"] == self.name, f"{self.name} lists its own writers: {page['node']}")
            found |= {writer["id"] for writer in page["writers"]}
            cursor = "&cursor=" + page["next_cursor"] if "next_cursor" in page else None
        return found

    def signal(self, number):
        """`ip netns exec` becomes the server."""
        self.process.send_signal(number)

    def stop(self):
        self.signal(signal.SIGTERM)
        check(self.process.wait(timeout=60) == 0, f"{self.name} ends well")

    def kill_all(self):
        """How many there were."""
        processes = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True).stdout.split()
        for process in processes:
            try:
                os.kill(int(process), signal.SIGKILL)
            except ProcessLookupError:
                pass
        return len(processes)


def proxy(command):
    """The runtime API's response."""
    with socket.socket(socket.AF_UNIX) as runtime:
        runtime.connect("/run/haproxy/admin.sock")
        runtime.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: runtime.recv(65536), b"")).decode()


def state(backend, server):
    """Status and weight, as HAProxy sees them."""
    lines = proxy("show stat").splitlines()
    names = lines[0].lstrip("# ").split(",")
    for line in lines[1:]:
        row = dict(zip(names, line.split(",")))
        if (row.get("pxname"), row.get("svname")) == (backend, server):
            return row["status"], int(row["weight"])
    raise SystemExit(f"FAILED: HAProxy has no server {server} in {backend}")


def is_up(server):
    return state("writers", server)[0].startswith("UP") and state("new", server)[0].startswith("UP")


class Proxy:
    def __init__(self, configuration):
        self.path = configuration
        self.log = open(options.work + "/haproxy.log", "ab")
        self.process = subprocess.Popen([options.haproxy, "-Ws", "-f", configuration], stdout=self.log, stderr=self.log)
        eventually(lambda: os.path.exists("/run/haproxy/admin.sock") and Client().request("GET", "/livez")[0] == 200, "the proxy responds")

    def reload(self):
        """Returns when the process before has ended, as its clients' connections have."""
        self.process.send_signal(signal.SIGUSR2)
        eventually(lambda: "n4" in proxy("show stat"), "the new process has the configuration")
        eventually(lambda: len(self.workers()) == 1, "the old process ends")

    def workers(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return children.read().split()


def distribution(nodes):
    return {node.name: len(node.writers()) for node in nodes}
