"""All parts of the plugin, in the order of wrapping MiniStack's functions."""

import apigateway_http
import apigateway_http_deployments
import apigateway_rest
import apigateway_services
import apigateway_stages
import apigateway_tags
import appsync_resources
import cloud_control
import cloudformation_drift
import cloudformation_events
import cloudformation_nested
import cloudformation_stacks
import cloudformation_types
import control
import lambda_event_sources
import lambda_functions
import lambda_processes
import lambda_web_functions
import resource_tags
import stepfunctions_definitions
import stepfunctions_settings

PARTS = (
    lambda_functions,
    lambda_event_sources,
    lambda_processes,
    lambda_web_functions,
    apigateway_rest,
    apigateway_services,
    apigateway_stages,
    apigateway_tags,
    apigateway_http,
    apigateway_http_deployments,
    stepfunctions_definitions,
    stepfunctions_settings,
    cloudformation_types,
    cloudformation_drift,
    cloudformation_stacks,
    cloudformation_events,
    cloudformation_nested,
    appsync_resources,
    cloud_control,
    resource_tags,
)


def install():
    """Applies all parts and returns the ASGI application to serve."""
    for part in PARTS:
        part.install()
    return control.guard()
