"""Event source mappings: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html."""

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from patching import wrap

# settings that MiniStack drops, by their name in CloudFormation
DROPPED = {
    "KmsKeyArn": "KMSKeyArn",
    "MetricsConfig": "MetricsConfig",
    "ProvisionedPollerConfig": "ProvisionedPollerConfig",
    "SourceAccessConfigurations": "SourceAccessConfigurations",
    "TumblingWindowInSeconds": "TumblingWindowInSeconds",
}
NUMBERS = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)
BOOLEANS = ("BisectBatchOnFunctionError", "Enabled")


def install():
    """Keeps all settings of event source mappings, in the types of the API."""

    @wrap(lambda_svc, "_create_esm")
    def _create_esm(original, data):
        status, headers, body = original(data)
        return (status, headers, body) if status >= 400 else answer(keep(newest(), data, DROPPED.values()), status)

    @wrap(lambda_svc, "_update_esm")
    def _update_esm(original, esm_id, data):
        status, headers, body = original(esm_id, data)
        return (status, headers, body) if status >= 400 else answer(keep(lambda_svc._esms[esm_id], data, DROPPED.values()), status)

    @wrap(provisioners, "_lambda_esm_create")
    def _lambda_esm_create(original, logical_id, props, stack_name):
        typed = in_types_of_api(props)
        physical_id, attributes = original(logical_id, typed, stack_name)
        keep_properties(physical_id, typed)
        esm = lambda_svc._esms[physical_id]
        esm["State"] = "Enabled" if esm["Enabled"] else "Disabled"
        return physical_id, attributes

    @wrap(provisioners, "_lambda_esm_update")
    def _lambda_esm_update(original, physical_id, old_props, new_props, stack_name):
        typed = in_types_of_api(new_props)
        physical_id, attributes = original(physical_id, in_types_of_api(old_props), typed, stack_name)
        keep_properties(physical_id, typed)
        return physical_id, attributes


def newest():
    return list(lambda_svc._esms.values())[-1]


def answer(esm, status):
    return lambda_svc.json_response(lambda_svc._esm_response(esm), status)


def keep(esm, data, names):
    esm.update({name: data[name] for name in names if name in data})
    return esm


def keep_properties(physical_id, props):
    named = {DROPPED[name]: value for name, value in props.items() if name in DROPPED}
    keep(lambda_svc._esms[physical_id], named, DROPPED.values())


def in_types_of_api(props):
    """Values of parameters are text; CloudFormation converts them."""
    typed = dict(props)
    for name in NUMBERS:
        if isinstance(typed.get(name), str):
            typed[name] = int(typed[name])
    for name in BOOLEANS:
        if isinstance(typed.get(name), str):
            typed[name] = typed[name].lower() == "true"
    return typed
