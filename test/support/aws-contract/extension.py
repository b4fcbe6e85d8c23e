"""Checks each request that reaches the local cloud of a test against AWS's service models, and notes what AWS would refuse.

The local cloud loads it (SAM_SYNC_CLOUD_EXTENSION, see src/local/plugin/start.py). Nothing is refused here: a problem is a line in
the file that AWS_CONTRACT_PROBLEMS names, and test/support/aws-contract.ts fails the test that was running. Operations are noted in
AWS_CONTRACT_OPERATIONS.
"""

import json
import os
import re
from urllib.parse import parse_qsl, unquote

from limits import check_limits
from operations import Models, model_name
from signature import check_checksums, check_signature, scope_of, unchunk
from values import check

SECRETS = {"test": "test"}


class Request:
    """A request as it arrived, and as the service model counts its parts."""

    def __init__(self, scope, body):
        self.method = scope["method"]
        self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        # a proxy of the tests in between has another host, and may have changed path or body
        self.headers["host"] = self.headers.pop("test-signed-host", self.headers.get("host", ""))
        self.is_changed = self.headers.pop("test-changed", None) is not None
        arrived = f"{(scope.get('raw_path') or scope['path'].encode()).decode().partition('?')[0]}?{scope['query_string'].decode()}"
        self.sent_path, _, self.sent_query = self.headers.pop("test-signed-path", arrived).partition("?")
        self.query = parse_qsl(self.sent_query, keep_blank_values=True)
        self.sent_body = body
        self.body, self.trailers = body, {}
        if "aws-chunked" in self.headers.get("content-encoding", ""):
            self.body, self.trailers = unchunk(body)
        self.service_path = self.sent_path

    def find_bucket(self):
        """S3's model begins each path with the bucket, which may be part of the host instead."""
        match = re.match(r"(?P<bucket>[^/]+?)\.s3[.-]", self.headers.get("host", ""))
        if match:
            self.service_path = f"/{match['bucket']}{self.sent_path}"


class Contract:
    """What AWS would say of requests."""

    def __init__(self, problems_file, operations_file):
        self._models = Models()
        self._problems_file = problems_file
        self._operations_file = operations_file

    def examine(self, request, scope):
        service = model_name(scope["service"], request.sent_path)
        if service is None:
            return
        problems = []
        problem = lambda where, what: problems.append(f"{where}: {what}")
        if service == "s3":
            request.find_bucket()
        name, shape, parameters = self._models.read(request, service, problem)
        operation = f"{service}:{name}"
        if name is None:
            problem("operation", f"{request.method} {unquote(request.sent_path)} is none of {service}")
        elif shape is not None:
            check(shape, parameters, "", problem)
            check_limits(operation, parameters, problem)
        if not request.is_changed:
            check_signature(request, scope, SECRETS.get(scope["key"], scope["key"]), problem)
            check_checksums(request, problem)
        agent = request.headers.get("user-agent", "")
        note(self._operations_file, {"operation": operation, "agent": agent})
        if problems:
            note(self._problems_file, {"operation": operation, "problems": problems, "agent": agent})


def note(file, entry):
    if file:
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")


def install(app):
    """The application with the check in front of it."""
    contract = Contract(os.environ.get("AWS_CONTRACT_PROBLEMS"), os.environ.get("AWS_CONTRACT_OPERATIONS"))

    async def checked(scope, receive, send):
        signed = scope["type"] == "http" and scope_of({n.decode().lower(): v.decode("latin-1") for n, v in scope["headers"]})
        if not signed:
            return await app(scope, receive, send)
        body = await read_body(receive)
        if body is None:  # the client went away
            return None
        try:
            contract.examine(Request(scope, body), signed)
        except Exception as error:  # a request that cannot be read is one that AWS would not take either
            note(os.environ.get("AWS_CONTRACT_PROBLEMS"), {"operation": scope["path"], "problems": [f"cannot be read: {error!r}"]})
        return await app(scope, replay(body, receive), send)

    return checked


async def read_body(receive):
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replay(body, receive):
    """`receive` from the beginning."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again():
        return next(messages, None) or await receive()

    return again
