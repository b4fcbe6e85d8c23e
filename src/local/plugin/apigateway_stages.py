"""API Gateway, settings of stages.

https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename.html
"""

import urllib.parse

from ministack.services import apigateway as v2
from ministack.services import apigateway_v1 as v1
from ministack.services.cloudformation import provisioners

import openapi
from patching import wrap


def install():
    """Adds what templates say of access logs and routes, and requests that remove a setting."""
    rest_stages()
    http_stages()
    http_requests()
    usage_plans()


def usage_plans():
    """Patches are text; a usage plan has numbers, and an API key a boolean."""

    @wrap(v1, "_update_usage_plan")
    def _update_usage_plan(original, plan_id, data):
        return original(plan_id, typed(data, {"limit": int, "offset": int, "burstLimit": int, "rateLimit": float}))

    @wrap(v1, "_update_api_key")
    def _update_api_key(original, key_id, data):
        return original(key_id, typed(data, {"enabled": to_bool}))


def typed(data, types):
    patches = data.get("patchOperations") or []
    return {"patchOperations": [{**one, "value": types.get(one["path"].split("/")[-1], str)(one["value"])} if "value" in one else one for one in patches]}


def rest_stages():
    @wrap(provisioners, "_apigw_stage_create")
    def _apigw_stage_create(original, logical_id, props, stack_name):
        result = original(logical_id, props, stack_name)
        set_access_logs(props)
        return result

    @wrap(provisioners, "_apigw_stage_update")
    def _apigw_stage_update(original, physical_id, old, new, stack_name):
        result = original(physical_id, old, new, stack_name)
        if old.get("AccessLogSetting") != new.get("AccessLogSetting"):
            set_access_logs(new)
        return result


def set_access_logs(props):
    stage = v1._stages_v1.get(props.get("RestApiId", ""), {}).get(props.get("StageName", ""))
    if stage is not None:
        stage["accessLogSettings"] = openapi.camel_case(props.get("AccessLogSetting") or {})
        stage["tracingEnabled"] = str(props.get("TracingEnabled", False)).lower() == "true"


def http_stages():
    @wrap(provisioners, "_apigw_v2_stage_props")
    def _apigw_v2_stage_props(original, props):
        routes = {key: route_settings(value) for key, value in (props.get("RouteSettings") or {}).items()}
        stage = original(props)
        return {
            **stage,
            "defaultRouteSettings": route_settings(props.get("DefaultRouteSettings")),
            "routeSettings": routes,
        }

    @wrap(provisioners, "_apigw_v2_stage_update")
    def _apigw_v2_stage_update(original, physical_id, old, new, stack_name, logical_id=None):
        result = original(physical_id, old, new, stack_name, logical_id)
        stage = v2._stages.get(new.get("ApiId", ""), {}).get(new.get("StageName", "$default"))
        if stage is not None:
            stage["stageVariables"] = dict(new.get("StageVariables") or {})
            stage["routeSettings"] = provisioners._apigw_v2_stage_props(new)["routeSettings"]
        return result

    @wrap(v2, "_update_stage")
    def _update_stage(original, api_id, stage_name, data):
        stage = v2._stages.get(api_id, {}).get(stage_name)
        if stage and "stageVariables" in data:
            # an empty value removes a variable
            variables = {**(stage.get("stageVariables") or {}), **data["stageVariables"]}
            data = {**data, "stageVariables": {name: value for name, value in variables.items() if value != ""}}
        if stage and "routeSettings" in data:
            known = {route["routeKey"] for route in v2._routes.get(api_id, {}).values()}
            for key in data["routeSettings"]:
                if key not in known:
                    message = f"Unable to find Route by key {key} within the provided RouteSettings"
                    return v2._apigw_error("NotFoundException", message, 404)
            data = {**data, "routeSettings": {**(stage.get("routeSettings") or {}), **data["routeSettings"]}}
        return original(api_id, stage_name, data)


def route_settings(settings):
    """Converts names and types: a template may write numbers and booleans as text."""
    types = {"throttlingBurstLimit": int, "throttlingRateLimit": float, "detailedMetricsEnabled": to_bool, "dataTraceEnabled": to_bool}
    spelled = openapi.camel_case(settings or {})
    return {name: types.get(name, str)(value) for name, value in spelled.items()}


def to_bool(value):
    return str(value).lower() == "true"


def http_requests():
    """Adds DeleteAccessLogSettings and DeleteRouteSettings."""

    @wrap(v2, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/") if part]
        if method == "DELETE" and parts[:2] == ["v2", "apis"] and parts[3:4] == ["stages"] and len(parts) > 5:
            stage = v2._stages.get(parts[2], {}).get(parts[4])
            if stage is None:
                return v2._apigw_error("NotFoundException", "Invalid stage identifier specified", 404)
            if parts[5] == "accesslogsettings":
                stage.pop("accessLogSettings", None)
                return 204, {}, b""
            if parts[5] == "routesettings":
                stage.get("routeSettings", {}).pop("/".join(parts[6:]), None)
                return 204, {}, b""
        return await original(method, path, headers, body, query_params)
