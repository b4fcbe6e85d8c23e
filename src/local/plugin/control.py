"""Requests of src/local/cloud.ts to the running process, and access control.

MiniStack runs code that it is given and answers any web page (`Access-Control-Allow-Origin: *`). So that a page that a
developer looks at cannot reach it, two kinds of requests are refused: those that a browser marks as coming from another
site, and those that call this machine by a name that somebody else may have led here (DNS rebinding: the browser then
takes the page and the cloud for one site).
"""

import ipaddress
import json
import os
import signal
import threading
from urllib.parse import urlsplit

import ministack.app

# names that others cannot register: this machine, its names for containers, and AWS's own names, which select the API
NAMES = (
    "localhost",
    "host.docker.internal",
    "host.containers.internal",
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "on.aws",
    "cloudfront.net",
)

HEALTH = "/_sam-sync/health"
STOP = "/_sam-sync/stop"


def guard():
    """Wraps MiniStack's application with access control and our own two paths."""
    emulator = ministack.app.app

    async def app(scope, receive, send):
        if scope["type"] in ("http", "websocket"):
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            host = headers.get("host", "")
            if not is_known(host, scope["path"]):
                return await refuse(scope, send, f"The local cloud is called localhost or 127.0.0.1, not {host}.")
            if is_foreign(headers, scope["path"]):
                return await refuse(scope, send, "The local cloud answers no pages of other sites.")
            if scope["type"] == "http" and scope["path"] in (HEALTH, STOP):
                await answer(send, 200, health())
                if scope["path"] == STOP and scope["method"] == "POST":
                    threading.Timer(0.01, signal.raise_signal, [signal.SIGTERM]).start()
                return None
        return await emulator(scope, receive, send)

    return app


def health():
    return {
        "name": "sam-sync-cloud",
        "version": os.environ.get("SAM_SYNC_CLOUD_VERSION", ""),
        "log": os.environ.get("SAM_SYNC_CLOUD_LOG", ""),
        "pid": os.getpid(),
    }


def is_known(host, path):
    """Returns whether a Host header names this machine, AWS, or the domain of an API in this cloud."""
    if not host:
        # every browser sends it
        return True
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if any(name == known or name.endswith(f".{known}") for known in NAMES):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return ministack.app._resolve_custom_domain_request(name, path) is not None


def is_foreign(headers, path):
    host = headers.get("host", "")
    if ministack.app._parse_execute_api_url(host, path) or ministack.app._parse_lambda_url(host, path):
        # a deployed API or function URL defines its allowed origins itself
        return False
    origin = headers.get("origin")
    if origin is not None:
        host = urlsplit(origin).hostname or ""
        return host not in ("localhost", "127.0.0.1", "::1") and not host.endswith(".localhost")
    return headers.get("sec-fetch-site") == "cross-site"


async def refuse(scope, send, why):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(send, 403, {"message": why})


async def answer(send, status, document):
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
