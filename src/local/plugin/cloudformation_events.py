"""The events of a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html"""

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from patching import wrap

STACK_TYPE = "AWS::CloudFormation::Stack"
CLEANUP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"

# the first event of an operation, which is about the stack itself
STARTS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")


def install():
    """Gives unchanged resources no events, new ones CREATE events, and removed ones DELETE events at the end."""
    untouched, created = set(), set()

    @wrap(provisioners, "_update_resource")
    def _update_resource(original, resource_type, physical_id, old, new, stack_name, logical_id=None, attributes=None):
        stack_id = cloudformation._stacks.get(stack_name, {}).get("StackId")
        log = cloudformation._stack_events.get(stack_id)
        # an update always checks nested stacks
        if old == new and resource_type != STACK_TYPE and log and log[-1]["LogicalResourceId"] == logical_id:
            log.pop()
            untouched.add((stack_id, logical_id))
        return original(resource_type, physical_id, old, new, stack_name, logical_id, attributes)

    @wrap(stacks, "_add_event")
    def _add_event(original, stack_id, stack_name, logical_id, resource_type, status, reason="", physical_id="", **more):
        key = (stack_id, logical_id)
        if key in untouched:
            return untouched.discard(key)
        stack = cloudformation._stacks.get(stack_name) or {}
        record = stack.get("_resources", {}).get(logical_id)
        if logical_id == stack_name and resource_type == STACK_TYPE:
            physical_id = stack_id
            if status == "UPDATE_COMPLETE":
                begin_cleanup(stack, original)
                stack["StackStatus"] = status
            if status == "ROLLBACK_IN_PROGRESS" and reason == "Rollback requested" and latest_failures(stack_id)[0]:
                reason = f"{failed_resources(stack_id)} Rollback requested by user."
        elif status == "UPDATE_IN_PROGRESS" and record is None and stack["StackStatus"] == "UPDATE_IN_PROGRESS":
            created.add(key)
        if key in created and status.startswith("UPDATE_"):
            status = status.replace("UPDATE", "CREATE")
            if status != "CREATE_IN_PROGRESS":
                created.discard(key)
            if record:
                record["ResourceStatus"] = status
        physical_id = physical_id or (record or {}).get("PhysicalResourceId", "")
        return original(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, **more)

    @wrap(provisioners, "_delete_resource")
    def _delete_resource(original, resource_type, physical_id, props, stack_name=None, logical_id=None):
        stack = cloudformation._stacks.get(stack_name)
        if not stack or stack["StackStatus"] not in ("UPDATE_IN_PROGRESS", CLEANUP):
            return original(resource_type, physical_id, props, stack_name, logical_id)
        begin_cleanup(stack, stacks._add_event)
        about = (stack["StackId"], stack_name, logical_id, resource_type)
        stacks._add_event(*about, "DELETE_IN_PROGRESS", physical_id=physical_id)
        original(resource_type, physical_id, props, stack_name, logical_id)
        stacks._add_event(*about, "DELETE_COMPLETE", physical_id=physical_id)


def begin_cleanup(stack, add_event):
    """Reports the clean-up phase once, after all updates and before the deletion of replaced resources."""
    log = cloudformation._stack_events[stack["StackId"]]
    of_stack = [event["ResourceStatus"] for event in log if event["PhysicalResourceId"] == stack["StackId"]]
    if of_stack[-1:] != [CLEANUP]:
        stack["StackStatus"] = CLEANUP
        add_event(stack["StackId"], stack["StackName"], stack["StackName"], STACK_TYPE, CLEANUP, physical_id=stack["StackId"])


def failed_resources(stack_id):
    """Returns CloudFormation's message about the resources that failed in the latest operation."""
    failed, verb = latest_failures(stack_id)
    return f"The following resource(s) failed to {verb}: [{', '.join(failed)}]."


def latest_failures(stack_id):
    failed, verb = [], "create"
    for event in reversed(cloudformation._stack_events.get(stack_id, [])):
        if event["PhysicalResourceId"] == stack_id and event["ResourceStatus"] in STARTS:
            break
        status = event["ResourceStatus"]
        if status in ("CREATE_FAILED", "UPDATE_FAILED") and event["PhysicalResourceId"] != stack_id:
            failed.append(event["LogicalResourceId"])
            verb = status.split("_")[0].lower()
    return failed[::-1], verb
