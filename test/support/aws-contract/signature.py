"""Computes a request's Signature Version 4 and checksums again, from the bytes that arrived.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import base64
import datetime
import hashlib
import hmac
import re
import time
import zlib
from urllib.parse import quote

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
MAX_CLOCK_SKEW = 300  # seconds; AWS refuses more

DIGESTS = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha1": lambda body: hashlib.sha1(body).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}


def scope_of(headers):
    """The credential scope of a signed request, else None."""
    match = AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
    return match.groupdict() if match else None


def check_signature(request, scope, secret, problem):
    date = request.headers.get("x-amz-date", "")
    check_clock(date, request.clock_ahead, problem)
    signed = scope["signed"].split(";")
    if signed != sorted(signed):
        problem("SignedHeaders", "are not sorted")
    for name in request.headers:
        if (name.startswith("x-amz-") or name in ("host", "content-md5")) and name not in signed:
            problem("SignedHeaders", f"{name} is not signed")
    body_hash = hashlib.sha256(request.sent_body).hexdigest()
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None and scope["service"] == "s3":
        problem("x-amz-content-sha256", "is missing")
    if declared is not None and re.fullmatch("[0-9a-f]{64}", declared) and declared != body_hash:
        problem("x-amz-content-sha256", "is not the hash of the body")
    canonical = "\n".join(
        (
            request.method,
            # S3 takes the path as it was sent; the other services encode it once more
            (request.sent_path if scope["service"] == "s3" else quote(request.sent_path, safe="/-_.~")) or "/",
            canonical_query(request.sent_query),
            "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed),
            scope["signed"],
            declared or body_hash,
        )
    )
    place = f"{scope['day']}/{scope['region']}/{scope['service']}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{place}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (scope["day"], scope["region"], scope["service"], "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if hmac.new(key, text.encode(), "sha256").hexdigest() != scope["signature"]:
        problem("Signature", "does not match")


def check_clock(date, ahead, problem):
    try:
        when = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        problem("x-amz-date", f"{date!r} is no date")
        return
    off = when - time.time() - ahead
    if abs(off) > MAX_CLOCK_SKEW:
        problem("x-amz-date", f"is {off:.0f} s off")


def canonical_query(query):
    pairs = (part.partition("=") for part in query.split("&") if part)
    return "&".join(sorted(f"{name}={value}" for name, _, value in pairs))


def unchunk(body):
    """Content and trailers of a body in aws-chunked encoding."""
    content, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        at = end + 2
        if size == 0:
            break
        content += body[at : at + size]
        at += size + 2
    lines = (line.partition(":") for line in body[at:].decode().split("\r\n") if ":" in line)
    return content, {name.lower(): value.strip() for name, _, value in lines}


def check_checksums(request, problem):
    announced = request.headers.get("x-amz-trailer", "").lower()
    if announced and announced not in request.trailers:
        problem("x-amz-trailer", f"{announced} was announced and not sent")
    for name, value in {**request.headers, **request.trailers}.items():
        digest = DIGESTS.get(name.removeprefix("x-amz-checksum-")) if name.startswith("x-amz-checksum-") else None
        if digest and base64.b64encode(digest(request.body)).decode() != value:
            problem(name, "is not the checksum of the body")
    md5 = request.headers.get("content-md5")
    if md5 is not None and base64.b64encode(hashlib.md5(request.body).digest()).decode() != md5:
        problem("content-md5", "is not the checksum of the body")
