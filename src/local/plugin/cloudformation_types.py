"""Resource types of SAM templates that MiniStack lacks: recorded with an ID, without any function.

An application is not refused because of its alarms' group or its gradual deployment; a misspelled type still is.
"""

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

PLACEHOLDERS = (
    "AWS::ApiGateway::BasePathMappingV2",
    "AWS::ApiGateway::ClientCertificate",
    "AWS::ApiGateway::DomainNameAccessAssociation",
    "AWS::ApiGateway::DomainNameV2",
    "AWS::ApiGateway::VpcLink",
    "AWS::ApiGatewayV2::ApiGatewayManagedOverrides",
    "AWS::ApiGatewayV2::VpcLink",
    "AWS::ApplicationInsights::Application",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentConfig",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Events::ApiDestination",
    "AWS::Events::Connection",
    "AWS::Lambda::CodeSigningConfig",
    "AWS::ResourceGroups::Group",
    "AWS::Route53::RecordSetGroup",
    "AWS::SSM::Document",
    "AWS::StepFunctions::Activity",
    "AWS::Synthetics::Canary",
    "AWS::XRay::Group",
)


def install():
    for resource_type in PLACEHOLDERS:
        provisioners._RESOURCE_HANDLERS.setdefault(resource_type, placeholder(resource_type))


def placeholder(resource_type):
    service, name = resource_type.split("::")[1:]

    def create(logical_id, _props, stack_name):
        physical_id = f"{stack_name}-{logical_id}-{new_uuid()[:8]}"
        return physical_id, attributes(physical_id)

    def update(physical_id, _old, _new, _stack_name):
        return physical_id, attributes(physical_id)

    def attributes(physical_id):
        place = f"{service.lower()}:{get_region()}:{get_account_id()}"
        arn = f"arn:aws:{place}:{name.lower()}/{physical_id}"
        return {"Arn": arn, "Id": physical_id, "Name": physical_id}

    return {"create": create, "update": update, "delete": lambda _physical_id, _props: None}
