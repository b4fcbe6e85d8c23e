"""Writes src/model/validation/cloudformation-types.json: what AWS CloudFormation and AWS SAM accept in a template.

Run it with a newer release of cfn-lint from time to time: python3 scripts/cloudformation-types.py [VERSION]
cfn-lint (https://pypi.org/project/cfn-lint, MIT-0) has the resource schemas of all Regions and those of AWS SAM. The schemas of
SAM lack some properties, so those that its transform reads (aws-sam-translator, Apache-2.0, which cfn-lint needs) are added.
"""

import inspect
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = sys.argv[1] if len(sys.argv) > 1 else "1.58.0"
TARGET = Path(__file__).parent.parent / "src/model/validation/cloudformation-types.json"
# their properties are checked, those of other types are not
CHECKED = ("AWS::Serverless::", "AWS::Lambda::")
# stands for a value of any form
ANY = 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--target", folder]
        subprocess.run([*install, f"cfn-lint=={VERSION}"], check=True)
        sys.path.insert(0, folder)
        write(Path(folder) / "cfnlint/data/schemas")


def write(data):
    types, properties, shapes = {}, {}, Shapes()
    sam_properties, event_properties, event_types = transform_properties()
    policies = policy_templates()
    for name, files in sorted(schema_files(data).items()):
        # of a type whose schema differs by Region, what any Region accepts
        schemas = [json.loads((data / "resources" / f"{file}.json").read_text()) for file in sorted(files)]
        _, service, resource = name.split("::", 2)
        types.setdefault(service, {})[resource] = " ".join(attributes_of(name, schemas))
        if name.startswith(CHECKED):
            shape = ANY
            for position, schema in enumerate(schemas):
                own = Reader(schema).object(schema, ())
                shape = own if position == 0 else merge(shape, own)
            if name in sam_properties and isinstance(shape, dict):
                for event in values_of(shape.get("Events", ANY)):
                    if isinstance(event.get("Properties"), dict):
                        event["Properties"].update({**event_properties, **event["Properties"]})
                    if name in event_types:
                        event["Type"] = ["one of", event_types[name]]
                shape = {**sam_properties[name], **shape}
                if "Policies" in shape:
                    shape["Policies"] = ["list", policies]
            properties[name] = shapes.add(shape)
    date = json.loads((data / "version.json").read_text())["schema_date"][:10]
    document = {"source": f"cfn-lint {VERSION}", "date": date, "types": types, "properties": properties, "globals": globals_properties()}
    text = json.dumps({**document, "shapes": shapes.list}, separators=(",", ":"))
    TARGET.write_text(text + "\n")
    print(f"{TARGET.name}: {sum(map(len, types.values()))} types of {date}, {len(shapes.list)} shapes, {len(text)} bytes")


def globals_properties():
    """The properties that SAM's transform accepts in Globals, by section."""
    from samtranslator.plugins.globals.globals import Globals

    return {kind.rsplit("::", 1)[1]: " ".join(names) for kind, names in sorted(Globals.supported_properties.items())}


def transform_properties():
    """The properties that SAM's transform reads, of each type and of all events; and the types of events it knows."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from samtranslator.model import sam_resources
    from samtranslator.model.eventsources import cloudwatchlogs, pull, push

    types, events, event_types = {}, {}, {}
    for module in (sam_resources, cloudwatchlogs, pull, push):
        for _, found in inspect.getmembers(module, inspect.isclass):
            kind, names = getattr(found, "resource_type", None), getattr(found, "property_types", None)
            if not isinstance(kind, str) or not isinstance(names, dict):
                continue
            known = {name: ANY for name in names if not name.startswith("__")}
            if kind.startswith("AWS::Serverless::"):
                types[kind] = known
                if hasattr(found, "event_resolver"):
                    event_types[kind] = sorted(filter(None, found.event_resolver.resource_types))
            elif not kind.startswith("AWS::"):
                events.update(known)
    return types, events, event_types


def policy_templates():
    """What an item of `Policies` may be: a policy template of SAM with its parameters, or a policy document."""
    from samtranslator.policy_template_processor.processor import PolicyTemplatesProcessor

    templates = PolicyTemplatesProcessor.get_default_policy_templates_json()["Templates"]
    known = {name: dict.fromkeys(template["Parameters"], ANY) for name, template in templates.items()}
    return {**known, "Id": ANY, "Statement": ANY, "Version": ANY}


def values_of(shape):
    """The mappings that the values of a map may be."""
    return [shape[1]] if isinstance(shape, list) and isinstance(shape[1], dict) else []


def schema_files(data):
    """The schema files of each type, over all Regions."""
    found = {}
    for region in (data / "providers").glob("*.json"):
        for name, file in json.loads(region.read_text()).items():
            if name.startswith("AWS::"):
                found.setdefault(name, set()).add(file)
    return found


def attributes_of(name, schemas):
    """The attributes of Fn::GetAtt, at most two names deep. `*`: any attribute."""
    from cfnlint.schema._getatts import GetAtts
    from cfnlint.schema import Schema

    found = set()
    for schema in schemas:
        found |= set(GetAtts(Schema(schema)).attrs.data)
    # SAM's type has those of what it becomes
    if any("*" in attribute for attribute in found) or (name.startswith("AWS::Serverless::") and not found):
        return ["*"]
    return sorted(attribute for attribute in found if attribute.count(".") < 2)


class Reader:
    """Reads the shapes of one schema: which keys a mapping may have, and the shapes of their values."""

    def __init__(self, schema):
        self.definitions = schema.get("definitions", {})

    def value(self, schema, above):
        """ANY, a mapping of names to shapes, ["list", shape], or ["map", shape] with names that the user chooses."""
        schema = self.resolve(schema)
        if id(schema) in above:
            return ANY
        above = (*above, id(schema))
        if "properties" in schema:
            return self.object(schema, above)
        alternatives = [item for key in ("anyOf", "oneOf", "allOf") for item in schema.get(key, [])]
        if alternatives:
            # a text, a number … has no keys to check
            below = [self.value(item, above) for item in alternatives if not self.is_scalar(item)]
            return ANY if not below or ANY in below else self.merged(below)
        if "items" in schema:
            return wrap("list", self.value(schema["items"], above))
        if isinstance(schema.get("additionalProperties"), dict):
            return wrap("map", self.value(schema["additionalProperties"], above))
        patterns = list(schema.get("patternProperties", {}).values())
        if len(patterns) == 1 and schema.get("additionalProperties") is False:
            return wrap("map", self.value(patterns[0], above))
        return ANY

    def object(self, schema, above):
        if schema.get("additionalProperties") is not False or schema.get("patternProperties"):
            return ANY
        return {name: self.value(value, above) for name, value in schema["properties"].items()}

    def merged(self, shapes):
        result = shapes[0]
        for shape in shapes[1:]:
            result = merge(result, shape)
        return result

    def is_scalar(self, schema):
        return self.resolve(schema).get("type") in ("string", "number", "integer", "boolean")

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].removeprefix("#/definitions/").replace("~1", "/")]
        return schema


def wrap(kind, shape):
    return ANY if shape == ANY else [kind, shape]


def merge(one, other):
    """What either of them accepts."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: merge(one[name], other[name]) for name in one if name in other}
        return {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list) and one[0] == other[0]:
        return wrap(one[0], merge(one[1], other[1]))
    return ANY


class Shapes:
    """The list of distinct mappings. A reference is its position + 1, [it] for a list, {"*": it} for a map, {"=": words}."""

    def __init__(self):
        self.list = []
        self.known = {}

    def add(self, shape):
        if shape == ANY:
            return 0
        if isinstance(shape, list):
            if shape[0] == "one of":
                return {"=": " ".join(shape[1])}
            below = self.add(shape[1])
            return [below] if shape[0] == "list" else {"*": below}
        own = {name: self.add(value) for name, value in sorted(shape.items())}
        plain = [name for name, value in own.items() if value == 0]
        # names with any value as one text: it is shorter, and faster to read
        entry = {"": " ".join(plain), **{name: value for name, value in own.items() if value != 0}}
        key = json.dumps(entry)
        if key not in self.known:
            self.list.append(entry)
            self.known[key] = len(self.list)
        return self.known[key]


main()
