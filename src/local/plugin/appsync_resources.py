"""AWS AppSync in CloudFormation: schemas, resolvers and functions with their files, under the physical IDs of AWS.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_AppSync.html
"""

from ministack.services import appsync, lambda_svc
from ministack.services.cloudformation import provisioners

from patching import wrap

# property with a place in S3 -> the property with its content
FILES = {
    "CodeS3Location": "Code",
    "DefinitionS3Location": "Definition",
    "RequestMappingTemplateS3Location": "RequestMappingTemplate",
    "ResponseMappingTemplateS3Location": "ResponseMappingTemplate",
}
FUNCTION = (
    "Code", "DataSourceName", "Description", "FunctionVersion", "MaxBatchSize", "Name", "RequestMappingTemplate",
    "ResponseMappingTemplate", "Runtime", "SyncConfig",
)
RESOLVER = ("FieldName", *provisioners._APPSYNC_RESOLVER_MEMBERS)


def install():
    provisioners._RESOURCE_HANDLERS.update(
        {
            "AWS::AppSync::FunctionConfiguration": {
                "create": create_function, "update": update_function, "delete": delete_function,
            },
            "AWS::AppSync::GraphQLSchema": {"create": create_schema, "update": update_schema, "delete": delete_schema},
            "AWS::AppSync::Resolver": {"create": create_resolver, "update": update_resolver, "delete": delete_resolver},
        }
    )

    @wrap(appsync, "_start_schema_creation")
    def _start_schema_creation(original, api_id, body):
        """An API keeps its schema if it cannot read the new one."""
        before = appsync._schemas.get(api_id)
        answer = original(api_id, body)
        reason = mistake_in(api_id, appsync._schemas.get(api_id, {}).get("definition", ""))
        if reason:
            appsync._schemas[api_id] = {**(before or {"definition": ""}), "status": "FAILED", "details": reason}
        return answer


def mistake_in(api_id, definition):
    from ministack.core import appsync_graphql  # needs half a second

    try:
        appsync_graphql.build_api_schema(api_id, definition)
        return None
    except Exception as error:  # AppSync reports what its parser says
        return str(error)
    finally:
        appsync_graphql.forget_schema(api_id)


def create_schema(_logical_id, props, _stack_name):
    api_id, definition = props["ApiId"], with_files(props)["Definition"]
    reason = mistake_in(api_id, definition)
    if reason:
        raise ValueError(f"Schema Creation Status is FAILED with details: {reason}")
    provisioners._appsync_schema_create(None, {"ApiId": api_id, "Definition": definition}, None)
    return f"{api_id}GraphQLSchema", {"Id": f"{api_id}GraphQLSchema"}


def update_schema(_physical_id, _old, new, stack_name):
    return create_schema(None, new, stack_name)


def delete_schema(_physical_id, props):
    provisioners._appsync_schema_delete("", props)


def create_resolver(_logical_id, props, _stack_name):
    created = accepted(appsync._create_resolver(props["ApiId"], props["TypeName"], members(props, RESOLVER)))
    return created["resolver"]["resolverArn"], resolver_attributes(created["resolver"])


def update_resolver(physical_id, _old, new, _stack_name):
    place = (new["ApiId"], new["TypeName"], new["FieldName"])
    updated = accepted(appsync._update_resolver(*place, members(new, RESOLVER)))
    return physical_id, resolver_attributes(updated["resolver"])


def delete_resolver(_physical_id, props):
    appsync._delete_resolver(props["ApiId"], props["TypeName"], props["FieldName"])


def create_function(_logical_id, props, _stack_name):
    created = accepted(appsync._create_function(props["ApiId"], members(props, FUNCTION)))["functionConfiguration"]
    return created["functionArn"], function_attributes(created)


def update_function(physical_id, _old, new, _stack_name):
    function_id = physical_id.rsplit("/", 1)[-1]
    updated = accepted(appsync._update_function(new["ApiId"], function_id, members(new, FUNCTION)))
    return physical_id, function_attributes(updated["functionConfiguration"])


def delete_function(physical_id, props):
    appsync._delete_function(props["ApiId"], physical_id.rsplit("/", 1)[-1])


def read_resolver(_arn, declared):
    """The properties that AppSync has, for Cloud Control."""
    place = (declared["ApiId"], declared["TypeName"], declared["FieldName"])
    record = appsync._resolvers.get(place[0], {}).get(place[1], {}).get(place[2])
    return record and properties({"apiId": place[0], **record}, ("ApiId", "TypeName", *RESOLVER))


def read_function(arn, declared):
    record = appsync._functions.get(declared["ApiId"], {}).get(arn.rsplit("/", 1)[-1])
    return record and properties({"apiId": declared["ApiId"], **record}, ("ApiId", *FUNCTION))


def properties(record, names):
    return {name: with_upper_case(record.get(lower(name))) for name in names}


def with_upper_case(value):
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: with_upper_case(item) for key, item in value.items()}
    return [with_upper_case(item) for item in value] if isinstance(value, list) else value


def resolver_attributes(record):
    return {"FieldName": record["fieldName"], "ResolverArn": record["resolverArn"], "TypeName": record["typeName"]}


def function_attributes(record):
    names = ("DataSourceName", "FunctionArn", "FunctionId", "Name")
    return {name: record[lower(name)] for name in names}


def members(props, names):
    """The members of the request, as the service's API names them."""
    known = with_files(props)
    body = {lower(name): provisioners._pascal_to_camel(known[name]) for name in names if known.get(name) not in (None, "")}
    if "maxBatchSize" in body:
        body["maxBatchSize"] = int(body["maxBatchSize"])
    return body


def with_files(props):
    """The properties with the content of files in place of their places in S3."""
    known = dict(props)
    for place, content in FILES.items():
        location = known.pop(place, None)
        if location:
            bucket, _, key = location.removeprefix("s3://").partition("/")
            data = lambda_svc._fetch_code_from_s3(bucket, key, None)
            if data is None:
                raise ValueError(f"{place}: {location} does not exist")
            known[content] = data.decode()
    return known


def accepted(answer):
    status, _headers, body = answer
    if status >= 400:
        raise ValueError(body if isinstance(body, str) else body.decode())
    return lambda_svc.json.loads(body)


def lower(name):
    return name[:1].lower() + name[1:]
