"""Step Functions: logging and tracing of state machines and their versions.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
"""

import json

from ministack.core.responses import json_response
from ministack.services import stepfunctions as sfn
from ministack.services.cloudformation import provisioners

import openapi
from patching import wrap

NO_TRACING = {"enabled": False}


def install():
    """Adds tracing, and the API's spelling of what a template says."""
    api()
    resource_type()


def api():
    @wrap(sfn, "_update_state_machine")
    def _update_state_machine(original, data):
        answer = original(data)
        if answer[0] == 200 and "tracingConfiguration" in data:
            sfn._state_machines[data["stateMachineArn"]]["tracingConfiguration"] = data["tracingConfiguration"]
        return published(answer)

    @wrap(sfn, "_publish_state_machine_version")
    def _publish_state_machine_version(original, data):
        return published(original(data))

    @wrap(sfn, "_describe_state_machine")
    def _describe_state_machine(original, data):
        answer = original(data)
        if answer[0] != 200:
            return answer
        arn = data["stateMachineArn"]
        record = sfn._state_machines.get(arn) or sfn._state_machine_versions.get(arn) or {}
        tracing = record.get("tracingConfiguration", NO_TRACING)
        return json_response({**json.loads(answer[2]), "tracingConfiguration": tracing})


def published(answer):
    """Keeps the tracing of a version that the operation has published."""
    version = sfn._state_machine_versions.get(json.loads(answer[2]).get("stateMachineVersionArn"))
    if answer[0] == 200 and version and "tracingConfiguration" not in version:
        machine = sfn._state_machines.get(version["stateMachineArn"], {})
        version["tracingConfiguration"] = machine.get("tracingConfiguration", NO_TRACING)
    return answer


def resource_type():
    @wrap(provisioners, "_sfn_state_machine_create")
    def _sfn_state_machine_create(original, logical_id, props, stack_name):
        result = original(logical_id, spelled(props), stack_name)
        set_tracing(result[0], props)
        return result

    @wrap(provisioners, "_sfn_state_machine_update")
    def _sfn_state_machine_update(original, physical_id, old, new, stack_name, logical_id=None):
        result = original(physical_id, spelled(old), spelled(new), stack_name, logical_id)
        set_tracing(result[0], new)
        return result


def set_tracing(arn, props):
    enabled = str((props.get("TracingConfiguration") or {}).get("Enabled", False)).lower() == "true"
    sfn._state_machines[arn]["tracingConfiguration"] = {"enabled": enabled}


def spelled(props):
    logging = props.get("LoggingConfiguration")
    if not logging:
        return props
    included = str(logging.get("IncludeExecutionData", False)).lower() == "true"
    logging = {"Level": "OFF", **logging, "IncludeExecutionData": included}
    return {**props, "LoggingConfiguration": openapi.camel_case(logging)}
