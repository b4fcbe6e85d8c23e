"""OpenAPI documents with API Gateway's extensions: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html"""

import json

import yaml

from ministack.services import s3

ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = ("get", "post", "put", "delete", "patch", "head", "options", ANY_METHOD)


class InvalidDefinition(ValueError):
    """The service rejects the document. The message is the service's."""


class Loader(yaml.SafeLoader):
    """Keeps dates as text, like API Gateway's parser."""


Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_str)


def parse(text):
    """Parses the document; converts keys to text (`200:` is a key of `responses`)."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader)
    except (ValueError, yaml.YAMLError) as error:
        raise InvalidDefinition(f"Unable to parse API definition because of a malformed document: {error}") from error
    return checked(document)


def checked(document):
    document = with_text_keys(document)
    if not isinstance(document, dict) or not ("swagger" in document or "openapi" in document):
        raise InvalidDefinition("Invalid OpenAPI input: the document names no version (swagger or openapi).")
    return document


def with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


def from_properties(props):
    """Returns the definition of a CloudFormation resource: `Body`, or `BodyS3Location` {Bucket, Key, Version}."""
    location = props.get("BodyS3Location")
    if location:
        bucket, key = location.get("Bucket", ""), location.get("Key", "")
        data = s3._get_object_data(bucket, key, version_id=location.get("Version"))
        if data is None:
            raise InvalidDefinition(f"Unable to get the API definition from S3: s3://{bucket}/{key} does not exist")
        return parse(data)
    body = props.get("Body")
    return checked(body) if isinstance(body, dict) else None


def operations(document):
    """Yields all (path, method, operation), with methods in upper case, and `ANY` for API Gateway's own."""
    for path, item in (document.get("paths") or {}).items():
        for method, operation in (item or {}).items():
            if method.lower() in METHODS:
                yield path, "ANY" if method == ANY_METHOD else method.upper(), operation or {}


def integration_of(document, path, method, operation):
    """Returns the operation's integration with resolved references, or None. Rejects invalid ones as API Gateway does."""
    integration = resolved(document, operation.get("x-amazon-apigateway-integration"))
    if integration is None:
        return None
    uri = integration.get("uri")
    kind = str(integration.get("type", "")).upper()
    invalid = uri is not None and not isinstance(uri, str)
    if invalid or (kind.startswith("AWS") and not str(uri or integration.get("integrationSubtype", "")).strip()):
        problem = "Invalid integration URI specified"
    elif kind in ("AWS", "AWS_PROXY") and uri and not uri.startswith("arn:"):
        problem = "Invalid ARN specified in the request"
    else:
        return integration
    raise InvalidDefinition(
        f"Errors found during import:\n\tUnable to put integration on '{method}' for resource at path '{path}': {problem}"
    )


def resolved(document, node):
    """Follows `$ref: '#/…'`."""
    while isinstance(node, dict) and isinstance(node.get("$ref"), str) and node["$ref"].startswith("#/"):
        target = document
        for part in node["$ref"][2:].split("/"):
            target = (target or {}).get(part.replace("~1", "/").replace("~0", "~"))
        node = target
    return node


def camel_case(value):
    """Converts CloudFormation's property names to the API's at every level: AllowOrigins → allowOrigins."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: camel_case(item) for key, item in value.items()}
    return [camel_case(item) for item in value] if isinstance(value, list) else value
