"""Resource types that MiniStack lacks: recorded with an ID and the attributes of the type, without any function.

An application is not refused because of its alarms' group, its gradual deployment or an event schema; a misspelled type still is.
"""

import json
from pathlib import Path

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

# beside the bundle, and in a checkout: the types of AWS CloudFormation with their attributes, by service
TYPES = ("../cloudformation-types.json", "../../model/validation/cloudformation-types.json")
# SAM's transform replaces its types, and these are more than a record
OTHERS = ("AWS::Serverless::", "AWS::CloudFormation::")


def install():
    for resource_type, names in known_types():
        if not resource_type.startswith(OTHERS):
            provisioners._RESOURCE_HANDLERS.setdefault(resource_type, placeholder(resource_type, names.split()))


def known_types():
    folder = Path(__file__).resolve().parent
    file = next(path for path in (folder / place for place in TYPES) if path.exists())
    for service, types in json.loads(file.read_text(encoding="utf-8"))["types"].items():
        for name, names in types.items():
            yield f"AWS::{service}::{name}", names


def placeholder(resource_type, names):
    service, name = resource_type.split("::")[1:]

    def create(logical_id, _props, stack_name):
        physical_id = f"{stack_name}-{logical_id}-{new_uuid()[:8]}"
        return physical_id, attributes(physical_id)

    def update(physical_id, _old, _new, _stack_name):
        return physical_id, attributes(physical_id)

    def attributes(physical_id):
        place = f"{service.lower()}:{get_region()}:{get_account_id()}"
        arn = f"arn:aws:{place}:{name.lower()}/{physical_id}"
        return {attribute: arn if attribute.endswith("Arn") else physical_id for attribute in ["Arn", "Id", "Name", *names]}

    return {"create": create, "update": update, "delete": lambda _physical_id, _props: None}
