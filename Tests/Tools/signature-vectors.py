"""Made-up requests as botocore signs them, for Tests/UploadsTests/Vectors/signatures.json.

Usage: signature-vectors.py >Tests/UploadsTests/Vectors/signatures.json, with botocore of PyPI.
Nothing is sent: a request is taken from botocore once it is signed. The same every time, but for botocore's own version.
"""
import datetime
import json
import random
from urllib.parse import urlsplit

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

dice = random.Random(20261129)
moment = None
botocore.auth.get_current_datetime = lambda *_, **__: moment

ADDED = {"authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "host"}
PIECES = [
    "show", "seg ment", "a+b", "%41", "é", "e\u0301", "日本", "🎬", "~", "-._", "!*'()", "a=b&c", "@:,;", "[x]", "{y}", "$", "#", "?", '"q"',
    "a//b", "x" * 30, "1.ts", "master.m3u8", "|", "\\", "^`", "<t>",
]
VALUES = ["plain", "two  spaces", "tab\there", "a,b;c", "=?", "x" * 60, "0", "max-age=31536000, immutable", "(c) 2026"]


def text(length):
    return "".join(dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") for _ in range(length))


def key():
    # botocore takes a slash in front and "." between slashes as they are; Penstock refuses those.
    return dice.choice("abz") + "".join(dice.choice(["", "/", " ", "-"]) + dice.choice(PIECES) for _ in range(dice.randint(1, 4)))


def store():
    region = dice.choice(["us-east-1", "eu-central-1", "ap-south-2", "garage", "auto"])
    bucket = dice.choice(["archive", "my-bucket-1", "b.dotted.name", "0numbers0"])
    endpoint = dice.choice([None, "http://127.0.0.1:9000", "https://s3.example.com", "https://s3.example.com:8443", "http://[::1]:3900", "http://store"])
    path_style = True if endpoint is None and "." in bucket else dice.choice([True, False])
    if endpoint and ("127." in endpoint or "[" in endpoint or "." in bucket):
        path_style = True
    return {
        "endpoint": endpoint or f"https://s3.{region}.amazonaws.com", "bucket": bucket, "region": region, "path_style": path_style,
        "access_key": "AK" + text(18).replace("/", "0").replace("+", "1").upper(), "secret_key": text(40),
        "session_token": text(dice.choice([60, 200])) + "==" if dice.random() < 0.3 else None,
    }


def client(of):
    session = botocore.session.Session()
    config = Config(
        signature_version="s3v4", request_checksum_calculation="when_required",
        s3={"addressing_style": "path" if of["path_style"] else "virtual", "payload_signing_enabled": True})
    return session.create_client(
        "s3", region_name=of["region"], endpoint_url=of["endpoint"], aws_access_key_id=of["access_key"],
        aws_secret_access_key=of["secret_key"], aws_session_token=of["session_token"], config=config)


def call():
    """An operation and its parameters."""
    body = text(dice.randint(0, 40)).encode()
    fields = {"Metadata": {f"m{n}": dice.choice(VALUES) for n in range(dice.randint(0, 2))}}
    if dice.random() < 0.5:
        fields |= {"ContentType": dice.choice(["video/mp4", 'text/plain; charset="utf-8"']), "CacheControl": dice.choice(VALUES)}
    if dice.random() < 0.3:
        fields["StorageClass"] = "STANDARD_IA"
    upload = text(24)
    return dice.choice([
        ("put_object", {"Body": body} | fields),
        ("create_multipart_upload", fields),
        ("upload_part", {"Body": body, "PartNumber": dice.randint(1, 10000), "UploadId": upload}),
        ("complete_multipart_upload", {"UploadId": upload, "MultipartUpload": {"Parts": [{"ETag": '"x"', "PartNumber": 1}]}}),
        ("abort_multipart_upload", {"UploadId": upload}),
        ("list_parts", {"UploadId": upload, "MaxParts": 1}),
        ("delete_object", {}),
        ("head_object", {}),
    ])


def signed(of, name):
    """The request of an operation, as it would be sent."""
    sent = []
    s3 = client(of)
    s3.meta.events.register("before-send.s3", lambda request, **_: sent.append(request) or AWSResponse(request.url, 200, {}, None))
    operation, parameters = call()
    try:
        getattr(s3, operation)(Bucket=of["bucket"], Key=name, **parameters)
    except Exception:  # The response is none.
        if not sent:
            raise
    request = sent[0]
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
    covered = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    url = urlsplit(request.url)
    return {
        "method": request.method, "authority": url.netloc, "path": url.path, "query": url.query,
        "headers": [[k, headers[k]] for k in covered if k not in ADDED],
        "payload_hash": headers["x-amz-content-sha256"], "authorization": headers["authorization"],
    }


def presigned(of, name):
    expires = dice.choice([1, 60, 3600, 604800])
    url = urlsplit(client(of).generate_presigned_url("get_object", {"Bucket": of["bucket"], "Key": name}, expires))
    return {"authority": url.netloc, "path": url.path, "expires": expires, "presigned": url.query}


vectors = []
for number in range(200):
    moment = datetime.datetime(2015, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=dice.randrange(20 * 365 * 86400))
    of, name = store(), key()
    vectors.append({"date": moment.strftime("%Y%m%dT%H%M%SZ"), "store": of, "key": name} | (presigned if number % 4 == 0 else signed)(of, name))
print("[" + ",\n".join(json.dumps(v, separators=(",", ":"), ensure_ascii=False) for v in vectors) + "]")
