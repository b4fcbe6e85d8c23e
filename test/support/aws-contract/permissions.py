"""Which IAM actions a request needs, on which resources, and whether a policy allows them.

The actions and resource types are those of the Service Authorization Reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import fnmatch
import json
import re

ACCOUNT = "000000000000"

# operations of S3 whose action has another name, or that need more than one
S3_ACTIONS = {
    "HeadObject": ("s3:GetObject",),
    "HeadBucket": ("s3:ListBucket",),
    "ListObjectsV2": ("s3:ListBucket",),
    "CopyObject": ("s3:GetObject", "s3:PutObject"),
    "CreateMultipartUpload": ("s3:PutObject",),
    "UploadPart": ("s3:PutObject",),
    "CompleteMultipartUpload": ("s3:PutObject",),
    "GetBucketLocation": ("s3:GetBucketLocation",),
}
TRANSFORMS = {
    "AWS::Serverless-2016-10-31": "Serverless-2016-10-31",
    "AWS::LanguageExtensions": "LanguageExtensions",
}


def needed(operation, parameters, request, region):
    """Pairs of action and resource."""
    service, name = operation.split(":")
    return NEEDED[service](name, parameters, request, region)


def stack_actions(name, parameters, _request, region):
    stack = parameters.get("StackName")
    if stack is None:
        return [(f"cloudformation:{name}", "*")]
    arn = stack if stack.startswith("arn:") else f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{stack}/*"
    pairs = [(f"cloudformation:{name}", arn)]
    if name in ("CreateStack", "UpdateStack"):
        for transform, resource in TRANSFORMS.items():
            # a template in S3 is not seen here: it may have one
            if transform in (parameters.get("TemplateBody") or transform):
                pairs.append(("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{region}:aws:transform/{resource}"))
        if parameters.get("Tags"):
            pairs.append(("cloudformation:TagResource", arn))
        if parameters.get("RoleARN"):
            pairs.append(("iam:PassRole", parameters["RoleARN"]))
    return pairs


def lambda_actions(name, parameters, _request, region):
    action = {"GetLayerVersionByArn": "GetLayerVersion", "ListLayerVersions": "ListLayerVersions"}.get(name, name)
    prefix = f"arn:aws:lambda:{region}:{ACCOUNT}"
    function = parameters.get("FunctionName")
    layer = parameters.get("LayerName") or parameters.get("Arn")
    if function is not None:
        plain = function.split(":function:")[-1].split(":")[0]
        resource = f"{prefix}:function:{plain}"
    elif layer is not None:
        resource = layer if layer.startswith("arn:") else f"{prefix}:layer:{layer}"
        if "VersionNumber" in parameters:
            resource = f"{resource}:{parameters['VersionNumber']}"
    else:
        resource = "*"
    pairs = [(f"lambda:{action}", resource)]
    pairs += [("lambda:GetLayerVersion", version) for version in parameters.get("Layers", [])]
    code = parameters.get("Content", parameters)
    if "S3Bucket" in code:
        pairs.append(("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}"))
    return pairs


def web_function_actions(name, parameters, _request, region):
    """Creating needs permission on the function, everything else on the part."""
    resource = f"arn:aws:lambda:{region}:{ACCOUNT}:web-function/{parameters['functionName'].rpartition('/')[2]}"
    for kind in ("revision", "endpoint"):
        part = parameters.get(f"{kind}Id") or parameters.get(f"{kind}Name")
        if part is not None:
            resource = f"{resource}/{kind}/{part.rpartition('/')[2]}"
    pairs = [(f"lambda:{name}", resource)]
    if "serviceConfig" in parameters:
        pairs.append(("iam:PassRole", parameters["serviceConfig"]["executionRoleArn"]))
    return pairs


def s3_actions(name, parameters, _request, _region):
    bucket = f"arn:aws:s3:::{parameters.get('Bucket')}"
    resource = f"{bucket}/{parameters['Key']}" if "Key" in parameters else bucket
    pairs = [(action, resource) for action in S3_ACTIONS.get(name, (f"s3:{name}",))]
    if parameters.get("ServerSideEncryption") == "aws:kms" and name != "HeadObject":
        pairs.append(("kms:GenerateDataKey", "*"))
    return pairs


def api_actions(_name, _parameters, request, region):
    """The actions of API Gateway are HTTP methods, and its resources are paths."""
    return [(f"apigateway:{request.method}", f"arn:aws:apigateway:{region}::{request.sent_path.removeprefix('/v2')}")]


def state_actions(name, parameters, _request, _region):
    return [(f"states:{name}", parameters.get("stateMachineArn", "*"))]


def registry_actions(name, parameters, _request, region):
    repository = parameters.get("repositoryName")
    arn = "*" if repository is None else f"arn:aws:ecr:{region}:{ACCOUNT}:repository/{repository}"
    return [(f"ecr:{name}", arn)]


def log_actions(name, parameters, _request, region):
    group = parameters.get("logGroupName", "*")
    return [(f"logs:{name}", f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}:*")]


NEEDED = {
    "appsync": lambda name, parameters, _request, region: [
        (f"appsync:{name}", f"arn:aws:appsync:{region}:{ACCOUNT}:apis/{parameters.get('apiId', '*')}")
    ],
    # the actions have no resource types
    "cloudcontrol": lambda name, *_: [(f"cloudformation:{name}", "*")],
    "resourcegroupstaggingapi": lambda name, *_: [(f"tag:{name}", "*")],
    "cloudformation": stack_actions,
    "lambda": lambda_actions,
    "lambda-web": web_function_actions,
    "s3": s3_actions,
    "apigateway": api_actions,
    "apigatewayv2": api_actions,
    "stepfunctions": state_actions,
    "ecr": registry_actions,
    "logs": log_actions,
    # needs no permission
    "sts": lambda name, *_: [] if name == "GetCallerIdentity" else [(f"sts:{name}", "*")],
}


def find_denied(policy, pairs):
    """The first action that the policy does not allow, with its resource."""
    return next((pair for pair in pairs if not is_allowed(policy, pair)), None)


def is_allowed(policy, pair):
    action, resource = pair
    return any(
        matches(statement["Action"], action, ignore_case=True) and matches(statement["Resource"], resource)
        for statement in policy["Statement"]
    )


def matches(patterns, text, ignore_case=False):
    fold = str.lower if ignore_case else str
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatch.fnmatchcase(fold(text), re.sub(r"\[", "[[]", fold(pattern))) for pattern in patterns)


def denial(service, protocol, pair):
    """Status, headers and body with which AWS refuses."""
    action, resource = pair
    text = (
        f"User: arn:aws:iam::{ACCOUNT}:user/test is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    if protocol in ("query", "rest-xml"):
        error = f"<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"
        body = error if protocol == "rest-xml" else f"<ErrorResponse>{error}<RequestId>denied</RequestId></ErrorResponse>"
        return 403, {"content-type": "text/xml"}, body.encode()
    name = "AccessDeniedException"
    body = json.dumps({"__type": name, "Message": text, "message": text}).encode()
    status = 400 if protocol == "json" else 403
    return status, {"content-type": "application/json", "x-amzn-errortype": name}, body
