"""REST APIs that call Step Functions without a function between: an `AWS` integration with `states:action/StartExecution`.

https://docs.aws.amazon.com/step-functions/latest/dg/tutorial-api-gateway.html
"""

import json
import re

from ministack.services import apigateway_v1 as v1
from ministack.services import stepfunctions

from patching import wrap


def install():
    """Adds the integration, which MiniStack takes for one with a function."""

    @wrap(v1, "_invoke_lambda_custom_v1")
    async def _invoke_lambda_custom_v1(original, integration, *args, **kwargs):
        service = v1._parse_service_integration_uri(integration.get("uri", ""))
        if service is None or service[1:3] != ("states", "action"):
            return await original(integration, *args, **kwargs)
        return await call_states(service[3], integration, *args, **kwargs)

    @wrap(v1, "_vtl_util")
    def _vtl_util(original, steps, state):
        if not steps or steps[0][0] != "escapeJavaScript" or steps[0][1] is None:
            return original(steps, state)
        (text,) = arguments(steps[0][1], state)[:1] or ("",)
        # as Java's StringEscapeUtils, on which SAM's own templates rely
        text = json.dumps(text)[1:-1].replace("'", "\\'").replace("/", "\\/")
        for name, words in steps[1:]:
            values = arguments(words or "", state)
            if name != "replaceAll" or len(values) != 2:
                return None
            text = re.sub(values[0], values[1].replace("\\", "\\\\"), text)
        return text


def arguments(words, state):
    return [v1._vtl_str(v1._vtl_value(word, state)) for word in v1._vtl_split_args(words)]


async def call_states(
    action, integration, _api_id, _stage_name, _stage, _resource, _path, _method, headers, body, query, path_params, **more
):
    text = body.decode("utf-8", "replace") if body else ""
    parameters = {name: value for name, value in (headers or {}).items() if isinstance(value, str)}
    parameters.update({name: values[0] if isinstance(values, list) else values for name, values in (query or {}).items()})
    parameters.update(path_params or {})
    authorizer = more.get("authorizer_context")
    context = {"authorizer": authorizer} if authorizer else {}
    template = template_for(integration, media_type(headers, "content-type"))
    request = text if template is None else v1._render_request_template_v1(template, text, parameters, context)
    target = {"x-amz-target": f"AWSStepFunctions.{action}"}
    status, _headers, answer = await stepfunctions.handle_request("POST", "/", target, request.encode(), {})
    answer = answer.decode() if isinstance(answer, bytes) else json.dumps(answer) if answer else ""
    accept = media_type(headers, "accept")
    return v1._service_integration_response(integration, status, answer, accept, parameters, context)


def template_for(integration, content_type):
    templates = {name.split(";")[0].strip().lower(): text for name, text in (integration.get("requestTemplates") or {}).items()}
    return templates.get(content_type)


def media_type(headers, name):
    return (v1._header_ci(headers, name) or "application/json").split(",")[0].split(";")[0].strip().lower()
