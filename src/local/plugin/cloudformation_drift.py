"""Drift of resources: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResourceDrifts.html."""

from ministack.services import lambda_svc
from ministack.services.cloudformation import drift

FUNCTION_SETTINGS = (
    "FileSystemConfigs",
    "Layers",
    "LoggingConfig",
    "SnapStart",
    "VpcConfig",
)


def install():
    """Compares more properties of functions, and event source mappings, aliases and function URLs."""
    read_function, supported = drift._DRIFT_READERS["AWS::Lambda::Function"]
    more = {*FUNCTION_SETTINGS, "DeadLetterConfig", "ImageConfig", "KmsKeyArn", "ReservedConcurrentExecutions"}
    drift._DRIFT_READERS["AWS::Lambda::Function"] = (lambda *args: with_settings(read_function, *args), supported | more)
    for name, reader, properties in (
        ("EventSourceMapping", read_mapping, MAPPING),
        ("Alias", read_alias, {"Description", "FunctionVersion", "ProvisionedConcurrencyConfig", "RoutingConfig"}),
        ("Url", read_url, {"AuthType", "Cors", "InvokeMode"}),
    ):
        drift._DRIFT_READERS[f"AWS::Lambda::{name}"] = (reader, frozenset(properties))


def among(actual, expected):
    """The members that the template sets: CloudFormation compares no others."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        return {key: among(actual[key], value) for key, value in expected.items() if key in actual}
    return actual


def with_settings(read_function, physical_id, props):
    current = read_function(physical_id, props)
    if current is None:
        return None
    function = lambda_svc._functions[physical_id]
    config = function["config"]
    current.update({name: config.get(name) for name in FUNCTION_SETTINGS})
    current["Layers"] = [layer["Arn"] if isinstance(layer, dict) else layer for layer in config.get("Layers") or []]
    current["DeadLetterConfig"] = config.get("DeadLetterConfig")
    current["ImageConfig"] = (config.get("ImageConfigResponse") or {}).get("ImageConfig")
    current["KmsKeyArn"] = config.get("KMSKeyArn")
    current["ReservedConcurrentExecutions"] = function.get("concurrency")
    return {name: among(value, props.get(name)) for name, value in current.items()}


MAPPING = {
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "SourceAccessConfigurations",
    "TumblingWindowInSeconds",
}


def read_mapping(physical_id, props):
    esm = lambda_svc._esms.get(physical_id)
    if esm is None:
        return None
    current = {**esm, "Enabled": esm["State"] == "Enabled", "KmsKeyArn": esm.get("KMSKeyArn")}
    return {name: current[name] for name in MAPPING if name in current}


def read_alias(physical_id, props):
    name, _, alias_name = physical_id.partition(":function:")[2].partition(":")
    function = lambda_svc._functions.get(name) or {}
    alias = function.get("aliases", {}).get(alias_name)
    if alias is None:
        return None
    current = {
        "Description": alias.get("Description"),
        "FunctionName": name,
        "FunctionVersion": alias.get("FunctionVersion"),
        "Name": alias_name,
    }
    provisioned = function.get("provisioned_concurrency", {}).get(alias_name)
    if provisioned:
        count = provisioned["RequestedProvisionedConcurrentExecutions"]
        current["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": count}
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    if weights:
        entries = [{"FunctionVersion": version, "FunctionWeight": weight} for version, weight in weights.items()]
        current["RoutingConfig"] = {"AdditionalVersionWeights": entries}
    return current


def read_url(physical_id, props):
    config = lambda_svc._function_urls.get(physical_id)
    if config is None:
        return None
    current = {name: among(config.get(name), props.get(name)) for name in ("AuthType", "Cors", "InvokeMode")}
    return {**current, **{name: props[name] for name in ("Qualifier", "TargetFunctionArn") if name in props}}
