"""Checks each request that reaches the local cloud of a test against AWS's service models, and notes what AWS would refuse.

The local cloud loads it (SAM_SYNC_CLOUD_EXTENSION, see src/local/plugin/start.py). Nothing is refused here: a problem is a line in
the file that AWS_CONTRACT_PROBLEMS names, and test/support/aws-contract.ts fails the test that was running. Operations are noted in
AWS_CONTRACT_OPERATIONS with the permissions that they need. A file that AWS_CONTRACT_POLICY names, once it is there, is an IAM
policy: what it does not allow is refused, as AWS does.
"""

import json
import os
import re
from urllib.parse import parse_qsl, unquote

from limits import check_limits
from operations import Models, model_name
from permissions import denial, find_denied, needed
from signature import check_checksums, check_signature, scope_of, unchunk
from values import check

SECRETS = {"test": "test"}
ALLOW_ALL = {"Statement": [{"Action": "*", "Resource": "*"}]}


class Request:
    """A request as it arrived, and as the service model counts its parts."""

    def __init__(self, scope, body):
        self.method = scope["method"]
        self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        # a proxy of the tests in between has another host, and may have changed path or body
        self.headers["host"] = self.headers.pop("test-signed-host", self.headers.get("host", ""))
        # for a client that was answered by a clock that is ahead
        self.clock_ahead = int(self.headers.pop("test-clock-ahead", "0"))
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

    def __init__(self, files):
        self._models = Models()
        self._problems_file = files.get("AWS_CONTRACT_PROBLEMS")
        self._operations_file = files.get("AWS_CONTRACT_OPERATIONS")
        self._policy_file = files.get("AWS_CONTRACT_POLICY")

    def examine(self, request, scope):
        """Notes what is wrong with a request. Returns the answer that refuses it if the policy does."""
        service = model_name(scope["service"], request.sent_path)
        if service is None:
            return None
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
            # tests of credentials use keys whose secrets only they know
            if scope["key"] in SECRETS:
                check_signature(request, scope, SECRETS[scope["key"]], problem)
            check_checksums(request, problem)
        agent = request.headers.get("user-agent", "")
        if problems:
            note(self._problems_file, {"operation": operation, "problems": problems, "agent": agent})
        if name is None:
            return None
        actions = needed(operation, parameters, request, scope["region"])
        note(self._operations_file, {"operation": operation, "actions": actions, "agent": agent})
        denied = find_denied(self._policy(), actions)
        return denied and denial(service, self._models.protocol(service), denied)

    def _policy(self):
        try:
            with open(self._policy_file or "", encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return ALLOW_ALL


def note(file, entry):
    if file:
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")


def install(app):
    """The application with the check in front of it."""
    contract = Contract(os.environ)

    async def checked(scope, receive, send):
        signed = scope["type"] == "http" and scope_of({n.decode().lower(): v.decode("latin-1") for n, v in scope["headers"]})
        if not signed:
            return await app(scope, receive, send)
        body = await read_body(receive)
        if body is None:  # the client went away
            return None
        refusal = None
        try:
            refusal = contract.examine(Request(scope, body), signed)
        except Exception as error:  # a request that cannot be read is one that AWS would not take either
            note(os.environ.get("AWS_CONTRACT_PROBLEMS"), {"operation": scope["path"], "problems": [f"cannot be read: {error!r}"]})
        if refusal:
            return await answer(send, *refusal)
        return await app(scope, replay(body, receive), send)

    return checked


async def answer(send, status, headers, body):
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


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
