"""Reads a request as AWS's own service models describe it: which operation it is, and with which parameters.

The models are botocore's, from PyPI: they are installed with the local cloud; `models` has those that are newer (without outputs and
texts, and only the operations that are called). Reading is the opposite of what an SDK does, so
nothing of botocore's serializers can be used for it.
"""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import botocore.session

# signing name in a request's credential scope -> name of the model
SERVICES = {
    "appsync": "appsync",
    "cloudcontrolapi": "cloudcontrol",
    "cloudformation": "cloudformation",
    "ecr": "ecr",
    "lambda": "lambda",
    "logs": "logs",
    "s3": "s3",
    "states": "stepfunctions",
    "sts": "sts",
    "tagging": "resourcegroupstaggingapi",
}


def model_name(signing_name, path):
    """Both generations of API Gateway sign with one name, and so do Lambda and its Web Functions."""
    if signing_name == "apigateway":
        return "apigatewayv2" if path.startswith("/v2/") else "apigateway"
    if signing_name == "lambda" and path.startswith("/2025-03-07/"):
        return "lambda-web"
    return SERVICES.get(signing_name)


class Models:
    """The service models, each loaded when its first request comes; those that are loaded serve every instance."""

    _session = botocore.session.get_session()
    _session.get_component("data_loader").search_paths.append(str(Path(__file__).parent / "models"))
    _services = {}

    def load_all(self):
        for service in {*SERVICES.values(), "apigateway", "apigatewayv2"}:
            self._load(service)

    def protocol(self, service):
        return self._load(service)[0].metadata["protocol"]

    def _load(self, service):
        if service not in self._services:
            model = self._session.get_service_model(service)
            self._services[service] = (model, routes(model))
        return self._services[service]

    def read(self, request, service, problem):
        """The operation's name, the shape of its input, and its parameters; no name: the service has no such operation."""
        model, table = self._load(service)
        protocol = self.protocol(service)
        if protocol == "query":
            return read_query(model, request, problem)
        if protocol == "json":
            return read_json(model, request, problem)
        name, labels = match_route(table, request)
        if name is None:
            return None, None, {}
        operation = model.operation_model(name)
        return name, operation.input_shape, read_rest(operation, labels, request, protocol, problem)


class Route:
    """Where the operation of a REST protocol is found."""

    def __init__(self, operation):
        path, _, query = operation.http["requestUri"].partition("?")
        self.name = operation.name
        self.method = operation.http["method"]
        self.literals = dict(parse_qsl(query, keep_blank_values=True))
        self.labels = [part.rstrip("+") for part in re.findall(r"\{([^}]+)\}", path)]
        pieces = re.split(r"(\{[^}]+\})", path.rstrip("/") or "/")
        self.fixed = sum(len(piece) for piece in pieces if not piece.startswith("{"))
        self.pattern = re.compile("".join(map(piece_pattern, pieces)) + "/?")
        self.wanted = [
            (member.serialization.get("location"), member.serialization.get("name", name).lower())
            for name, member in required_members(operation)
            if member.serialization.get("location") in ("querystring", "header")
        ]


def piece_pattern(piece):
    if not piece.startswith("{"):
        return re.escape(piece)
    return "(.+)" if piece.endswith("+}") else "([^/]+)"


def required_members(operation):
    shape = operation.input_shape
    return [(name, shape.members[name]) for name in shape.required_members] if shape else []


def routes(model):
    if not model.metadata["protocol"].startswith("rest"):
        return []
    return [Route(model.operation_model(name)) for name in model.operation_names]


def match_route(table, request):
    """The most exact route: several operations of S3 differ only in parameters of the query string or in headers."""
    best = None
    in_query = {name.lower() for name, _ in request.query}
    for route in table:
        match = route.pattern.fullmatch(request.service_path) if route.method == request.method else None
        if match is None or not has_literals(route, dict(request.query)):
            continue
        present = sum(name in (in_query if where == "querystring" else request.headers) for where, name in route.wanted)
        rank = (present - len(route.wanted), len(route.literals), present, route.fixed, -len(route.labels))
        if best is None or rank > best[0]:
            best = (rank, route.name, dict(zip(route.labels, map(unquote, match.groups()))))
    return (None, {}) if best is None else best[1:]


def has_literals(route, query):
    return all(name in query and (value == "" or query[name] == value) for name, value in route.literals.items())


def read_rest(operation, labels, request, protocol, problem):
    shape = operation.input_shape
    if shape is None:
        return {}
    parameters, body_members = {}, {}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if location is None:
            body_members[name] = member
            continue
        value = located_value(member, (location, wire), labels, request, problem)
        if value is not None:
            parameters[name] = value
    known = {m.serialization.get("name", n) for n, m in shape.members.items() if m.serialization.get("location") == "querystring"}
    check_query(operation, known, request, problem)
    if payload is not None:
        value = read_payload(shape.members[payload], request, protocol, problem)
        if value is not None:
            parameters[payload] = value
    elif body_members and request.body:
        parameters.update(rename(parse_json(request.body, problem), body_members))
    return parameters


def located_value(member, at, labels, request, problem):
    location, wire = at
    if location == "uri":
        return to_scalar(member, labels[wire], wire, problem) if wire in labels else None
    if location == "headers":
        prefix = wire.lower()
        found = {name[len(prefix) :]: value for name, value in request.headers.items() if name.startswith(prefix)}
        return found or None
    if location == "header":
        text = request.headers.get(wire.lower())
        return None if text is None else to_scalar(member, text, wire, problem)
    texts = [value for name, value in request.query if name == wire]
    if not texts or member.type_name == "map":
        return None
    if member.type_name == "list":
        return [to_scalar(member.member, text, wire, problem) for text in texts]
    return to_scalar(member, texts[0], wire, problem)


def check_query(operation, known, request, problem):
    literals = dict(parse_qsl(operation.http["requestUri"].partition("?")[2], keep_blank_values=True))
    takes_any = any(m.type_name == "map" and m.serialization.get("location") == "querystring" for m in operation.input_shape.members.values())
    for name, _ in request.query:
        # the SDK for JavaScript adds the operation's name
        if not takes_any and name not in known and name not in literals and name != "x-id":
            problem(f"?{name}", "is no parameter of this operation")


def read_payload(member, request, protocol, problem):
    if not request.body:
        return None
    if member.type_name == "blob":
        return request.body
    if member.type_name == "string":
        return request.body.decode()
    if protocol == "rest-json":
        return rename(parse_json(request.body, problem), getattr(member, "members", {}))
    return from_xml(member, ElementTree.fromstring(request.body))


def read_json(model, request, problem):
    target = request.headers.get("x-amz-target", "").partition(".")[2]
    if target not in model.operation_names:
        return None, None, {}
    shape = model.operation_model(target).input_shape
    return target, shape, parse_json(request.body, problem) if request.body else {}


def parse_json(body, problem):
    try:
        value = json.loads(body)
    except ValueError:
        problem("(body)", "is not JSON")
        return {}
    if isinstance(value, dict):
        return value
    problem("(body)", "is not a JSON object")
    return {}


def rename(values, members):
    """Names as the model has them, not as they are sent."""
    names = {member.serialization.get("name", name): name for name, member in members.items()}
    return {names.get(name, name): value for name, value in values.items()}


def read_query(model, request, problem):
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    name = form.pop("Action", None)
    version = form.pop("Version", None)
    if name not in model.operation_names:
        return None, None, {}
    if version != model.api_version:
        problem("Version", f"is {version}, not {model.api_version}")
    shape = model.operation_model(name).input_shape
    used = set()
    parameters = from_form(shape, form, "", (used, problem)) if shape else {}
    for extra in sorted(set(form) - used):
        problem(extra, "is no parameter of this operation")
    return name, shape, parameters


def from_form(shape, form, prefix, notes):
    used, problem = notes
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            at = ".".join(filter(None, (prefix, member.serialization.get("name", name))))
            if any(key == at or key.startswith(at + ".") for key in form):
                found[name] = from_form(member, form, at, notes)
        return found
    if shape.type_name == "list":
        if prefix in form:  # how an empty list is sent
            used.add(prefix)
            return []
        flat = shape.serialization.get("flattened")
        base = prefix if flat else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        numbers = {int(key[len(base) + 1 :].split(".")[0]) for key in form if key.startswith(base + ".")}
        return [from_form(shape.member, form, f"{base}.{number}", notes) for number in sorted(numbers)]
    used.add(prefix)
    return to_scalar(shape, form.get(prefix, ""), prefix, problem)


def from_xml(shape, node):
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            nodes = [child for child in node if child.tag.split("}")[-1] == wire]
            if nodes and member.type_name == "list" and member.serialization.get("flattened"):
                found[name] = [from_xml(member.member, child) for child in nodes]
            elif nodes:
                found[name] = from_xml(member, nodes[0])
        return found
    if shape.type_name == "list":
        return [from_xml(shape.member, child) for child in node]
    return to_scalar(shape, node.text or "", shape.name, lambda *_: None)


NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def to_scalar(shape, text, name, problem):
    kind = shape.type_name
    if kind in NUMBERS:
        try:
            return NUMBERS[kind](text)
        except ValueError:
            problem(name, f"{text!r} is no {kind}")
            return None
    if kind == "boolean":
        if text not in ("true", "false"):
            problem(name, f"{text!r} is no boolean")
        return text == "true"
    if kind == "list":
        return [to_scalar(shape.member, part.strip(), name, problem) for part in text.split(",")]
    return text
