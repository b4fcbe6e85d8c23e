"""What src/local/cloud.ts asks of the running process, and who may ask at all.

MiniStack runs code that it is given and answers any web page (`Access-Control-Allow-Origin: *`). So that a page that a
developer looks at cannot reach it, requests that a browser marks as coming from another site are refused.
"""

import json
import os
import signal
import threading
from urllib.parse import urlsplit

import ministack.app

HEALTH = "/_sam-sync/health"
STOP = "/_sam-sync/stop"


def guard():
    """MiniStack's application behind the check of who asks, with our own two paths."""
    emulator = ministack.app.app

    async def app(scope, receive, send):
        if scope["type"] in ("http", "websocket"):
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            if is_foreign(headers, scope["path"]):
                return await refuse(scope, send)
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


def is_foreign(headers, path):
    if ministack.app._parse_execute_api_url(headers.get("host", ""), path):
        # a deployed API says itself which origins it answers
        return False
    origin = headers.get("origin")
    if origin is not None:
        host = urlsplit(origin).hostname or ""
        return host not in ("localhost", "127.0.0.1", "::1") and not host.endswith(".localhost")
    return headers.get("sec-fetch-site") == "cross-site"


async def refuse(scope, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(send, 403, {"message": "The local cloud answers no pages of other sites."})


async def answer(send, status, document):
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
