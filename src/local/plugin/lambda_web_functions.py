"""Records Web Functions, revisions and endpoints in CloudFormation; nothing serves them.

https://docs.aws.amazon.com/lambda/latest/dg/web-functions-code-s3.html
"""

import hashlib

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

import lambda_functions


def install():
    provisioners._RESOURCE_HANDLERS.update(
        {
            "AWS::Lambda::WebFunction": {"create": create_function, "update": update_function, "delete": forget},
            # any change of code or settings creates a revision
            "AWS::Lambda::WebFunctionRevision": {"create": create_revision, "delete": forget},
            "AWS::Lambda::WebFunctionEndpoint": {"create": create_endpoint, "update": update_endpoint, "delete": forget},
        }
    )


def create_function(_logical_id, props, _stack_name):
    arn = arn_of(props)
    return arn, {"FunctionArn": arn}


def update_function(_physical_id, _old, new, stack_name):
    return create_function(None, new, stack_name)


def create_revision(_logical_id, props, _stack_name):
    place = props["BuildConfig"]["CodeConfig"]["S3Object"]
    lambda_functions.refuse_missing_code({"Code": {
        "S3Bucket": place["Bucket"],
        "S3Key": place["Key"],
        "S3ObjectVersion": place.get("VersionId"),
    }})
    revision = new_uuid()
    return f"{arn_of(props)}/revision/{revision}", {"RevisionId": revision}


def create_endpoint(_logical_id, props, _stack_name):
    function, name = arn_of(props), props["EndpointName"]
    label = hashlib.sha256(function.encode()).hexdigest()[:12]
    return f"{function}/endpoint/{name}", {"DomainName": f"{name}-{label}.lambda-web.{get_region()}.on.aws"}


def update_endpoint(_physical_id, _old, new, stack_name):
    return create_endpoint(None, new, stack_name)


def forget(_physical_id, _props):
    return None


def arn_of(props):
    return f"arn:aws:lambda:{get_region()}:{get_account_id()}:web-function/{props['FunctionName']}"
