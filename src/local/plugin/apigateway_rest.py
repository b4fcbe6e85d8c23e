"""API Gateway, REST APIs: https://docs.aws.amazon.com/apigateway/latest/api/API_PutRestApi.html and its neighbours."""

import contextvars
import copy
import json

import ministack.app
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import apigateway_v1 as v1
from ministack.services.cloudformation import provisioners

import openapi
from patching import wrap

DEFAULT_NAME = "unnamed"


def install():
    """Adds imports of definitions, deployments as snapshots, and flushing of caches."""
    control_plane()
    resource_type()
    deployments()
    preflight_requests()


def control_plane():
    @wrap(v1, "handle_request")
    async def handle_request(original, method, path, headers, body, query_params):
        parts = [part for part in path.strip("/").split("/") if part]
        mode = (query_params.get("mode") or [""])[0]
        try:
            if method == "POST" and parts == ["restapis"] and mode == "import":
                return v1._v1_response(v1._rest_api_view(v1._rest_apis[import_rest_api(openapi.parse(body), {})]), 201)
            if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
                return put_rest_api(parts[1], openapi.parse(body), mode)
        except openapi.InvalidDefinition as error:
            return v1._v1_error("BadRequestException", str(error), 400)
        if method == "DELETE" and parts[:1] == ["restapis"] and parts[2:3] == ["stages"] and parts[4:5] == ["cache"]:
            return flush_cache(parts[1], parts[3])
        if method == "GET" and parts[:1] == ["restapis"] and parts[2:] == ["stages"]:
            return stages_of(parts[1], (query_params.get("deploymentId") or [""])[0])
        return await original(method, path, headers, body, query_params)

    @wrap(v1, "_import_rest_api")
    def _import_rest_api(_original, spec, base_data=None):
        return import_rest_api(openapi.checked(spec), base_data or {})


def put_rest_api(api_id, document, mode):
    """`overwrite` replaces the definition, `merge` (the default) adds to it. ID, stages and deployments stay."""
    if api_id not in v1._rest_apis:
        return v1._v1_error("NotFoundException", "Invalid API identifier specified", 404)
    import_document(api_id, document, overwrite=mode == "overwrite")
    return v1._v1_response(v1._rest_api_view(v1._rest_apis[api_id]))


def import_rest_api(document, data):
    check(document)
    title = (document.get("info") or {}).get("title")
    _status, _headers, body = v1._create_rest_api({**data, "name": data.get("name") or str(title or DEFAULT_NAME)})
    api_id = json.loads(body)["id"]
    import_document(api_id, document, overwrite=False)
    if data.get("name"):
        v1._rest_apis[api_id]["name"] = data["name"]
    return api_id


def check(document):
    """Undoes all changes of a rejected document."""
    for path, method, operation in openapi.operations(document):
        openapi.integration_of(document, path, method, operation)


def import_document(api_id, document, overwrite):
    check(document)
    resources = v1._resources[api_id]
    if overwrite:
        paths = {prefix for path in document.get("paths") or {} for prefix in prefixes_of(path)}
        for resource_id, resource in list(resources.items()):
            resource["resourceMethods"] = {}
            if resource["path"] not in paths | {"/"}:
                del resources[resource_id]
        for store in (v1._authorizers_v1, v1._models, v1._gateway_responses, v1._request_validators):
            store[api_id] = {}
        v1._rest_apis[api_id]["binaryMediaTypes"] = []
    import_settings(v1._rest_apis[api_id], document)
    validators = import_validators(api_id, document)
    import_models(api_id, document)
    for response_type, response in (document.get("x-amazon-apigateway-gateway-responses") or {}).items():
        v1._put_gateway_response(api_id, response_type, response)
    schemes = v1._import_security_schemes(api_id, document)
    for path, item in (document.get("paths") or {}).items():
        # creates the resources of the path; the methods follow below
        v1._import_path_item(api_id, path, {}, schemes, None)
    by_path = {resource["path"]: resource_id for resource_id, resource in resources.items()}
    for path, method, operation in openapi.operations(document):
        resource_id = by_path["/" + path.strip("/")]
        import_method(api_id, resource_id, method, operation, (document, path, schemes, validators))


def prefixes_of(path):
    parts = [part for part in path.split("/") if part]
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]


def import_settings(api, document):
    info = document.get("info") or {}
    for field, value in (
        ("name", info.get("title")),
        ("description", info.get("description")),
        ("version", info.get("version")),
        ("binaryMediaTypes", document.get("x-amazon-apigateway-binary-media-types")),
        ("minimumCompressionSize", document.get("x-amazon-apigateway-minimum-compression-size")),
        ("apiKeySource", document.get("x-amazon-apigateway-api-key-source")),
        ("policy", document.get("x-amazon-apigateway-policy")),
    ):
        if value is not None:
            api[field] = str(value) if field in ("name", "version") else value


def import_validators(api_id, document):
    validators = {}
    for name, validator in (document.get("x-amazon-apigateway-request-validators") or {}).items():
        _status, _headers, body = v1._create_request_validator(api_id, {"name": name, **validator})
        validators[name] = json.loads(body)["id"]
    return validators


def import_models(api_id, document):
    schemas = document.get("definitions") or (document.get("components") or {}).get("schemas") or {}
    for name, schema in schemas.items():
        v1._create_model(api_id, {"name": name, "schema": json.dumps(schema)})


def import_method(api_id, resource_id, method, operation, context):
    document, path, schemes, validators = context
    security = operation.get("security", document.get("security"))
    validator = operation.get(
        "x-amazon-apigateway-request-validator", document.get("x-amazon-apigateway-request-validator")
    )
    data = v1._method_security(security, schemes)
    if operation.get("x-amazon-apigateway-auth", {}).get("type") == "AWS_IAM":
        data["authorizationType"] = "AWS_IAM"
    parameters, models = parameters_of(document, path, operation)
    data.update(
        operationName=operation.get("operationId", ""),
        requestParameters=parameters,
        requestModels=models,
        requestValidatorId=validators.get(validator),
    )
    v1._put_method(api_id, resource_id, method, data)
    for status, response in (operation.get("responses") or {}).items():
        headers = (openapi.resolved(document, response) or {}).get("headers") or {}
        v1._put_method_response(
            api_id,
            resource_id,
            method,
            status,
            {"responseParameters": {f"method.response.header.{name}": False for name in headers}},
        )
    integration = openapi.integration_of(document, path, method, operation)
    if integration is not None:
        import_integration(api_id, resource_id, method, integration)


def import_integration(api_id, resource_id, method, integration):
    """Converts the extension, whose members are those of PutIntegration, with enumerations in any case."""
    upper = ("type", "passthroughBehavior", "connectionType", "contentHandling")
    data = {key: str(value).upper() if key in upper else value for key, value in integration.items()}
    v1._put_integration(api_id, resource_id, method, {"httpMethod": None, "uri": None, **data})
    for pattern, response in (integration.get("responses") or {}).items():
        status = str(response.get("statusCode", "200"))
        pattern = "" if pattern == "default" else pattern
        v1._put_integration_response(api_id, resource_id, method, status, {**response, "selectionPattern": pattern})


def parameters_of(document, path, operation):
    """Returns request parameters ({location: required}) and body models ({content type: name})."""
    item = (document.get("paths") or {}).get(path) or {}
    parameters, models = {}, {}
    places = {"path": "path", "query": "querystring", "header": "header"}
    for parameter in [*(item.get("parameters") or []), *(operation.get("parameters") or [])]:
        parameter = openapi.resolved(document, parameter) or {}
        if parameter.get("in") in places:
            parameters[f"method.request.{places[parameter['in']]}.{parameter['name']}"] = bool(parameter.get("required"))
        elif parameter.get("in") == "body" and model_of(parameter.get("schema")):
            models["application/json"] = model_of(parameter["schema"])
    body = openapi.resolved(document, operation.get("requestBody")) or {}
    for content_type, content in (body.get("content") or {}).items():
        if model_of((content or {}).get("schema")):
            models[content_type] = model_of(content["schema"])
    return parameters, models


def model_of(schema):
    reference = (schema or {}).get("$ref", "")
    return reference.rsplit("/", 1)[-1] if reference.startswith("#/") else None


def flush_cache(api_id, stage_name):
    """Implements FlushStageCache and FlushStageAuthorizersCache."""
    if stage_name not in v1._stages_v1.get(api_id, {}):
        return v1._v1_error("NotFoundException", "Invalid Stage identifier specified", 404)
    return 202, {}, b""


def stages_of(api_id, deployment_id):
    if api_id not in v1._rest_apis:
        return v1._v1_error("NotFoundException", "Invalid API identifier specified", 404)
    stages = v1._stages_v1.get(api_id, {}).values()
    return v1._v1_response({"item": [s for s in stages if deployment_id in ("", s.get("deploymentId"))]})


def resource_type():
    """Imports a definition of AWS::ApiGateway::RestApi, also one in S3, into the existing API."""

    @wrap(provisioners, "_apigw_rest_api_create")
    def _apigw_rest_api_create(original, logical_id, props, stack_name):
        document = openapi.from_properties(props)
        props = with_media_types(props)
        result = original(logical_id, {**props, "Body": document} if document else props, stack_name)
        apply_properties(result[0], props)
        return result

    @wrap(provisioners, "_apigw_rest_api_update")
    def _apigw_rest_api_update(original, physical_id, old, new, stack_name, logical_id=None):
        old, new = with_media_types(old), with_media_types(new)
        definition = ("Body", "BodyS3Location", "Mode", "Parameters")
        if any(old.get(key) != new.get(key) for key in definition):
            document = openapi.from_properties(new)
            if document:
                import_document(physical_id, document, overwrite=new.get("Mode", "overwrite") == "overwrite")
                apply_properties(physical_id, new)
        return original(physical_id, {**old, "Body": new.get("Body")}, new, stack_name, logical_id)


def with_media_types(props):
    """A template escapes the slash of a media type."""
    types = props.get("BinaryMediaTypes")
    return {**props, "BinaryMediaTypes": [str(kind).replace("~1", "/") for kind in types]} if types else props


def apply_properties(api_id, props):
    """Applies properties of the resource, which override the definition's."""
    api = v1._rest_apis[api_id]
    for field, name in (
        ("name", "Name"),
        ("description", "Description"),
        ("apiKeySource", "ApiKeySourceType"),
        ("disableExecuteApiEndpoint", "DisableExecuteApiEndpoint"),
        ("policy", "Policy"),
        ("binaryMediaTypes", "BinaryMediaTypes"),
        ("minimumCompressionSize", "MinimumCompressionSize"),
    ):
        if props.get(name) is not None:
            api[field] = props[name]


# (account, region, API, deployment) → the deployed resources
snapshots = {}
deployed = contextvars.ContextVar("resources of the deployment that answers the request", default={})


class Resources(AccountRegionScopedDict):
    """The resources of each API; during a request, those of the stage's deployment."""

    __slots__ = ()

    def get(self, key, default=None):
        return deployed.get().get(key) or super().get(key, default)


def deployments():
    """Makes a stage respond as deployed: changes of the API take effect with the next deployment.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
    """
    v1._resources.__class__ = Resources

    @wrap(v1, "_create_deployment")
    def _create_deployment(original, api_id, data):
        resources = v1._resources.get(api_id, {})
        if api_id in v1._rest_apis and not any(resource["resourceMethods"] for resource in resources.values()):
            return v1._v1_error("BadRequestException", "The REST API doesn't contain any methods", 400)
        answer = original(api_id, data)
        if answer[0] == 201:
            snapshots[scoped(api_id, json.loads(answer[2])["id"])] = copy.deepcopy(resources)
        return answer

    @wrap(v1, "_delete_deployment")
    def _delete_deployment(original, api_id, deployment_id):
        if any(stage.get("deploymentId") == deployment_id for stage in v1._stages_v1.get(api_id, {}).values()):
            message = "Active stages pointing to this deployment must be moved or deleted"
            return v1._v1_error("BadRequestException", message, 400)
        snapshots.pop(scoped(api_id, deployment_id), None)
        return original(api_id, deployment_id)

    @wrap(v1, "_update_stage")
    def _update_stage(original, api_id, stage_name, data):
        for operation in data.get("patchOperations") or []:
            if operation.get("path") != "/deploymentId":
                continue
            if operation.get("value") not in v1._deployments_v1.get(api_id, {}):
                return v1._v1_error("BadRequestException", "Deployment id does not exist", 400)
        return original(api_id, stage_name, data)

    @wrap(v1, "_update_rest_api")
    def _update_rest_api(original, api_id, *args):
        answer = original(api_id, *args)
        size = v1._rest_apis.get(api_id, {}).get("minimumCompressionSize")
        if size is not None and not isinstance(size, int):
            # a patch has texts
            v1._rest_apis[api_id]["minimumCompressionSize"] = int(size)
            return v1._v1_response(v1._rest_api_view(v1._rest_apis[api_id]))
        return answer

    @wrap(v1, "_execute_in_scope")
    async def _execute_in_scope(original, request, api_id, stage_name, *args):
        stage = v1._stages_v1.get(api_id, {}).get(stage_name) or {}
        snapshot = snapshots.get(scoped(api_id, stage.get("deploymentId")))
        token = deployed.set({api_id: snapshot} if snapshot else {})
        try:
            return await original(request, api_id, stage_name, *args)
        finally:
            deployed.reset(token)

    @wrap(v1, "reset")
    def reset(original):
        snapshots.clear()
        return original()


def scoped(api_id, deployment_id):
    return (v1.get_account_id(), v1.get_region(), api_id, deployment_id)


def preflight_requests():
    """Lets the API respond to OPTIONS requests, not the emulator."""

    @wrap(ministack.app, "_handle_options_request")
    def _handle_options_request(original, method, path, headers, *args):
        if ministack.app._parse_execute_api_url(headers.get("host", ""), path):
            return None
        return original(method, path, headers, *args)
