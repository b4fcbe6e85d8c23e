"""What services refuse although their models allow it: limits and rules of their documentation and quotas pages."""

import json
import re

MB = 1024 * 1024
# CreateStack's reference: TemplateBody; AWS CloudFormation quotas: parameters, tags
MAX_TEMPLATE_BODY = 51_200
MAX_PARAMETERS = 200
MAX_PARAMETER_VALUE = 4_096
MAX_TAGS = 50
# Lambda quotas
MAX_DIRECT_UPLOAD = 50 * MB
MAX_LAYERS = 5
MAX_ENVIRONMENT = 4 * 1024
# API Gateway: size of an OpenAPI definition that is imported
MAX_API_DEFINITION = 6 * MB
# S3: PutObject, user-defined metadata; object keys
MAX_METADATA = 2 * 1024
MAX_KEY = 1_024

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
S3_URL = re.compile(r"https://([a-z0-9.-]+\.)?s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?/.+")
LOCAL_URL = re.compile(r"http://127\.0\.0\.1:\d+/.+")


def check_limits(operation, parameters, problem):
    """`operation`: service:Operation."""
    for pattern, check in RULES:
        if re.fullmatch(pattern, operation):
            check(parameters, problem)


def check_stack(parameters, problem):
    sources = [name for name in ("TemplateBody", "TemplateURL", "UsePreviousTemplate") if parameters.get(name)]
    if len(sources) != 1:
        problem("TemplateBody", f"exactly one source of the template is needed, these were sent: {sources}")
    if size_of(parameters.get("TemplateBody", "")) > MAX_TEMPLATE_BODY:
        problem("TemplateBody", f"is longer than {MAX_TEMPLATE_BODY} bytes")
    url = parameters.get("TemplateURL")
    # the emulator is no host of AWS: a URL on this machine stands for S3's there
    if url and not S3_URL.fullmatch(url) and not LOCAL_URL.fullmatch(url):
        problem("TemplateURL", f"{url} is no URL of S3")
    if len(parameters.get("Tags", [])) > MAX_TAGS:
        problem("Tags", f"are more than {MAX_TAGS}")
    for tag in parameters.get("Tags", []):
        if tag.get("Key", "").lower().startswith("aws:"):
            problem("Tags", f"{tag['Key']}: keys that begin with aws: are reserved")
    if len(parameters.get("Parameters", [])) > MAX_PARAMETERS:
        problem("Parameters", f"are more than {MAX_PARAMETERS}")
    for parameter in parameters.get("Parameters", []):
        name = parameter.get("ParameterKey")
        if "ParameterValue" in parameter and parameter.get("UsePreviousValue"):
            problem("Parameters", f"{name} has a value and UsePreviousValue")
        if size_of(parameter.get("ParameterValue", "")) > MAX_PARAMETER_VALUE:
            problem("Parameters", f"{name} is longer than {MAX_PARAMETER_VALUE} bytes")
    if "OnFailure" in parameters and "DisableRollback" in parameters:
        problem("OnFailure", "cannot be combined with DisableRollback")


def check_code(code, problem):
    sources = [name for name in ("ZipFile", "S3Bucket", "ImageUri") if name in code]
    if len(sources) != 1:
        problem("Code", f"exactly one place of the code is needed, these were sent: {sources}")
    if "S3Bucket" in code and "S3Key" not in code:
        problem("S3Key", "is missing")
    if len(code.get("ZipFile", "")) * 3 // 4 > MAX_DIRECT_UPLOAD:
        problem("ZipFile", "is larger than 50 MB")


def check_layer(parameters, problem):
    check_code(parameters.get("Content", {}), problem)
    if parameters.get("LayerName", "").count(":") > 6:
        problem("LayerName", "is the ARN of a version")


def check_configuration(parameters, problem):
    if len(parameters.get("Layers", [])) > MAX_LAYERS:
        problem("Layers", f"are more than {MAX_LAYERS}")
    if size_of(json.dumps(parameters.get("Environment", {}).get("Variables", {}))) > MAX_ENVIRONMENT:
        problem("Environment", "is larger than 4 KB")


def check_object(parameters, problem):
    bucket = parameters.get("Bucket", "")
    if bucket and not BUCKET_NAME.fullmatch(bucket):
        problem("Bucket", f"{bucket} is no name of a bucket")
    if size_of(parameters.get("Key", "")) > MAX_KEY:
        problem("Key", f"is longer than {MAX_KEY} bytes")
    metadata = parameters.get("Metadata") or {}
    if sum(size_of(name) + size_of(value) for name, value in metadata.items()) > MAX_METADATA:
        problem("Metadata", "is larger than 2 KB")
    source = parameters.get("CopySource")
    if source is not None and not re.fullmatch(r"/?[A-Za-z0-9._~%!$'()*+,;=:@/?&-]+", source):
        problem("CopySource", "is not encoded as a URL")


def check_definition(name):
    def check(parameters, problem):
        if len(parameters.get(name, "")) > MAX_API_DEFINITION:
            problem(name, "is larger than 6 MB")

    return check


def check_state_machine(parameters, problem):
    changes = {"definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"}
    if not changes & set(parameters):
        problem("definition", "there is nothing to update (MissingRequiredParameter)")


def size_of(text):
    return len(text.encode())


RULES = (
    (r"cloudformation:(CreateStack|UpdateStack|CreateChangeSet)", check_stack),
    (r"lambda:UpdateFunctionCode", check_code),
    (r"lambda:PublishLayerVersion", check_layer),
    (r"lambda:(Create|Update)FunctionConfiguration", check_configuration),
    (r"s3:.*", check_object),
    (r"apigateway:(Put|Import)RestApi", check_definition("body")),
    (r"apigatewayv2:(Reimport|Import)Api", check_definition("Body")),
    (r"stepfunctions:UpdateStateMachine", check_state_machine),
)
