"""Stages of HTTP APIs that deploy by themselves, and descriptions of deployments.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments-deploymentid.html
"""

import hashlib
import json

from ministack.services import apigateway as v2

from patching import wrap

AUTOMATIC = "Automatic deployment triggered by changes to the Api configuration"

# (account, region, API, deployment) → what the API was when it was deployed
automatic = {}


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
        return await original(method, path, headers, body, query_params)

    @wrap(v2, "reset")
    def reset(original):
        automatic.clear()
        return original()


def deploy_automatically(api_id):
    """Whoever looks at the stages sees that they have deployed what was changed since."""
    stages = [stage for stage in v2._stages.get(api_id, {}).values() if stage.get("autoDeploy")]
    if api_id not in v2._apis or not stages:
        return
    parts = [store.get(api_id, {}) for store in (v2._routes, v2._integrations, v2._authorizers)]
    state = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    for stage in stages:
        old = stage.get("deploymentId")
        if automatic.get(scoped(api_id, old)) == state:
            continue
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


def scoped(api_id, deployment_id):
    return (v2.get_account_id(), v2.get_region(), api_id, deployment_id)
