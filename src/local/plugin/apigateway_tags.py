"""API Gateway, tags of APIs and stages: one store for templates, imports and the tag requests.

https://docs.aws.amazon.com/apigateway/latest/api/API_TagResource.html
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html
"""

from ministack.services import apigateway as v2
from ministack.services import apigateway_v1 as v1
from ministack.services.cloudformation import provisioners

from patching import wrap


def install():
    """Lets GetRestApi, GetApi and GetStage return the tags that the tag requests set."""
    requests(v1, ("_get_v1_tags", "_tag_v1_resource", "_untag_v1_resource"), lambda: v1._v1_tags, v1._resolve_v1_tag_resource_arn)
    requests(v2, ("_get_tags", "_tag_resource", "_untag_resource"), lambda: v2._api_tags, v2._validate_tag_resource_arn)
    templates()


def requests(service, names, store, resolve):
    def request(original, resource_arn, *args):
        arn, _error = resolve(resource_arn)
        resource = resource_of(arn or "")
        if resource is None:
            return original(resource_arn, *args)
        # the same mapping from now on
        tags = resource.get("tags")
        resource["tags"] = store()[arn] = tags if isinstance(tags, dict) else {}
        status, headers, body = original(resource_arn, *args)
        # a response of the service is JSON
        return status, headers, body or (b"" if status == 204 else b"{}")

    for name in names:
        wrap(service, name)(request)


def resource_of(arn):
    kind, _, rest = arn.partition("::/")[2].partition("/")
    api_id, _, stage = rest.partition("/stages/")
    if kind == "restapis":
        return v1._stages_v1.get(api_id, {}).get(stage) if stage else v1._rest_apis.get(api_id)
    if kind == "apis":
        return v2._stages.get(api_id, {}).get(stage) if stage else v2._apis.get(api_id)
    if kind == "usageplans":
        return v1._usage_plans.get(rest)
    return v1._api_keys.get(rest) if kind == "apikeys" else None


def templates():
    """An update of a REST API or its stage changes the tags that differ between the templates, and no others."""

    @wrap(provisioners, "_apigw_rest_api_update")
    def _apigw_rest_api_update(original, physical_id, old, new, *args, **kwargs):
        return keeping(lambda: v1._rest_apis.get(physical_id), old, new, lambda: original(physical_id, old, new, *args, **kwargs))

    @wrap(provisioners, "_apigw_stage_update")
    def _apigw_stage_update(original, physical_id, old, new, *args, **kwargs):
        def stage():
            return v1._stages_v1.get(new.get("RestApiId", ""), {}).get(new.get("StageName", ""))

        return keeping(stage, old, new, lambda: original(physical_id, old, new, *args, **kwargs))


def keeping(resource, old, new, update):
    before = resource()
    tags = dict(before.get("tags") or {}) if before else None
    answer = update()
    after = resource()
    if tags is not None and after is not None:
        provisioners._reconcile_tag_map(tags, old, new)
        after["tags"] = tags
    return answer
