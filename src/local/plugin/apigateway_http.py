"""API Gateway, HTTP APIs: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#ReimportApi"""

import contextvars
import copy
import json

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import apigateway as v2
from ministack.services.cloudformation import provisioners

import openapi
from patching import wrap


def install():
    """Adds imports of definitions, deployments as snapshots, and CORS settings from CloudFormation."""
    control_plane()
    resource_type()
    deployments()
    proxies()


def control_plane():
    @wrap(v2, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        parts = [part for part in path.strip("/").split("/") if part]
        if method == "PUT" and parts[:2] == ["v2", "apis"] and len(parts) <= 3:
            try:
                document = openapi.parse(json.loads(body or b"{}").get("body", ""))
                return import_api(document) if len(parts) == 2 else reimport_api(parts[2], document)
            except openapi.InvalidDefinition as error:
                return v2._apigw_error("BadRequestException", str(error), 400)
        return await original(method, path, headers, body, query_params)


def import_api(document):
    check(document)
    _status, _headers, body = v2._create_api({"protocolType": "HTTP"})
    return reimport_api(json.loads(body)["apiId"], document)


def reimport_api(api_id, document):
    if api_id not in v2._apis:
        return v2._api_not_found(api_id)
    check(document)
    # the tags become those of the definition
    api = v2._apis[api_id]
    api["tags"] = {name: value for name, value in (api.get("tags") or {}).items() if name.startswith("aws:")}
    import_document(api_id, document)
    return v2._apigw_response(v2._apis[api_id], 201)


def check(document):
    """Undoes all changes of a rejected document."""
    for path, method, operation in openapi.operations(document):
        openapi.integration_of(document, path, method, operation)


def import_document(api_id, document):
    """Replaces the API's routes, integrations and authorizers. Stages stay, and routes keep their IDs."""
    check(document)
    import_settings(v2._apis[api_id], document)
    known = {route["routeKey"]: route_id for route_id, route in v2._routes.get(api_id, {}).items()}
    v2._routes[api_id], v2._integrations[api_id], v2._authorizers[api_id] = {}, {}, {}
    authorizers = import_authorizers(api_id, document)
    for path, method, operation in openapi.operations(document):
        # SAM writes the path of the default route without a slash
        key = "$default" if path in ("/$default", "$default") else f"{method} {path}"
        security = operation.get("security", document.get("security"))
        data = {"routeKey": key, "operationName": operation.get("operationId", ""), **security_of(security, authorizers)}
        integration = openapi.integration_of(document, path, method, operation)
        if integration is not None:
            _status, _headers, body = v2._create_integration(api_id, integration_data(integration))
            data["target"] = f"integrations/{json.loads(body)['integrationId']}"
        _status, _headers, body = v2._create_route(api_id, data)
        new_id = json.loads(body)["routeId"]
        if key in known:
            route = v2._routes[api_id].pop(new_id)
            v2._routes[api_id][known[key]] = {**route, "routeId": known[key]}


def import_settings(api, document):
    info = document.get("info") or {}
    for field, value in (("name", info.get("title")), ("version", info.get("version"))):
        if value is not None:
            api[field] = str(value)
    if info.get("description") is not None:
        api["description"] = info["description"]
    cors = document.get("x-amazon-apigateway-cors")
    if cors:
        api["corsConfiguration"] = cors
    api["tags"] = {**(api.get("tags") or {}), **tags_of(document)}


def tags_of(document):
    value = "x-amazon-apigateway-tag-value"
    return {tag["name"]: tag[value] for tag in document.get("tags") or [] if value in tag}


def integration_data(integration):
    data = {
        "integrationType": str(integration.get("type", "")).upper(),
        "integrationUri": integration.get("uri") or "",
        "integrationMethod": integration.get("httpMethod", "POST"),
        "payloadFormatVersion": str(integration.get("payloadFormatVersion", "1.0")),
    }
    same = ("timeoutInMillis", "connectionId", "requestParameters", "responseParameters", "integrationSubtype")
    data.update({key: integration[key] for key in same if key in integration})
    if "connectionType" in integration:
        data["connectionType"] = str(integration["connectionType"]).upper()
    if "credentials" in integration:
        data["credentialsArn"] = integration["credentials"]
    return data


def import_authorizers(api_id, document):
    """Returns the route settings of each security scheme."""
    schemes = (document.get("components") or {}).get("securitySchemes") or document.get("securityDefinitions") or {}
    result = {}
    for name, scheme in schemes.items():
        extension = scheme.get("x-amazon-apigateway-authorizer")
        if not extension:
            if str(scheme.get("x-amazon-apigateway-authtype", "")).lower() == "awssigv4":
                result[name] = {"authorizationType": "AWS_IAM"}
            continue
        source = extension.get("identitySource", [])
        kind = str(extension.get("type", "")).upper()
        data = {
            **{key: value for key, value in extension.items() if key not in ("type", "identitySource")},
            "name": name,
            "authorizerType": kind,
            "identitySource": [s.strip() for s in source.split(",")] if isinstance(source, str) else source,
            "authorizerCredentialsArn": extension.get("authorizerCredentials", ""),
        }
        _status, _headers, body = v2._create_authorizer(api_id, data)
        route_type = "JWT" if kind == "JWT" else "CUSTOM"
        result[name] = {"authorizationType": route_type, "authorizerId": json.loads(body)["authorizerId"]}
    return result


def security_of(security, authorizers):
    for requirement in security or []:
        for name, scopes in requirement.items():
            if name in authorizers:
                return {**authorizers[name], **({"authorizationScopes": scopes} if scopes else {})}
    return {}


def resource_type():
    """Provisions AWS::ApiGatewayV2::Api with a definition in the template or in S3."""

    @wrap(provisioners, "_apigw_v2_api_create")
    def _apigw_v2_api_create(original, logical_id, props, stack_name):
        document = openapi.from_properties(props)
        if document:
            check(document)
        api_id, attributes = original(logical_id, with_names_of(props, document), stack_name)
        if document:
            import_document(api_id, document)
        return api_id, attributes

    @wrap(provisioners, "_apigw_v2_api_update")
    def _apigw_v2_api_update(original, physical_id, old, new, stack_name, logical_id=None):
        document = openapi.from_properties(new)
        if document:
            check(document)
        result = original(physical_id, old, with_names_of(new, document), stack_name, logical_id)
        if document:
            for name in tags_of(old.get("Body") or {}):
                v2._apis[result[0]].get("tags", {}).pop(name, None)
            import_document(result[0], document)
            if new.get("Name"):
                v2._apis[result[0]]["name"] = new["Name"]
        return result


def with_names_of(props, document):
    """Converts CORS settings to the API's spelling, and names an API without a `Name` by its definition's title."""
    changed = dict(props)
    if props.get("CorsConfiguration"):
        changed["CorsConfiguration"] = openapi.camel_case(props["CorsConfiguration"])
    if document and not props.get("Name"):
        changed["Name"] = str((document.get("info") or {}).get("title") or "")
    return changed


# (account, region, API, deployment) → {store: its deployed content}
snapshots = {}
deployed = contextvars.ContextVar("routes and integrations of the deployment that answers the request", default={})
of_automatic_stages = contextvars.ContextVar("the same, of a stage that deploys by itself", default={})


class Store(AccountRegionScopedDict):
    """Routes or integrations; during a request, those of the stage's deployment."""

    __slots__ = ()

    def get(self, key, default=None):
        snapshot, place = deployed.get(), (id(self), key)
        return snapshot[place] if place in snapshot else super().get(key, default)


def deployments():
    """Makes a stage without automatic deployment respond as deployed.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
    """
    stores = (v2._routes, v2._integrations)
    for store in stores:
        store.__class__ = Store

    @wrap(v2, "_create_deployment")
    def _create_deployment(original, api_id, data):
        answer = original(api_id, data)
        if answer[0] == 201:
            deployment_id = json.loads(answer[2])["deploymentId"]
            snapshots[scoped(api_id, deployment_id)] = {
                (id(store), api_id): copy.deepcopy(store.get(api_id, {})) for store in stores
            }
            stage = v2._stages.get(api_id, {}).get(data.get("stageName"))
            if stage:
                stage["deploymentId"] = deployment_id
        return answer

    provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Deployment"] = {
        "create": create_deployment,
        "update": lambda physical_id, _old, new, stack_name: create_deployment(physical_id, new, stack_name),
        "delete": lambda physical_id, props: v2._delete_deployment(props.get("ApiId"), physical_id),
    }

    @wrap(v2, "_handle_execute_in_scope")
    async def _handle_execute_in_scope(original, api_id, stage_name, *args):
        stage = v2._stages.get(api_id, {}).get(stage_name) or {"autoDeploy": True}
        nothing = {(id(store), api_id): {} for store in stores}
        automatic = stage.get("autoDeploy")
        token = deployed.set(of_automatic_stages.get() if automatic else snapshots.get(scoped(api_id, stage.get("deploymentId")), nothing))
        try:
            return await original(api_id, stage_name, *args)
        finally:
            deployed.reset(token)

    @wrap(v2, "reset")
    def reset(original):
        snapshots.clear()
        return original()


def create_deployment(_logical_id, props, _stack_name):
    data = {"description": props.get("Description", ""), "stageName": props.get("StageName")}
    status, _headers, body = v2._create_deployment(props.get("ApiId"), data)
    if status >= 400:
        raise ValueError(json.loads(body)["message"])
    deployment_id = json.loads(body)["deploymentId"]
    return deployment_id, {"DeploymentId": deployment_id}


def scoped(api_id, deployment_id):
    return (v2.get_account_id(), v2.get_region(), api_id, deployment_id)


path_parameters = contextvars.ContextVar("path parameters of the request that is answered", default={})


def proxies():
    """Makes an HTTP proxy integration call its URI with path parameters, without appending the request's path."""

    @wrap(v2, "_extract_path_params")
    def _extract_path_params(original, route_path, request_path):
        found = original(route_path, request_path)
        if found is not None:
            path_parameters.set(found)
        return found

    @wrap(v2, "_invoke_http_proxy")
    async def _invoke_http_proxy(original, integration, path, *args):
        if "overwrite:path" not in (integration.get("requestParameters") or {}):
            uri = integration.get("integrationUri", "")
            for name, value in path_parameters.get().items():
                uri = uri.replace("{" + name + "}", str(value))
            integration, path = {**integration, "integrationUri": uri}, ""
        return await original(integration, path, *args)
