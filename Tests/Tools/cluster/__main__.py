"""What cluster-check.sh asks of several nodes behind HAProxy."""
import json
import os
import signal
import subprocess
import sys
import time

from clients import OPEN, Client, Load, Upload, listed, many
from common import check, eventually, options, step
from servers import Node, Proxy, distribution, is_up, proxy, state
from throughput import throughput


def where_writers_go(nodes):
    step("300 writers by POST and PUT, from 24 clients")
    uploads = many(300, lambda index: Upload(index, own_id=index % 2 == 0))
    many(300, lambda index: uploads[index].run())
    writers = {node.name: node.writers() for node in nodes}
    for upload in uploads:
        at = [name for name, ids in writers.items() if upload.id in ids]
        check(len(at) == 1, f"{upload.id} is at one node: {at}")
        if not upload.id.startswith("mine-"):
            check(upload.id.startswith(at[0] + "-w_"), f"{upload.id} is at {at[0]}")
    counts = {name: len(ids) for name, ids in writers.items()}
    check(all(count >= 40 for count in counts.values()), f"each node has its share: {counts}")
    print("   writers:", counts)
    one_list(writers)
    return uploads


def one_list(writers):
    """What any node lists: each writer once, with its node, the newest first."""
    found, partial = listed()
    check(not partial, f"all nodes respond: {partial}")
    at = {writer["id"]: writer["node"] for writer in found}
    check(len(at) == len(found) and at == {id: name for name, ids in writers.items() for id in ids}, f"{len(found)} of {sum(map(len, writers.values()))} writers are listed")
    times = [writer["created_at"] for writer in found]
    check(times == sorted(times, reverse=True), "the newest are first")
    print(f"   {len(found)} writers in one list, by pages of 100")


def wrong_nodes(nodes):
    step("requests that reach another node than they are for")
    identifier = json.loads(Client().request("POST", "/v1/writers", OPEN)[1])["id"]
    owner = identifier.split("-w_")[0]
    for node in nodes:
        status, content = node.ask(f"/v1/writers/{identifier}")
        if node.name == owner:
            check(status == 200, f"the writer's own node has it: {status}")
        else:
            problem = json.loads(content)
            check(status == 421 and problem["type"].endswith(":wrong-node") and problem["node"] == owner, f"another tells which it is: {status} {content[:300]}")
        check(node.ask("/v1/writers/mine-nobody")[0] == 404, "an id of a client's is not there")
    check(Client().request("DELETE", f"/v1/writers/{identifier}")[0] in (200, 204), "through the proxy it is found")


def what_is_passed_on():
    step("100 Continue, refusals before a body, HTTP/2, chunked bodies, Idempotency-Key")
    upload = Upload(1000, own_id=True)
    url = f"https://localhost/v1/writers/{upload.id}/streams/0/chunks"
    curl = ["curl", "-sS", "--cacert", options.work + "/certificate.pem", "-H", "Expect: 100-continue", "-X", "POST"]
    # A frame has 4 bytes: 3 are refused before any is sent, so no 100 comes.
    refused = subprocess.run(curl + ["-v", "--http1.1", "--data-binary", "@-", url], input=b"abc", capture_output=True)
    check(b"400 Bad Request" in refused.stderr and b"100 Continue" not in refused.stderr, f"refused before 100: {refused.stderr.decode()}")
    taken = subprocess.run(curl + ["-v", "--http1.1", "--data-binary", "@-", url], input=b"abcd", capture_output=True)
    check(b"100 Continue" in taken.stderr and b'"offset":4' in taken.stdout.replace(b" ", b""), f"taken after 100: {taken.stderr.decode()}")
    second = subprocess.run(curl + ["-w", "%{http_version}", "--http2", "-T", "-", url], input=b"efgh", capture_output=True)
    check(second.stdout.endswith(b"2") and b'"offset":8' in second.stdout.replace(b" ", b""), f"HTTP/2: {second.stdout} {second.stderr.decode()}")
    repeated = {Client().request("POST", "/v1/writers", OPEN, {"Idempotency-Key": "a key"})[1] for _ in range(12)}
    ids = {json.loads(content)["id"] for content in repeated}
    check(len(ids) == 1, f"one Idempotency-Key, one writer: {ids}")
    check(Client().request("GET", "/metrics")[0] == 404, "no node's metrics are shown to clients")
    encoded = [f"/v1/writers/{upload.id}", "/v1/writers/%6d" + upload.id[1:]]
    check({Client().request("GET", path)[0] for path in encoded} == {200}, "an id is the same when it is escaped")
    for identifier in ids | {upload.id}:
        check(Client().request("DELETE", f"/v1/writers/{identifier}")[0] in (200, 204), "the writers go")


def streaming(megabytes=600):
    step(f"{megabytes} MB in one request, which the proxy must not keep")
    video = {"type": "video", "frame_rate": 25, "width": 1920, "height": 1080, "format": "gray8", "encoder": "rawvideo"}
    identifier = "large"
    check(Client().request("PUT", f"/v1/writers/{identifier}", {"format": "null", "streams": [video], "open": True})[0] == 201, "a writer for video")
    frame, count = bytes(1920 * 1080), megabytes * 1000000 // (1920 * 1080)
    seen = []

    def body():
        for index in range(count):
            yield frame
            if index == count // 2:
                # Half of it has reached the encoder when the other half is not sent yet.
                eventually(lambda: frames() > count // 2 - 40, "the first half is with the encoder")
                seen.append(frames())

    def frames():
        return json.loads(Client().request("GET", f"/v1/writers/{identifier}")[1])["streams"][0]["frames"]

    began_at = time.monotonic()
    status, content = Client().request("POST", f"/v1/writers/{identifier}/streams/0/chunks", body(), {"Content-Type": "application/octet-stream"}, chunked=True)
    check(status == 200 and json.loads(content)["frames"] == count, f"{status} {content[:300]}")
    print(f"   {megabytes / (time.monotonic() - began_at):.0f} MB/s; {seen[0]} of {count} frames taken while the rest waited")
    check(Client().request("DELETE", f"/v1/writers/{identifier}")[0] in (200, 204), "the writer goes")


def draining(nodes):
    step("a node is drained, replaced, and is back")
    node = nodes[1]
    load = Load(20000)
    # One of each kind that is on the node when it is drained, and goes on.
    kept, seed = [], 30000
    while len(kept) < 6:
        seed += 1
        upload = Upload(seed, own_id=seed % 2 == 0)
        if upload.id in node.writers():
            check(upload.send(0)[0] == 200, "the first piece")
            kept.append(upload)
        else:
            check(upload.client.request("DELETE", f"/v1/writers/{upload.id}")[0] in (200, 204), "not of this node")
    node.signal(signal.SIGUSR1)
    eventually(lambda: not is_up(node.name), "the proxy has seen it")
    uploads = many(60, lambda index: Upload(40000 + index, own_id=index % 2 == 0))
    many(60, lambda index: uploads[index].run())
    new = {upload.id for upload in uploads} & node.writers()
    check(not new, f"a node that drains gets nothing new: {new}")
    for upload in kept:
        for piece in range(1, 4):
            status, content = upload.send(piece)
            check(status == 200, f"a writer of the drained node goes on: {status} {content[:300]}")
        check(upload.finish()[0] == 200, "and ends well")
    drained = subprocess.run(
        ["ip", "netns", "exec", node.name, options.binaries + "/penstock", "drain", "--pid", str(node.process.pid), "--host", node.address,
         "--timeout", "30", "--at-least", "1"], capture_output=True, text=True)
    live = [writer for writer in json.loads(node.ask("/v1/writers?limit=1000")[1])["writers"] if writer["state"] not in ("closed", "failed")]
    check(drained.returncode == 0, f"penstock drain: {drained.stdout} {drained.stderr} {live}")
    node.stop()
    node.start()
    eventually(lambda: is_up(node.name), "the node is back")
    # Its own ended writers are found again, from their records.
    for upload in kept:
        check(upload.client.request("GET", f"/v1/writers/{upload.id}")[0] == 200, f"{upload.id} is found after the restart")
    print(f"   {load.end()} uploads meanwhile, none refused or lost")


def killing(nodes):
    step("a node is killed")
    node = nodes[2]
    kept = [Upload(50000 + index, own_id=index % 2 == 0) for index in range(30)]
    for upload in kept:
        check(upload.send(0)[0] == 200, "the first piece")
    lost = [upload for upload in kept if upload.id in node.writers()]
    check(0 < len(lost) < len(kept), f"{len(lost)} of {len(kept)} writers are on the node")
    node.signal(signal.SIGKILL)
    node.process.wait()
    # Encoders that outlive their gateway finalize; here the whole node is to be gone.
    eventually(lambda: not node.kill_all(), "no process of the node is left")
    for upload in kept:
        if upload in lost:
            status, content = upload.send(1)
            check(status == 503 and b"about:blank" in content, f"a writer of the dead node: {status} {content[:200]}")
        else:
            for piece in range(1, 4):
                check(upload.send(piece)[0] == 200, "the others never notice")
            check(upload.finish()[0] == 200, "and end well")
    eventually(lambda: not is_up(node.name), "the proxy has seen it")
    uploads = many(60, lambda index: Upload(60000 + index, own_id=index % 2 == 0))
    many(60, lambda index: uploads[index].run())
    began_at = time.monotonic()
    found, partial = listed("&state=closed")
    check({missing["node"] for missing in partial} == {node.name}, f"a list says which node it lacks: {partial[:3]}")
    check({upload.id for upload in uploads} <= {writer["id"] for writer in found}, "and has what is on the others")
    print(f"   a list without it, {partial[0]['reason']}, in {len(partial)} pages: {time.monotonic() - began_at:.1f} s")
    node.start()
    eventually(lambda: is_up(node.name), "the node is back")
    found, partial = listed()
    check(not partial and {upload.id for upload in lost} <= {writer["id"] for writer in found}, "the list is whole again")
    for upload in lost:
        status, content = upload.client.request("GET", f"/v1/writers/{upload.id}")
        check(status == 200 and json.loads(content)["state"] in ("failed", "closed"), f"the node knows what became of {upload.id}: {status} {content[:300]}")
    many(60, lambda index: check(uploads[index].client.request("GET", f"/v1/writers/{uploads[index].id}")[0] == 200, "those made meanwhile are found"))
    print(f"   {len(lost)} writers were on it, {len(kept) - len(lost)} went on; 60 new ones on the others")


def placed(ids, nodes):
    """Where the proxy has these client-chosen ids made: by the hash alone, as it remembers none of them afterwards."""
    check(set(many(len(ids), lambda index: Client().request("PUT", f"/v1/writers/{ids[index]}", OPEN)[0])) == {201}, "the writers are made")
    places = {id: node.name for node in nodes for id in node.writers() & set(ids)}
    check(set(many(len(ids), lambda index: Client().request("DELETE", f"/v1/writers/{ids[index]}")[0])) <= {200, 204}, "and deleted")
    for id in ids:
        proxy(f"clear table writers key {id}")
    return places


def adding(nodes, haproxy, earlier):
    step("a node is added, and the proxy reloaded")
    ids = [f"moves-{index}" for index in range(120)]
    places = placed(ids, nodes)
    # Idle connections would keep the old process.
    for upload in earlier:
        upload.client.connection.close()
    load = Load(70000)
    path = options.work + "/four.cfg"
    with open(options.configuration) as source, open(path, "w") as target:
        for line in source:
            target.write(line)
            if line.lstrip().startswith("server n3 "):
                added = line.replace("n3", "n4").replace("10.0.0.13", "10.0.0.14").replace("id 3", "id 4")
                # As docs/operations/nodes.md has it: the hash does not change while two processes serve.
                target.write(added if "track" in line else added.rstrip() + " weight 0\n")
    nodes.append(Node(4))
    os.replace(path, haproxy.path)
    haproxy.reload()
    eventually(lambda: is_up("n4"), "the node is up")
    # An upload of a client-chosen id that is in flight when the hash changes, one for each place.
    flying = [Upload(90000 + index, own_id=True) for index in range(24)]
    check({upload.send(0)[0] for upload in flying} == {200}, "the first pieces")
    check(proxy("set server writers/n4 weight 1").strip() == "", "the node's weight is set")
    for upload in flying:
        check({upload.send(piece)[0] for piece in (1, 2, 3)} == {200}, "what is in flight does not move")
        check(upload.finish()[0] == 200, "and ends well")
    check(not {upload.id for upload in flying} & nodes[3].writers(), "none of it is on the new node")
    for id in ids:
        # What the proxy before remembered of them came along.
        proxy(f"clear table writers key {id}")
    moved = {id: place for id, place in placed(ids, nodes).items() if place != places[id]}
    check(set(moved.values()) == {"n4"} and 10 <= len(moved) <= 60, f"only ids that hash to the new node move: {moved}")
    print(f"   {len(moved)} of {len(ids)} client-chosen ids are the new node's by their hash, the others stay")
    missing = [upload.id for upload in earlier if Client().request("GET", f"/v1/writers/{upload.id}")[0] != 200]
    check(not missing, f"{len(missing)} of {len(earlier)} earlier writers are not found: {missing[:5]}")
    before = distribution(nodes)["n4"]
    uploads = many(120, lambda index: Upload(80000 + index, own_id=index % 2 == 0))
    many(120, lambda index: uploads[index].run())
    print(f"   {load.end()} uploads meanwhile, none refused or lost;", distribution(nodes))
    check(distribution(nodes)["n4"] - before >= 10, "the new node gets its share")


def loads(nodes):
    step("nodes tell their weights, and a full one is not the last that is asked")
    node = nodes[0]
    node.stop()
    node.start("--max-writers", "3")
    eventually(lambda: is_up(node.name), "the node is back")
    uploads = many(40, lambda index: Upload(10000 + index, own_id=False))
    refused = [upload.content for upload in uploads if upload.status != 201]
    check(not refused, f"others make what a full node refuses: {refused[:2]}")
    here = sum(upload.id.startswith("n1-") for upload in uploads)
    check(0 < here <= 3, f"{here} of 40 writers are on the node that takes 3")
    # At most two thirds of its room are left.
    eventually(lambda: state("new", node.name)[1] <= 66, "the proxy has the weight of a node that is nearly full")
    print("   weights:", {node.name: state("new", node.name)[1] for node in nodes})
    many(40, lambda index: uploads[index].run())
    node.stop()
    node.start()
    eventually(lambda: is_up(node.name), "the node is back")


def show_logs():
    """The end of each log, where something has failed."""
    for name in ("haproxy.log", "n1/log", "n2/log", "n3/log", "n4/log"):
        if os.path.exists(f"{options.work}/{name}"):
            with open(f"{options.work}/{name}", errors="replace") as log:
                print(f"-- {name}", *[line.rstrip() for line in log][-15:], sep="\n", file=sys.stderr)


def run():
    nodes = [Node(number) for number in (1, 2, 3)]
    configuration = options.work + "/haproxy.cfg"
    with open(options.configuration) as source, open(configuration, "w") as target:
        target.write(source.read())
    haproxy = Proxy(configuration)
    eventually(lambda: all(is_up(node.name) for node in nodes), "the proxy has all nodes")
    print(subprocess.run([options.haproxy, "-v"], capture_output=True, text=True).stdout.splitlines()[0])
    earlier = []
    parts = {
        "wrong": lambda: wrong_nodes(nodes), "where": lambda: earlier.extend(where_writers_go(nodes)), "load": lambda: loads(nodes), "passing": what_is_passed_on,
        "streaming": streaming, "draining": lambda: draining(nodes), "killing": lambda: killing(nodes),
        "adding": lambda: adding(nodes, haproxy, earlier), "throughput": lambda: throughput(nodes),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()
    for node in nodes:
        node.stop()
    step("all as it should be")


try:
    run()
except BaseException:
    show_logs()
    raise
