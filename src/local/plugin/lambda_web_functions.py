"""Web Functions, their revisions and endpoints, in CloudFormation and in the API; nothing serves them.

https://docs.aws.amazon.com/lambda/latest/dg/web-functions-revisions.html and .../web-functions-deployment.html
"""

import hashlib
import json
import os
import random
import re
import time
from datetime import datetime, timezone
from urllib.parse import unquote

from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

import lambda_functions
from patching import wrap

API = "/2025-03-07/web-functions/"
# ARN of a Web Function -> its revisions by ID, oldest first, and its endpoints by name
REVISIONS = {}
ENDPOINTS = {}
MOST_REVISIONS = 100


class Refused(Exception):
    """An error answer of the API."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def install():
    provisioners._RESOURCE_HANDLERS.update(
        {
            "AWS::Lambda::WebFunction": {"create": create_function, "update": update_function, "delete": delete_function},
            # any change of code or settings creates a revision
            "AWS::Lambda::WebFunctionRevision": {"create": create_stack_revision, "delete": delete_stack_revision},
            "AWS::Lambda::WebFunctionEndpoint": {
                "create": create_stack_endpoint,
                "update": update_stack_endpoint,
                "delete": delete_stack_endpoint,
            },
        }
    )

    @wrap(lambda_svc, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        if not path.startswith(API):
            return await original(method, path, headers, body, query_params)
        try:
            status, answer = handle(method, path.removeprefix(API).split("/"), json.loads(body or b"{}"))
        except Refused as refusal:
            return error_response_json(refusal.code, str(refusal), refusal.status)
        text = b"" if answer is None else json.dumps(answer).encode()
        return status, {"Content-Type": "application/json"}, text

    @wrap(lambda_svc, "reset")
    def reset(original):
        REVISIONS.clear()
        ENDPOINTS.clear()
        return original()


def handle(method, parts, data):
    """The operations that sam-sync calls; all others are refused."""
    function, *rest = [unquote(part) for part in parts]
    arn = arn_of(function)
    if arn not in REVISIONS:
        raise Refused(404, "ResourceNotFoundException", f"Web function not found: {function}")
    match method, rest:
        case "POST", ["revisions"]:
            return 202, shown(add_revision(arn, data, settles_in()), SUMMARY + CONFIG)
        case "POST", ["list-revisions"]:
            return 200, list_revisions(arn, data)
        case "GET", ["revisions", revision]:
            return 200, shown(revision_of(arn, revision), SUMMARY + CONFIG)
        case "DELETE", ["revisions", revision]:
            return delete_revision(arn, revision)
        case "GET", ["endpoints", name]:
            return 200, shown_endpoint(endpoint_of(arn, name))
        case "PATCH", ["endpoints", name]:
            return 202, change_endpoint(endpoint_of(arn, name), data)
    raise Refused(404, "ResourceNotFoundException", f"The local cloud has no {method} {'/'.join(rest)} of Web Functions")


# ---- revisions

SUMMARY = ("functionArn", "revisionArn", "revisionId", "description", "state", "stateReason", "createdAt")
CONFIG = ("kmsKeyArn", "buildConfig", "serviceConfig", "errors")


def add_revision(arn, data, delay):
    require(data, "buildConfig", "serviceConfig")
    if len(REVISIONS[arn]) >= MOST_REVISIONS:
        raise Refused(402, "ServiceQuotaExceededException", f"A web function has at most {MOST_REVISIONS} revisions")
    errors = []
    if lambda_functions.content_of(code_of(data)["Code"]) is None:
        message = "The object of the code does not exist"
        errors = [{"attribute": "buildConfig.codeConfig.s3Object", "errorCode": "CodeNotFound", "errorMessage": message}]
    service = {"timeoutSeconds": 30, "maxConcurrencyPerEnvironment": 64, **data["serviceConfig"]}
    revision = {
        "functionArn": arn,
        "revisionId": new_uuid(),
        "createdAt": now(),
        "buildConfig": data["buildConfig"],
        "serviceConfig": service,
        "readyAt": time.time() + delay,
        "failed": errors,
        **{name: data[name] for name in ("description", "kmsKeyArn") if data.get(name) is not None},
    }
    revision["revisionArn"] = f"{arn}/revision/{revision['revisionId']}"
    REVISIONS[arn][revision["revisionId"]] = revision
    for endpoint in ENDPOINTS[arn].values():
        if endpoint["autoDeploymentMode"] == "LatestRevision" and not errors:
            endpoint["revisionWeights"] = [{"revisionId": revision["revisionId"], "weight": 100}]
    return revision


def code_of(data):
    """The place of the code in the names of Lambda functions."""
    place = data["buildConfig"]["codeConfig"]["s3Object"]
    return {"Code": {"S3Bucket": place["bucket"], "S3Key": place["key"], "S3ObjectVersion": place.get("versionId")}}


def shown(revision, names):
    state = "Pending" if time.time() < revision["readyAt"] else "Failed" if revision["failed"] else "Active"
    whole = {**revision, "state": state, "stateReason": ""}
    if state == "Failed":
        whole.update(stateReason="The revision could not be created", errors=revision["failed"])
    return {name: whole[name] for name in names if name in whole}


def list_revisions(arn, data):
    listed = list(REVISIONS[arn].values())[::-1]
    size, start = data.get("maxResults", 50), int(data.get("nextToken", "0")[-12:], 16)
    page = {"revisions": [shown(one, SUMMARY) for one in listed[start : start + size]]}
    if start + size < len(listed):
        page["nextToken"] = f"00000000-0000-0000-0000-{start + size:012x}"
    return page


def found_in(things, kind, name):
    """The thing with this name or ARN."""
    found = things.get(name.rpartition("/")[2])
    if found is None:
        raise Refused(404, "ResourceNotFoundException", f"{kind} not found: {name}")
    return found


def revision_of(arn, revision):
    return found_in(REVISIONS[arn], "Revision", revision)


def delete_revision(arn, revision):
    revision_id = revision_of(arn, revision)["revisionId"]
    weights = [weight for endpoint in ENDPOINTS[arn].values() for weight in endpoint["revisionWeights"]]
    if any(weight["revisionId"] == revision_id for weight in weights):
        raise Refused(409, "ConflictException", f"Revision {revision_id} is serving traffic on an endpoint")
    del REVISIONS[arn][revision_id]
    return 204, None


# ---- endpoints


def endpoint_of(arn, name):
    return found_in(ENDPOINTS[arn], "Endpoint", name)


def change_endpoint(endpoint, data):
    if time.time() < endpoint["readyAt"]:
        raise Refused(409, "ConflictException", "The endpoint is being updated by another request")
    weights = data.get("revisionWeights")
    if weights is not None:
        check_weights(endpoint, weights)
    # an empty object clears these two
    changes = {name: value for name, value in data.items() if name in CHANGEABLE}
    endpoint.update(changes, updatedAt=now(), readyAt=time.time() + settles_in(), isUpdated=True)
    return shown_endpoint(endpoint)


CHANGEABLE = ("description", "authType", "autoDeploymentMode", "revisionWeights", "scalingConfig", "throttleConfig")


def check_weights(endpoint, weights):
    if endpoint["autoDeploymentMode"] == "LatestRevision":
        raise Refused(400, "ValidationException", "revisionWeights cannot be set in mode LatestRevision")
    if not 1 <= len(weights) <= 2 or sum(weight["weight"] for weight in weights) != 100:
        raise Refused(400, "ValidationException", "revisionWeights must be one or two weights that add up to 100")
    for weight in weights:
        revision = revision_of(endpoint["functionArn"], weight["revisionId"])
        if shown(revision, ("state",))["state"] != "Active":
            raise Refused(400, "ValidationException", f"Revision {revision['revisionId']} is not Active")


def shown_endpoint(endpoint):
    answer = {name: value for name, value in endpoint.items() if name not in ("readyAt", "isUpdated") and value not in (None, {})}
    if endpoint["isUpdated"]:
        answer["updateStatus"] = "InProgress" if time.time() < endpoint["readyAt"] else "Successful"
    return answer


# ---- CloudFormation


def create_function(_logical_id, props, _stack_name):
    arn = arn_of(props["FunctionName"])
    REVISIONS.setdefault(arn, {})
    ENDPOINTS.setdefault(arn, {})
    return arn, {"FunctionArn": arn}


def update_function(_physical_id, _old, new, stack_name):
    return create_function(None, new, stack_name)


def delete_function(physical_id, _props):
    REVISIONS.pop(physical_id, None)
    ENDPOINTS.pop(physical_id, None)


def create_stack_revision(_logical_id, props, _stack_name):
    data = in_names_of_api(props)
    lambda_functions.refuse_missing_code(code_of(data))
    revision = add_revision(arn_of(props["FunctionName"]), data, 0)
    return revision["revisionArn"], {"RevisionId": revision["revisionId"]}


def delete_stack_revision(physical_id, _props):
    arn, _, revision = physical_id.partition("/revision/")
    REVISIONS.get(arn, {}).pop(revision, None)


def create_stack_endpoint(_logical_id, props, _stack_name):
    arn, name = arn_of(props["FunctionName"]), props["EndpointName"]
    label = hashlib.sha256(arn.encode()).hexdigest()[:12]
    domain = f"{name}-{label}.lambda-web.{get_region()}.on.aws"
    ENDPOINTS[arn][name] = {
        "functionArn": arn,
        "endpointArn": f"{arn}/endpoint/{name}",
        "endpointName": name,
        "domainName": domain,
        "autoDeploymentMode": "Disabled",
        "regions": [get_region()],
        "regionalEndpoints": {},
        "state": "Active",
        "stateReason": "",
        "createdAt": now(),
        "updatedAt": now(),
        "readyAt": 0,
        "isUpdated": False,
        **in_names_of_api({key: value for key, value in props.items() if key not in ("FunctionName", "EndpointName")}),
    }
    return f"{arn}/endpoint/{name}", {"DomainName": domain}


def update_stack_endpoint(physical_id, _old, new, _stack_name):
    arn, name = arn_of(new["FunctionName"]), new["EndpointName"]
    try:
        change_endpoint(endpoint_of(arn, name), in_names_of_api(new))
    except Refused as refusal:
        raise ValueError(str(refusal)) from refusal
    return physical_id, {"DomainName": ENDPOINTS[arn][name]["domainName"]}


def delete_stack_endpoint(physical_id, _props):
    arn, _, name = physical_id.partition("/endpoint/")
    ENDPOINTS.get(arn, {}).pop(name, None)


def in_names_of_api(value, path=()):
    """Properties by the names of the API; names of variables stay."""
    if isinstance(value, list):
        return [in_names_of_api(item, path) for item in value]
    if not isinstance(value, dict) or path[-1:] == ("environmentVariables",):
        return value
    named = ((re.sub(r"^\w", lambda first: first[0].lower(), name), item) for name, item in value.items() if name != "FunctionName")
    return {name: number(name, in_names_of_api(item, (*path, name))) for name, item in named}


def number(name, value):
    is_number = name in ("weight", "timeoutSeconds", "maxConcurrencyPerEnvironment", "maxEnvironments", "rateLimit")
    return int(value) if is_number and value is not None else value


def require(data, *names):
    for name in names:
        if data.get(name) is None:
            raise Refused(400, "ValidationException", f"{name} is required")


def settles_in():
    """Seconds that a revision is Pending, or an endpoint's update InProgress."""
    least, _, most = (os.environ.get("SAM_SYNC_CLOUD_STATE_DELAY") or "0").partition("-")
    return random.uniform(float(least), float(most or least))


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def arn_of(function):
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:web-function/{function.rpartition('/')[2]}"
