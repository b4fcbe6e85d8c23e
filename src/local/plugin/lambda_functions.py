"""AWS Lambda: https://docs.aws.amazon.com/lambda/latest/api/ and the CloudFormation types AWS::Lambda::*."""

import copy
import os
import random
import re
import threading

from ministack.core.responses import error_response_json, new_uuid
from ministack.services import cloudwatch_logs, lambda_svc
from ministack.services.cloudformation import provisioners

from patching import wrap

NO_SUCH_KEY = (
    "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
    "S3 Error Message: The specified key does not exist."
)
# maximum size of a request: larger code goes through S3
MOST_BYTES = 70167211

LAYER_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:([A-Za-z0-9_-]+)$")


def install():
    """Adds state changes, versions as in Lambda, errors for missing S3 code, layers by ARN, and log streams."""
    state_delay(os.environ.get("SAM_SYNC_CLOUD_STATE_DELAY"))
    updates()
    versions()
    code_from_s3()
    layer_names()
    log_streams()


def state_delay(setting):
    """Sets how long a function stays Pending or InProgress: seconds, or a range (`0-5`), another value after each change."""
    if not setting:
        return
    least, _, most = setting.partition("-")

    @wrap(lambda_svc, "_schedule_state_transition")
    def _schedule_state_transition(original, name, _delay):
        return original(name, random.uniform(float(least), float(most or least)))


def log_streams():
    """Puts the function's name into its log streams in a custom log group, which several functions can share.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """

    one_at_a_time = threading.Lock()

    @wrap(lambda_svc, "_emit_lambda_logs")
    def _emit_lambda_logs(original, func, *args, **kwargs):
        config = func.get("config") or func
        name = config.get("FunctionName", "")
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        if not group or group == f"/aws/lambda/{name}":
            return original(func, *args, **kwargs)
        with one_at_a_time:
            original(func, *args, **kwargs)
            streams = cloudwatch_logs._log_groups.get(group, {}).get("streams", {})
            for stream in [stream for stream in streams if re.match(r"\d{4}/\d\d/\d\d/\[", stream)]:
                streams[stream.replace("/[", f"/{name}[", 1)] = streams.pop(stream)


def updates():
    """Keeps a function Active during an update and rejects a second update; limits the size of requests.

    The states: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """

    @wrap(lambda_svc, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        if method in ("POST", "PUT") and len(body or b"") > MOST_BYTES:
            message = f"Request must be smaller than {MOST_BYTES} bytes for this operation"
            return error_response_json("RequestEntityTooLargeException", message, 413)
        function = re.search(r"/functions/([^/]+)", path)
        if function:
            complete_revision(lambda_svc._resolve_request_scoped_name(lambda_svc.unquote(function[1])))
        change = re.search(r"/functions/([^/]+)/(code|configuration|versions)$", path)
        if change and (method, change[2]) in (("PUT", "code"), ("PUT", "configuration"), ("POST", "versions")):
            name = lambda_svc._resolve_request_scoped_name(lambda_svc.unquote(change[1]))
            config = lambda_svc._functions.get(name, {}).get("config", {})
            if config.get("LastUpdateStatus") == "InProgress":
                return error_response_json(
                    "ResourceConflictException",
                    "The operation cannot be performed at this time. An update is in progress for resource: "
                    + config["FunctionArn"],
                    409,
                )
        return await original(method, path, headers, body, query_params)

    def stay_active(original, name, data):
        answer = original(name, data)
        config = lambda_svc._functions.get(name, {}).get("config", {})
        if answer[0] < 400 and config.get("StateReasonCode") == "Updating":
            lambda_svc._functions[name]["next_revision"] = new_uuid()
            config.update(State="Active", StateReason="", StateReasonCode="")
            complete_revision(name)
            return lambda_svc.json_response({**config, "Version": answered_version(answer)})
        return answer

    @wrap(lambda_svc, "_update_code")
    def _update_code(original, name, data):
        if data.get("DryRun") and name in lambda_svc._functions:
            before = copy.deepcopy({key: lambda_svc._functions[name][key] for key in ("config", "code_zip")})
            answer = original(name, {**data, "Publish": False})
            lambda_svc._functions[name].update(before)
            return answer
        return stay_active(original, name, data)

    wrap(lambda_svc, "_update_config")(stay_active)

    @wrap(provisioners, "_lambda_update")
    def _lambda_update(original, physical_id, old, new, *args):
        """Completes the resource in CloudFormation when the function is ready."""
        if old.get("Code") != new.get("Code"):
            refuse_missing_code(new)
        name, attributes = original(physical_id, old, new, *args)
        function = lambda_svc._functions.get(name)
        note_storage(name, new)
        note_settings(name, new)
        if function:
            function["config"].update(State="Active", LastUpdateStatus="Successful")
        return name, attributes


def complete_revision(name):
    """Gives a function another revision when its update is complete: https://github.com/aws/aws-sdk/issues/377"""
    function = lambda_svc._functions.get(name, {})
    if "next_revision" in function and function["config"].get("LastUpdateStatus") != "InProgress":
        function["config"]["RevisionId"] = function.pop("next_revision")


def versions():
    """Publishes a version only if code or configuration differ from the last one, whatever updates were sent meanwhile.

    CloudFormation then reports that a version exists:
    https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html, https://github.com/aws/aws-cdk/issues/35540
    """

    @wrap(lambda_svc, "_publish_version")
    def _publish_version(original, name, data):
        function = lambda_svc._functions.get(name)
        note_unchanged(function)
        answer = original(name, data)
        if function and answer[0] < 400:
            published = function["versions"][answered_version(answer)]
            published.setdefault("published_from", versioned_content(function))
        return answer

    @wrap(provisioners, "_lambda_version_create")
    def _lambda_version_create(original, logical_id, props, stack_name):
        note_unchanged(provisioners._lambda_version_function(props)[0])
        return original(logical_id, props, stack_name)


def note_unchanged(function):
    """MiniStack compares revisions, which also change with an update that sends what the function has."""
    latest = max(function["versions"], key=int, default=None) if function else None
    if latest and function["versions"][latest].get("published_from") == versioned_content(function):
        function["versions"][latest]["function_revision"] = function["config"]["RevisionId"]


def versioned_content(function):
    """What a version is a copy of."""
    of_update = re.compile(r"State|LastUpdateStatus|RevisionId$|LastModified$|Version$")
    config = {key: value for key, value in function["config"].items() if not of_update.match(key)}
    return copy.deepcopy(config)


def answered_version(answer):
    return lambda_svc.json.loads(answer[2]).get("Version", "$LATEST")


def code_from_s3():
    """Reads code and layers, including object versions, from S3 at the time of the request."""

    @wrap(provisioners, "_lambda_create")
    def _lambda_create(original, logical_id, props, stack_name):
        refuse_missing_code(props)
        result = original(logical_id, props, stack_name)
        note_storage(result[0], props)
        note_settings(result[0], props)
        return result

    @wrap(provisioners, "_lambda_layer_create")
    def _lambda_layer_create(original, logical_id, props, stack_name):
        refuse_missing_code(props)
        result = original(logical_id, props, stack_name)
        content = props.get("Content") or {}
        if content.get("S3ObjectVersion"):
            name, number = result[0].split(":")[-2:]
            version = next(v for v in lambda_svc._layers[name]["versions"] if v["Version"] == int(number))
            put_content(version, content_of(content))
        return result

    def refuse_missing(original, *args):
        code = args[-1].get("Content") or args[-1].get("Code") or args[-1]
        if code.get("S3Bucket") and content_of(code) is None:
            return error_response_json("InvalidParameterValueException", NO_SUCH_KEY, 400)
        return original(*args)

    for operation in ("_create_function", "_update_code", "_publish_layer_version"):
        wrap(lambda_svc, operation)(refuse_missing)


def refuse_missing_code(props):
    """Returns CloudFormation's reason for a function or layer whose object is missing in the bucket."""
    code = props.get("Code") or props.get("Content") or {}
    if code.get("S3Bucket") and content_of(code) is None:
        raise provisioners._sfn_handler_error(provisioners._sdk_error(NO_SUCH_KEY, "Lambda", 400))


def note_storage(name, props):
    """`S3ObjectStorageMode`, which CloudFormation passes on with the place of the code."""
    function = lambda_svc._functions.get(name)
    code = props.get("Code") or {}
    if function and code.get("S3Bucket"):
        place = ("S3Bucket", "S3Key", "S3ObjectVersion")
        function["s3_object_storage_mode"] = code.get("S3ObjectStorageMode")
        function["s3_object_ref"] = {key: code[key] for key in place if code.get(key)}


def note_settings(name, props):
    """Settings that CloudFormation passes on, with the service's values where a template has none."""
    function = lambda_svc._functions.get(name)
    if not function:
        return
    reserved = props.get("ReservedConcurrentExecutions")
    function["concurrency"] = None if reserved is None else int(reserved)
    config = function["config"]
    config["DeadLetterConfig"] = props.get("DeadLetterConfig") or {}
    config["FileSystemConfigs"] = props.get("FileSystemConfigs") or []
    config["KMSKeyArn"] = props.get("KmsKeyArn") or ""
    config["VpcConfig"] = lambda_svc._vpc_config_with_id(props.get("VpcConfig"))


def content_of(code):
    return lambda_svc._fetch_code_from_s3(code["S3Bucket"], code.get("S3Key", ""), code.get("S3ObjectVersion"))


def put_content(version, data):
    digest = lambda_svc.hashlib.sha256(data).digest()
    version["_zip_data"] = data
    version["Content"].update(CodeSize=len(data), CodeSha256=lambda_svc.base64.b64encode(digest).decode())


def layer_names():
    """Accepts a name or an ARN as `LayerName` in every operation of layers."""

    def by_name(original, layer_name, *args, **kwargs):
        arn = LAYER_ARN.match(layer_name)
        return original(arn[1] if arn else layer_name, *args, **kwargs)

    for operation in ("_publish_layer_version", "_list_layer_versions", "_delete_layer_version", "_get_layer_version"):
        wrap(lambda_svc, operation)(by_name)
