"""AWS CloudFormation: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/."""

import asyncio
import contextvars
import functools
import importlib
import os
import re
from urllib.parse import urlparse

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers, helpers, stacks

from patching import wrap

SAM_TRANSFORM = "AWS::Serverless-2016-10-31"

# statuses in which a stack accepts UpdateStack, by the API reference
UPDATABLE = re.compile(
    r"(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE|(CREATE|UPDATE)_FAILED"
)


def install():
    """Adds transforms, template locations, and the operations that a stack's status allows."""
    sam_parameters()
    template_locations()
    validation()
    statuses()
    descriptions()
    update_delay(float(os.environ.get("SAM_SYNC_CLOUD_STACK_DELAY") or 0))


def update_delay(seconds):
    """An update of a stack stays in progress for so long before it changes anything; those nested in it take no longer."""
    if not seconds:
        return

    @wrap(stacks, "_deploy_stack_async")
    async def _deploy_stack_async(original, name, *args, is_update=False, **kwargs):
        if is_update and "ParentId" not in cloudformation._stacks[name]:
            await asyncio.sleep(seconds)
        return await original(name, *args, is_update=is_update, **kwargs)


def sam_parameters():
    """Passes the stack's parameters to transforms: `AutoPublishAlias: !Ref Alias`, `StageName: !Ref Stage`.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
    """

    @wrap(engine, "_apply_transforms")
    def _apply_transforms(original, template, provided_params=None, previous_params=None):
        if SAM_TRANSFORM not in engine.declared_transforms(template):
            return original(template, provided_params, previous_params)
        pass_parameters_to_sam()
        token = PARAMETERS.set(engine._transform_parameters(template, provided_params, previous_params))
        try:
            return original(template, provided_params, previous_params)
        except importlib.import_module("samtranslator.model.exceptions").InvalidDocumentException as error:
            causes = " ".join(cause.message for cause in error.causes)
            message = f"Transform {SAM_TRANSFORM} failed with: {error.message} {causes}"
            return engine._TransformFailed(template, message)
        finally:
            PARAMETERS.reset(token)


PARAMETERS = contextvars.ContextVar("parameters of the template being transformed", default={})


@functools.cache
def pass_parameters_to_sam():
    sam = importlib.import_module("samtranslator.translator.transform")
    transform = sam.transform
    sam.transform = lambda template, _none, *args, **kwargs: transform(template, PARAMETERS.get(), *args, **kwargs)


def template_locations():
    """Accepts every form of an S3 URL: path style, virtual host, with and without Region, this endpoint."""

    @wrap(helpers, "_resolve_document")
    def _resolve_document(original, params, body_key, url_key, label):
        url = params.get(url_key, [""])[0]
        location = s3_location(url) if url and not params.get(body_key) else None
        if location is None:
            return original(params, body_key, url_key, label)
        return original({**params, url_key: ["https://s3.amazonaws.com/" + "/".join(location)]}, body_key, url_key, label)


def s3_location(url):
    parsed = urlparse(url)
    virtual = re.match(r"(.+)\.s3[.-](?:[\w-]+\.)*(?:amazonaws\.com(?:\.cn)?|localhost)$", parsed.hostname or "")
    return (virtual[1], parsed.path.lstrip("/")) if virtual else None


def validation():
    """Rejects an invalid template or parameters immediately, with CloudFormation's message."""

    @wrap(engine, "validate_template_support")
    def validate_template_support(original, template, conditions, **kwargs):
        original(template, conditions, **kwargs)
        resources = template.get("Resources")
        if not resources:
            raise ValueError("Template format error: At least one Resources member must be defined.")
        known = {*resources, *(template.get("Parameters") or {})}
        for section in ("Resources", "Outputs"):
            names = {name for name, _attribute in engine._intrinsic_references(template.get(section) or {})}
            unknown = sorted(name for name in names - known if not name.startswith("AWS::"))
            if unknown:
                raise ValueError(
                    f"Template format error: Unresolved resource dependencies [{', '.join(unknown)}] "
                    f"in the {section} block of the template"
                )

    @wrap(engine, "_resolve_parameters")
    def _resolve_parameters(original, template, provided_params, previous_params=None):
        declared = template.get("Parameters") or {}
        given = [entry["Key"] for entry in provided_params if "Key" in entry]
        unknown = [key for key in given if key not in declared]
        if unknown:
            raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        missing = [key for key, entry in declared.items() if key not in given and "Default" not in entry]
        if missing:
            raise ValueError(f"Parameters: [{', '.join(missing)}] must have values")
        return original(template, provided_params, previous_params)


def statuses():
    @wrap(handlers, "_create_stack")
    def _create_stack(original, params):
        """Reserves the name of a failed stack until its deletion."""
        name = helpers._p(params, "StackName")
        existing = cloudformation._stacks.get(name)
        if existing and existing["StackStatus"] == "ROLLBACK_COMPLETE":
            return helpers._error("AlreadyExistsException", f"Stack [{name}] already exists")
        answer = original(params)
        if answer[0] == 200:
            remember_settings(name, params)
        return answer

    @wrap(handlers, "_update_stack")
    def _update_stack(original, params):
        stack = handlers._resolve_stack(helpers._p(params, "StackName"))
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if status != "DELETE_COMPLETE" and not UPDATABLE.fullmatch(status):
            message = f"Stack:{stack['StackId']} is in {status} state and can not be updated."
            return helpers._error("ValidationError", message)
        answer = original(params)
        if answer[0] == 200:
            remember_settings(stack["StackName"], params)
        return answer

    @wrap(handlers, "_resolve_stack")
    def _resolve_stack(original, stack_name):
        """Finds a deleted stack only by its ID."""
        stack = original(stack_name)
        gone = stack and stack["StackStatus"] == "DELETE_COMPLETE" and stack["StackId"] != stack_name
        return None if gone else stack


def remember_settings(stack_name, params):
    """Keeps settings that an update does not specify; an empty list of topics removes them."""
    stack = cloudformation._stacks.get(stack_name)
    if stack is None:
        return
    if helpers._p(params, "RoleARN"):
        stack["_role_arn"] = helpers._p(params, "RoleARN")
    if "NotificationARNs" in params or "NotificationARNs.member.1" in params:
        stack["_notification_arns"] = helpers._extract_string_members(params, "NotificationARNs")


def descriptions():
    """Adds role, topics, and the parent and root of a nested stack to DescribeStacks."""

    @wrap(handlers, "_describe_stacks")
    def _describe_stacks(original, params):
        status, headers, body = original(params)
        if status != 200:
            return status, headers, body
        text = body.decode() if isinstance(body, bytes) else body
        for stack in cloudformation._stacks.values():
            esc = helpers._esc
            more = "".join(
                f"<{name}>{esc(stack[key])}</{name}>"
                for name, key in (("RoleARN", "_role_arn"), ("ParentId", "ParentId"), ("RootId", "RootId"))
                if stack.get(key)
            )
            topics = "".join(f"<member>{esc(arn)}</member>" for arn in stack.get("_notification_arns", []))
            anchor = f"<StackId>{esc(stack['StackId'])}</StackId>"
            text = text.replace(anchor, f"{anchor}{more}<NotificationARNs>{topics}</NotificationARNs>", 1)
        return status, headers, text.encode()
