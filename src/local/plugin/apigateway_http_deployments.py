"""Stages of HTTP APIs with automatic deployment, descriptions of deployments, and exports.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-exports-specification.html
"""

import hashlib
import json
import os
import time

from ministack.services import apigateway as v2

import apigateway_http as http
from patching import wrap

AUTOMATIC = "Automatic deployment triggered by changes to the Api configuration"

# (account, region, API, deployment) → the API as deployed
automatic = {}
# (account, region, API, stage) → (the API, time of its change): waiting for deployment
pending = {}
delay = float(os.environ.get("SAM_SYNC_CLOUD_DEPLOY_DELAY") or 0)


def install():
    def deployed(original, api_id, *args):
        deploy_automatically(api_id)
        return original(api_id, *args)

    for operation in ("_get_stages", "_get_stage", "_get_deployments", "_get_deployment"):
        wrap(v2, operation)(deployed)

    @wrap(v2, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        parts = [part for part in path.strip("/").split("/") if part]
        if method == "PATCH" and parts[:2] == ["v2", "apis"] and parts[3:4] == ["deployments"] and len(parts) == 5:
            return update_deployment(parts[2], parts[4], json.loads(body or b"{}"))
        if method == "GET" and parts[:2] == ["v2", "apis"] and parts[3:4] == ["exports"]:
            return export_api(parts[2], query_params)
        answer = await original(method, path, headers, body, query_params)
        if method != "GET" and parts[:2] == ["v2", "apis"] and len(parts) > 2:
            deploy_automatically(parts[2])
        return answer

    @wrap(v2, "_handle_execute_in_scope")
    async def _handle_execute_in_scope(original, api_id, stage_name, *args):
        """Responds with the state before a change that the stage has not deployed."""
        deploy_automatically(api_id)
        stage = v2._stages.get(api_id, {}).get(stage_name) or {}
        snapshot = http.snapshots.get(scoped(api_id, stage.get("deploymentId")))
        if not stage.get("autoDeploy") or snapshot is None:
            return await original(api_id, stage_name, *args)
        token = http.of_automatic_stages.set(snapshot)
        try:
            return await original(api_id, stage_name, *args)
        finally:
            http.of_automatic_stages.reset(token)

    @wrap(v2, "reset")
    def reset(original):
        automatic.clear()
        pending.clear()
        return original()


def deploy_automatically(api_id):
    """Deploys pending changes before a request for the stages."""
    stages = [stage for stage in v2._stages.get(api_id, {}).values() if stage.get("autoDeploy")]
    if api_id not in v2._apis or not stages:
        return
    parts = [store.get(api_id, {}) for store in (v2._routes, v2._integrations, v2._authorizers)]
    state = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    for stage in stages:
        old = stage.get("deploymentId")
        place = scoped(api_id, stage["stageName"])
        if automatic.get(scoped(api_id, old)) == state:
            pending.pop(place, None)
            continue
        if old and delay:
            _state, since = pending.setdefault(place, (state, time.monotonic()))
            if time.monotonic() < since + delay:
                continue
        pending.pop(place, None)
        _status, _headers, body = v2._create_deployment(api_id, {"description": AUTOMATIC})
        deployment = json.loads(body)["deploymentId"]
        v2._deployments[api_id][deployment]["autoDeployed"] = True
        automatic[scoped(api_id, deployment)] = state
        stage["deploymentId"] = deployment
        stage["lastDeploymentStatusMessage"] = f"Successfully deployed stage with deployment ID '{deployment}'"
        if automatic.pop(scoped(api_id, old), None):
            v2._deployments[api_id].pop(old, None)


def update_deployment(api_id, deployment_id, data):
    deployment = v2._deployments.get(api_id, {}).get(deployment_id)
    if deployment is None:
        return v2._apigw_error("NotFoundException", f"Unable to find Deployment by ID {deployment_id} and API ID {api_id}", 404)
    if "description" in data:
        deployment["description"] = data["description"]
    return v2._apigw_response(deployment)


def export_api(api_id, query):
    """Exports the API or a stage: routes with their integrations, which an import can restore."""
    if api_id not in v2._apis:
        return v2._api_not_found(api_id)
    stores = {name: store.get(api_id, {}) for name, store in (("routes", v2._routes), ("integrations", v2._integrations))}
    stage_name = first(query.get("stageName"))
    if stage_name:
        deploy_automatically(api_id)
        stage = v2._stages.get(api_id, {}).get(stage_name)
        if stage is None:
            return v2._apigw_error("NotFoundException", f"Stage '{stage_name}' not found", 404)
        snapshot = http.snapshots.get(scoped(api_id, stage.get("deploymentId")), {})
        stores = {
            "routes": snapshot.get((id(v2._routes), api_id), {}),
            "integrations": snapshot.get((id(v2._integrations), api_id), {}),
        }
    paths = {}
    for route in stores["routes"].values():
        method, _, path = route["routeKey"].rpartition(" ")
        integration = stores["integrations"].get(str(route.get("target", "")).rpartition("/")[2], {})
        shown = {key: value for key, value in integration.items() if key not in ("integrationId", "apiId")}
        paths.setdefault(path, {})[method.lower() or "x-amazon-apigateway-any-method"] = {
            "x-amazon-apigateway-integration": shown
        }
    api = v2._apis[api_id]
    info = {"title": api.get("name", ""), "version": api.get("version", "")}
    document = {"openapi": "3.0.1", "info": info, "paths": paths}
    return 200, {"Content-Type": "application/json"}, json.dumps(document, default=str).encode()


def first(value):
    return value[0] if isinstance(value, list) and value else value


def scoped(api_id, deployment_id):
    return (v2.get_account_id(), v2.get_region(), api_id, deployment_id)
