"""AWS Cloud Control API for resources of stacks, which MiniStack's own does not reach.

https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_Operations.html
"""

import copy
import json

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudcontrol, cloudformation, cloudwatch, dynamodb, eventbridge, scheduler, sns
from ministack.services.cloudformation import drift, provisioners

from appsync_resources import read_function, read_resolver
from cloudformation_drift import read_alias, read_mapping, read_url
from patching import wrap

ALARM = (
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
    "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Namespace", "OKActions", "Period",
    "Statistic", "Threshold", "TreatMissingData", "Unit",
)
RULE = ("Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State")
SCHEDULE = (
    "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name", "ScheduleExpression",
    "ScheduleExpressionTimezone", "StartDate", "State", "Target",
)
# what CloudFormation sets where a template has nothing
SCHEDULE_DEFAULTS = {"Description": "", "ScheduleExpressionTimezone": "UTC", "State": "ENABLED"}
TOPIC = ("ContentBasedDeduplication", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
# what the type's schema calls writeOnly
UNREADABLE = {"AWS::SSM::Parameter": ("AllowedPattern", "Description", "Policies", "Tier")}
NUMBERS = (
    "DelaySeconds", "KmsDataKeyReusePeriodSeconds", "MaximumMessageSize", "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout",
)


def install():
    """Leads requests to the resources of stacks, and adds the properties that CloudFormation drops."""
    updates = {}

    @wrap(cloudcontrol, "_get_resource")
    def _get_resource(original, data):
        type_name, identifier = data.get("TypeName"), data.get("Identifier")
        if type_name not in READERS:
            return original(data)
        found = find(type_name, identifier)
        if found is None:
            return not_found(type_name, identifier)
        description = {"Identifier": identifier, "Properties": json.dumps(found["model"])}
        return json_response({"TypeName": type_name, "ResourceDescription": description})

    @wrap(cloudcontrol, "_update_resource")
    def _update_resource(original, data):
        """An update is asynchronous; a request with the token of an earlier one is that one."""
        type_name, identifier, token = data.get("TypeName"), data.get("Identifier"), data.get("ClientToken")
        if type_name not in READERS:
            return original(data)
        request = (type_name, identifier, data.get("PatchDocument"))
        if token in updates:
            earlier, event = updates[token]
            if earlier != request:
                return error_response_json("ClientTokenConflictException", "Another request has this token.", 409)
            return json_response({"ProgressEvent": event})
        found = find(type_name, identifier)
        if found is None:
            return not_found(type_name, identifier)
        try:
            wanted = patched(copy.deepcopy(found["model"]), json.loads(data["PatchDocument"]))
        except Exception as error:  # AWS says so of any patch that it cannot read
            return error_response_json("InvalidRequestException", str(error), 400)
        end = update(type_name, found, wanted)
        event = {**end, "Identifier": identifier, "OperationStatus": "IN_PROGRESS"}
        for member in ("ErrorCode", "StatusMessage"):
            event.pop(member, None)
        updates[token] = (request, event)
        return json_response({"ProgressEvent": event})

    dropped_properties()


def update(type_name, found, wanted):
    """Updates the resource as a deployment does; the event with which the update ends."""
    handler = provisioners._RESOURCE_HANDLERS[type_name]
    named = (found["logical_id"],) if handler.get("update_with_logical_id") else ()
    try:
        handler["update"](found["physical_id"], found["model"], wanted, found["stack_name"], *named)
        event = cloudcontrol._progress_event("UPDATE", "SUCCESS", type_name=type_name)
    except Exception as error:
        event = cloudcontrol._progress_event(
            "UPDATE", "FAILED", type_name=type_name, status_message=str(error), error_code="InvalidRequest"
        )
    return cloudcontrol._record_request(event)


def patched(model, patch):
    """The properties after a JSON patch (RFC 6902) of `add`, `replace` and `remove`; MiniStack's knows no lists."""
    for change in patch:
        *parents, last = change["path"].split("/")[1:]
        at = model
        for name in parents:
            at = at[int(name)] if isinstance(at, list) else at[name]
        if change["op"] == "remove":
            del at[last]
        else:
            at[last] = change["value"]
    return model


def find(type_name, identifier):
    """The resource of a stack, with its properties as the service has them."""
    for stack in list(cloudformation._stacks.values()):
        if stack["StackStatus"].startswith("DELETE"):
            continue
        for logical_id, record in stack.get("_resources", {}).items():
            if record.get("ResourceType") != type_name:
                continue
            physical_id, declared = record.get("PhysicalResourceId"), record.get("Properties") or {}
            if identifier not in (physical_id, rule_arn(physical_id, declared)):
                continue
            model = READERS[type_name](physical_id, declared)
            if model is not None:
                model = {key: value for key, value in model.items() if value not in (None, "") or key == "Value"}
                return {
                    "logical_id": logical_id,
                    "model": copy.deepcopy(model),
                    "physical_id": physical_id,
                    "stack_name": stack["StackName"],
                }
    return None


def not_found(type_name, identifier):
    message = f"Resource of type '{type_name}' with identifier '{identifier}' was not found."
    return error_response_json("ResourceNotFoundException", message, 400)


def rule_arn(name, declared):
    return eventbridge._rule_arn(name, declared.get("EventBusName") or "default")


def read_alarm(name, _declared):
    alarm = cloudwatch._alarms.get(name)
    return alarm and {key: alarm.get(key) for key in ALARM}


def read_dashboard(name, _declared):
    dashboard = cloudwatch._dashboards.get(name)
    return dashboard and {key: dashboard[key] for key in ("DashboardBody", "DashboardName")}


def read_rule(name, declared):
    key = eventbridge._rule_key(name, provisioners._eb_rule_bus_name(declared))
    rule = eventbridge._rules.get(key)
    if rule is None:
        return None
    model = {key: rule.get(key) for key in RULE}
    if model["EventPattern"]:
        model["EventPattern"] = json.loads(model["EventPattern"])
    return {**model, "Targets": eventbridge._targets.get(key, [])}


def read_schedule(name, declared):
    schedule = scheduler._schedules.get(f"{declared.get('GroupName', 'default')}/{name}")
    return schedule and {key: schedule.get(key) for key in SCHEDULE}


def read_table(name, declared):
    model = drift._read_dynamodb_table(name, declared)
    if model is None:
        return None
    enabled = bool(dynamodb._pitr_settings.get(name, False))
    model.pop("Tags")
    return {**model, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled}}


def read_topic(arn, declared):
    model = drift._read_sns_topic(arn, declared)
    if model is None:
        return None
    model.pop("Tags")
    attributes = sns._topics[arn]["attributes"]
    return {**model, **{key: attributes[key] for key in TOPIC if key in attributes}}


def read_queue(url, declared):
    model = drift._read_sqs_queue(url, declared)
    if model is None:
        return None
    model.pop("Tags")
    return {key: int(value) if key in NUMBERS else value for key, value in model.items()}


def read_parameter(name, declared):
    model = drift._read_ssm_parameter(name, declared)
    hidden = ("Tags", *UNREADABLE["AWS::SSM::Parameter"])
    return model and {key: value for key, value in model.items() if key not in hidden}


READERS = {
    "AWS::AppSync::FunctionConfiguration": read_function,
    "AWS::AppSync::Resolver": read_resolver,
    "AWS::Lambda::Alias": read_alias,
    "AWS::Lambda::EventSourceMapping": read_mapping,
    "AWS::Lambda::Url": read_url,
    "AWS::CloudWatch::Alarm": read_alarm,
    "AWS::CloudWatch::Dashboard": read_dashboard,
    "AWS::DynamoDB::Table": read_table,
    "AWS::Events::Rule": read_rule,
    "AWS::SNS::Topic": read_topic,
    "AWS::SQS::Queue": read_queue,
    "AWS::SSM::Parameter": read_parameter,
    "AWS::Scheduler::Schedule": read_schedule,
}


def dropped_properties():
    """Sets the properties of schedules, topics and tables that MiniStack's CloudFormation ignores."""

    @wrap(provisioners, "_scheduler_schedule_update")
    def _scheduler_schedule_update(original, physical_id, old, new, stack_name):
        result = original(physical_id, old, new, stack_name)
        schedule = scheduler._schedules.get(f"{new.get('GroupName', 'default')}/{result[0]}")
        for key in SCHEDULE:
            if key not in ("GroupName", "Name"):
                schedule[key] = new.get(key, SCHEDULE_DEFAULTS.get(key))
        return result

    def topic(original, *args, **kwargs):
        result = original(*args, **kwargs)
        props = args[2] if original.__name__ == "_sns_update" else args[1]
        attributes = sns._topics[result[0]]["attributes"]
        for key in TOPIC:
            attributes.pop(key, None)
        attributes.update({key: str(props[key]) for key in TOPIC if key in props})
        return result

    def table(original, *args, **kwargs):
        result = original(*args, **kwargs)
        props = args[2] if original.__name__ == "_ddb_update" else args[1]
        recovery = props.get("PointInTimeRecoverySpecification") or {}
        dynamodb._pitr_settings[result[0]] = provisioners._cfn_bool(recovery.get("PointInTimeRecoveryEnabled"))
        return result

    for name in ("_sns_create", "_sns_update"):
        wrap(provisioners, name)(topic)
    for name in ("_ddb_create", "_ddb_update"):
        wrap(provisioners, name)(table)
