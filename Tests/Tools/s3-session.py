"""An S3 server with a user and a bucket, behind a proxy that makes trouble.

Usage: s3-session.py {moto|localbucket} [CERTIFICATE KEY] (of a proxy that speaks TLS), by the Python of scripts/s3-servers.sh's environment
Prints a line of JSON: port (of the proxy), direct (of the server), bucket, access_key, secret_key. Then, for each line on
standard input, a line of JSON:
  trouble SEED RATE KIND,KIND,…   of the requests from now on so many, by chance: cut (while the request comes in),
                                  cutback (while the response goes out), delay, 500, 503, slowdown, badend (200 with
                                  an error in its body, for the end of an object), lost (the response of a request that arrived)
  always KIND METHOD QUERY N      the next N requests of that method whose query has that text
  object KEY                      size, SHA-256 and headers of what is there
  uploads KEY                     how many uploads of it were begun and not ended, and how many parts they have
  counts                          how many requests came, and how often each trouble was made
"""
import hashlib
import http.client
import json
import os
import random
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time

BUCKET = "penstock-test"
localbucket_folder = None
ERROR = "<?xml version=\"1.0\"?><Error><Code>{0}</Code><Message>made {0}</Message></Error>"


def start_moto():
    # Each request is signed but for the four that make the user and the bucket.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"
    os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "1"
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server._server.server_port
    url = f"http://127.0.0.1:{port}"
    first = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1", "endpoint_url": url}
    iam = boto3.client("iam", **first)
    iam.create_user(UserName="penstock")
    key = iam.create_access_key(UserName="penstock")["AccessKey"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="penstock", PolicyName="all", PolicyDocument=json.dumps(policy))
    boto3.client("s3", **first).create_bucket(Bucket=BUCKET)
    return port, key["AccessKeyId"], key["SecretAccessKey"]


def start_localbucket():
    import subprocess

    folder = tempfile.mkdtemp(prefix="penstock-localbucket-")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.makedirs(os.path.join(folder, BUCKET))
    global localbucket_folder
    localbucket_folder = folder
    module = [sys.executable, "-m", "localbucket", folder, "--port", str(port)]
    child = subprocess.Popen(module, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    import atexit
    import shutil

    atexit.register(lambda: (child.kill(), child.wait(), shutil.rmtree(folder, ignore_errors=True)))
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    return port, "any", "anysecret"


class Trouble:
    def __init__(self):
        self.lock = threading.Lock()
        self.dice, self.rate, self.kinds, self.always = random.Random(0), 0, [], None
        self.counts = {"requests": 0}

    def choose(self, method, query):
        with self.lock:
            self.counts["requests"] += 1
            kind = None
            if self.always and self.always[3] > 0 and method == self.always[1] and self.always[2] in query:
                self.always[3] -= 1
                kind = self.always[0]
            elif self.dice.random() < self.rate:
                kind = self.dice.choice(self.kinds)
            if kind == "badend" and not (method == "POST" and "uploadId" in query):
                kind = None
            if kind:
                self.counts[kind] = self.counts.get(kind, 0) + 1
            return kind, self.dice.random()


trouble = Trouble()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def proxy_one(client, stream, port):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return False
        head += line
    lines = head.decode("latin1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = [tuple(line.split(": ", 1)) if ": " in line else (line.split(":")[0], "") for line in lines[1:] if line]
    length = int(next((v for n, v in headers if n.lower() == "content-length"), 0))
    kind, chance = trouble.choose(method, target.partition("?")[2])
    if any(n.lower() == "expect" for n, _ in headers):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if kind == "cut":
        stream.read(int(length * chance))
        reset(client)
        return False
    body = stream.read(length)
    if len(body) < length:
        return False
    if kind == "delay":
        time.sleep(chance * 0.3)
    if kind in ("500", "503", "slowdown", "badend"):
        code = {"500": "InternalError", "503": "ServiceUnavailable", "slowdown": "SlowDown", "badend": "InternalError"}[kind]
        said = ERROR.format(code).encode()
        status = {"500": 500, "503": 503, "slowdown": 503, "badend": 200}[kind]
        client.sendall(f"HTTP/1.1 {status} x\r\nContent-Type: application/xml\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)
        return True
    upstream = http.client.HTTPConnection("127.0.0.1", port)
    upstream.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        if name.lower() not in ("expect", "connection"):
            upstream.putheader(name, value)
    upstream.endheaders(body)
    response = upstream.getresponse()
    said = response.read()
    upstream.close()
    if kind == "lost":
        return False
    passed = [(n, v) for n, v in response.getheaders() if n.lower() not in ("connection", "transfer-encoding", "content-length", "date")]
    size = len(said) if method != "HEAD" else int(response.getheader("Content-Length") or 0)
    answer = f"HTTP/1.1 {response.status} x\r\n" + "".join(f"{n}: {v}\r\n" for n, v in passed) + f"Content-Length: {size}\r\n\r\n"
    answer = answer.encode("latin1") + said
    if kind == "cutback":
        client.sendall(answer[:int(len(answer) * chance)])
        reset(client)
        return False
    client.sendall(answer)
    return True


def proxy(client, port):
    try:
        if tls:
            client = tls.wrap_socket(client, server_side=True)
        with client, client.makefile("rb") as stream:
            while proxy_one(client, stream, port):
                pass
    except (OSError, http.client.HTTPException):
        pass


def accept(server, port):
    while True:
        client, _ = server.accept()
        threading.Thread(target=proxy, args=(client, port), daemon=True).start()


kind, tls = sys.argv[1], None
if len(sys.argv) > 2:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[2], sys.argv[3])
port, access, secret = start_moto() if kind == "moto" else start_localbucket()
import boto3
from botocore.config import Config

s3 = boto3.client(
    "s3", aws_access_key_id=access, aws_secret_access_key=secret, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}",
    config=Config(s3={"addressing_style": "path"}))


def parts_of(upload):
    try:
        return len(s3.list_parts(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", []))
    except s3.exceptions.ClientError:
        # It was taken back meanwhile.
        return 0


def uploads(key):
    if localbucket_folder:
        place = os.path.join(localbucket_folder, ".localbucket-uploads")
        folders = [f for f in os.scandir(place) if f.is_dir()] if os.path.isdir(place) else []
        return {"uploads": len(folders), "parts": sum(name.isdigit() for f in folders for name in os.listdir(f))}
    begun = [u for u in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) if u["Key"] == key]
    parts = [parts_of(u) for u in begun]
    return {"uploads": len(begun), "parts": sum(parts)}


def found(key):
    try:
        response = s3.get_object(Bucket=BUCKET, Key=key)
    except s3.exceptions.ClientError as error:
        return {"missing": str(error)}
    data = response["Body"].read()
    fields = {n: response.get(n) for n in ("ContentType", "CacheControl", "StorageClass", "Metadata")}
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} | fields


server = socket.create_server(("127.0.0.1", 0), backlog=64)
threading.Thread(target=accept, args=(server, port), daemon=True).start()
print(json.dumps({"port": server.getsockname()[1], "direct": port, "bucket": BUCKET, "access_key": access, "secret_key": secret}), flush=True)
for line in sys.stdin:
    words = line.rstrip("\n").split(" ")
    said = {}
    if words[0] == "trouble":
        with trouble.lock:
            trouble.dice, trouble.rate, trouble.kinds = random.Random(int(words[1])), float(words[2]), words[3].split(",")
            trouble.always, trouble.counts = None, {"requests": 0}
    elif words[0] == "always":
        with trouble.lock:
            trouble.rate, trouble.always, trouble.counts = 0, [words[1], words[2], words[3], int(words[4])], {"requests": 0}
    elif words[0] == "object":
        said = found(line.rstrip("\n")[7:])
    elif words[0] == "uploads":
        said = uploads(line.rstrip("\n")[8:])
    elif words[0] == "counts":
        with trouble.lock:
            said = dict(trouble.counts)
    print(json.dumps(said), flush=True)
