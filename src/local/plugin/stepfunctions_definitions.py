"""Step Functions: validation of definitions, and versions and aliases of state machines in CloudFormation.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_StepFunctions.html
"""

import json

import yaml

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions as sfn
from ministack.services.cloudformation import provisioners

from patching import wrap


def install():
    definitions()
    versions()
    provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachineVersion"] = {
        "create": create_version,
        "update": lambda physical_id, _old, new, stack_name: create_version(physical_id, new, stack_name),
        "delete": lambda physical_id, _props: sfn._delete_state_machine_version({"stateMachineVersionArn": physical_id}),
    }
    provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachineAlias"] = {
        "create": create_alias,
        "update": update_alias,
        "delete": lambda physical_id, _props: sfn._delete_state_machine_alias({"stateMachineAliasArn": physical_id}),
    }


def definitions():
    """Accepts only JSON in the API; CloudFormation also reads YAML and passes JSON on."""

    def refuse_invalid(original, data):
        problem = problem_of(data["definition"]) if "definition" in data else None
        if problem:
            message = f"Invalid State Machine Definition: '{problem}'"
            return error_response_json("InvalidDefinition", message, 400)
        answer = original(data)
        machine = sfn._state_machines.get(data.get("stateMachineArn"))
        if answer[0] == 200 and machine and "revisionId" in machine:
            # UpdateStateMachine returns the new revision, published or not
            return answer[0], answer[1], json.dumps({**json.loads(answer[2]), "revisionId": machine["revisionId"]}).encode()
        return answer

    for operation in ("_create_state_machine", "_update_state_machine"):
        wrap(sfn, operation)(refuse_invalid)

    @wrap(provisioners, "_sfn_definition")
    def _sfn_definition(original, props):
        text = original(props)
        try:
            json.loads(text)
        except ValueError:
            text = json.dumps(yaml.safe_load(text), default=str)
        problem = problem_of(text)
        if problem:
            raise provisioners._sfn_handler_error(f"Invalid State Machine Definition: '{problem}'")
        return text


def versions():
    """Publishes one version of a revision: https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html"""

    @wrap(sfn, "_publish_state_machine_version")
    def _publish_state_machine_version(original, data):
        arn = data.get("stateMachineArn")
        revision = sfn._state_machines.get(arn, {}).get("revisionId")
        for version in sfn._state_machine_versions.values():
            if revision and version["stateMachineArn"] == arn and version["stateMachineRevisionId"] == revision:
                published = {name: version[name] for name in ("stateMachineVersionArn", "creationDate")}
                return json_response(published)
        return original(data)


def problem_of(text):
    try:
        definition = json.loads(text)
    except ValueError as error:
        return f"INVALID_JSON_DESCRIPTION: {error}"
    return schema_problem(definition, "") if isinstance(definition, dict) else "INVALID_JSON_DESCRIPTION: not an object"


def schema_problem(machine, place):
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        return f"SCHEMA_VALIDATION_FAILED: The field 'States' is required at {place or '/'}"
    if machine.get("StartAt") not in states:
        return f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {machine.get('StartAt')} at {place}/StartAt"
    for name, state in states.items():
        here = f"{place}/States/{name}"
        if state.get("Type") == "Task" and not str(state.get("Resource", "")).startswith("arn:"):
            return f"SCHEMA_VALIDATION_FAILED: Value is not a valid resource ARN at {here}/Resource"
        if state.get("Next", name) not in states:
            return f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {state['Next']} at {here}/Next"
        inner = [*(state.get("Branches") or []), state.get("Iterator"), state.get("ItemProcessor")]
        for part in [machine for machine in inner if machine]:
            problem = schema_problem(part, here)
            if problem:
                return problem
    return None


def create_version(_logical_id, props, _stack_name):
    arn = props["StateMachineArn"]
    data = {"stateMachineArn": arn, "description": props.get("Description", "")}
    version = answer_of(sfn._publish_state_machine_version(data))["stateMachineVersionArn"]
    return version, {"Arn": version}


def create_alias(logical_id, props, _stack_name):
    data = {
        "name": props.get("Name") or logical_id,
        "description": props.get("Description", ""),
        "routingConfiguration": routing_of(props),
    }
    alias = answer_of(sfn._create_state_machine_alias(data))["stateMachineAliasArn"]
    return alias, {"Arn": alias}


def update_alias(physical_id, _old, new, _stack_name):
    data = {"description": new.get("Description", ""), "routingConfiguration": routing_of(new)}
    answer_of(sfn._update_state_machine_alias({"stateMachineAliasArn": physical_id, **data}))
    return physical_id, {"Arn": physical_id}


def routing_of(props):
    """Returns the weights as written, or routes everything to the target version of a gradual deployment."""
    preference = props.get("DeploymentPreference")
    if preference:
        return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]
    return [
        {"stateMachineVersionArn": entry["StateMachineVersionArn"], "weight": int(entry["Weight"])}
        for entry in props.get("RoutingConfiguration") or []
    ]


def answer_of(response):
    status, _headers, body = response
    answer = json.loads(body)
    if status >= 400:
        raise ValueError(answer.get("message") or body)
    return answer
