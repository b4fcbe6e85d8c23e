"""AWS::CloudFormation::Stack: deploys, rolls back and deletes a nested stack like any stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html

MiniStack has a second, shorter deployment for nested stacks (no transforms, no rollback, no exports, no attributes of
what an update left alone). Here the handlers of the type run the ordinary one, in the thread that they are called in.
"""

import asyncio
import contextvars
import copy

from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, helpers, provisioners, stacks

from cloudformation_events import STACK_TYPE, failed_resources


def install():
    provisioners._RESOURCE_HANDLERS[STACK_TYPE] = {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }


def create(logical_id, props, parent_name):
    body, template, values = read(props, {})
    # stack names have at most 128 characters
    name = f"{parent_name}-{logical_id}"[:115] + "-" + new_uuid().replace("-", "")[:12].upper()
    stack_id = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/{new_uuid()}"
    parent = cloudformation._stacks[parent_name]
    stack = {
        "StackName": name,
        "StackId": stack_id,
        "CreationTime": now_iso(),
        "StackStatusReason": "",
        "DisableRollback": False,
        "Outputs": [],
        "ParentId": parent["StackId"],
        "RootId": parent.get("RootId") or parent["StackId"],
        "Capabilities": list(parent.get("Capabilities", [])),
        "_parent_stack_name": parent_name,
        "_region": get_region(),
        "_resources": {},
    }
    cloudformation._stacks[name] = stack
    cloudformation._stack_events[stack_id] = []
    take_over(stack, body, template, values, props)
    # clients that follow the parent's events need the nested stack's ID
    started = "Resource creation Initiated"
    stacks._add_event(
        parent["StackId"], parent_name, logical_id, STACK_TYPE, "CREATE_IN_PROGRESS", started, physical_id=stack_id
    )
    run(stack, "CREATE")
    if stack["StackStatus"] != "CREATE_COMPLETE":
        reason = failed_resources(stack_id)
        if stack["StackStatus"] == "ROLLBACK_COMPLETE":
            # the parent's rollback deletes the remains of the failed creation
            in_clean_context(stacks._delete_stack_async(name, stack_id))
        raise ValueError(f"Embedded stack {stack_id} was not successfully created: {reason} ")
    return stack_id, attributes(stack)


def update(physical_id, _old_props, props, _parent_name, _logical_id=None):
    stack = by_id(physical_id)
    body, template, values = read(props, stack["_resolved_params"])
    tags = own_tags(props)
    same_values = {k: v["Value"] for k, v in values.items()} == {
        k: v["Value"] for k, v in stack["_resolved_params"].items()
    }
    if template == stack["_template"] and same_values and tags == stack["Tags"]:
        return physical_id, attributes(stack)
    kept = ("_resources", "_template", "_template_body", "_resolved_params", "_conditions", "Parameters", "Tags")
    previous = copy.deepcopy({key: stack[key] for key in (*kept, "Outputs")})
    take_over(stack, body, template, values, props)
    run(stack, "UPDATE", previous)
    if stack["StackStatus"] != "UPDATE_COMPLETE":
        raise ValueError(
            f"Embedded stack {physical_id} was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS "
            f"with reason: {failed_resources(physical_id)} "
        )
    return physical_id, attributes(stack)


def delete(physical_id, _props):
    stack = by_id(physical_id)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return
    in_clean_context(stacks._delete_stack_async(stack["StackName"], stack["StackId"]))
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise ValueError(stack.get("StackStatusReason") or f"{physical_id} was not deleted")


def read(props, previous):
    """Returns the transformed template and its parameter values."""
    url = props.get("TemplateURL")
    body, error = helpers._resolve_template({"TemplateURL": [url]})
    if error or not body:
        raise ValueError(f"The template {url} of the nested stack cannot be read from S3")
    given = props.get("Parameters") or {}
    if any(isinstance(value, (list, dict)) for value in given.values()):
        raise ValueError("Value of property Parameters must be an object with String (or simple type) properties")
    parameters = [{"Key": key, "Value": "" if value is None else text(value)} for key, value in given.items()]
    template = engine._apply_transforms(engine._parse_template(body), parameters, previous)
    values = engine._resolve_parameters(template, parameters, previous)
    engine.validate_template_support(template, engine._evaluate_conditions(template, values), params=values)
    return body, template, values


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def take_over(stack, body, template, values, props):
    """Prepares the stack's record for the next operation."""
    stack.update(
        {
            "LastUpdatedTime": now_iso(),
            "Description": template.get("Description", ""),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
                for key, value in values.items()
            ],
            "Tags": own_tags(props),
            "_template": template,
            "_template_body": body,
            "_resolved_params": values,
            "_conditions": engine._evaluate_conditions(template, values),
        }
    )
    topics = props.get("NotificationARNs")
    if topics is not None:
        stack["_notification_arns"] = topics


def own_tags(props):
    tags = provisioners._tag_map(props.get("Tags"))
    return [{"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")]


def run(stack, operation, previous=None):
    name, stack_id = stack["StackName"], stack["StackId"]
    stack["StackStatus"] = f"{operation}_IN_PROGRESS"
    stacks._add_event(stack_id, name, name, STACK_TYPE, stack["StackStatus"], physical_id=stack_id)
    in_clean_context(
        stacks._deploy_stack_async(
            name,
            stack_id,
            stack["_template"],
            stack["_resolved_params"],
            False,
            stack["Tags"],
            is_update=previous is not None,
            previous_stack=previous,
        )
    )


def in_clean_context(operation):
    """Runs the operation in this thread; from the parent's operation it only takes account and Region."""

    def with_clean_context():
        provisioners._NAME_SEED.set("")
        provisioners._RETAIN_REPLACED.set(False)
        provisioners._DEFERRED_PREDECESSOR_DELETES.set(None)
        asyncio.run(operation)

    contextvars.copy_context().run(with_clean_context)


def attributes(stack):
    return {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in stack["Outputs"]}


def by_id(physical_id):
    return next((s for s in cloudformation._stacks.values() if s["StackId"] == physical_id), None)
