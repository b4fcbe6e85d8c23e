"""Compares parameters with the shapes of a service model: members, types, enumerations, patterns, sizes and ranges."""

import base64
import binascii
import re

# what Java's regular expressions, in which the models are written, have and Python's do not
CHARACTER_CLASSES = {r"\p{L}": r"a-zA-Z\u00c0-\uffff", r"\p{Z}": r"\s", r"\p{N}": r"\d"}


def check(shape, value, path, problem):
    """Reports all that AWS would refuse in a value."""
    CHECKS.get(shape.type_name, lambda *_: None)(shape, value, path, problem)


def check_structure(shape, value, path, problem):
    if shape.is_document_type:
        return
    if not isinstance(value, dict):
        problem(path, f"is a {type(value).__name__} instead of a structure")
        return
    for name in shape.required_members:
        if value.get(name) is None:
            problem(join(path, name), "is required")
    if shape.is_tagged_union and len(value) != 1:
        problem(path, "takes exactly one member")
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    for name, item in value.items():
        member = shape.members.get(name) or shape.members.get(names.get(name, ""))
        if member is None:
            problem(join(path, name), "is no member")
        elif item is None:
            problem(join(path, name), "is null")
        else:
            check(member, item, join(path, name), problem)


def check_list(shape, value, path, problem):
    if not isinstance(value, list):
        problem(path, f"is a {type(value).__name__} instead of a list")
        return
    check_range(shape, len(value), path, "number of items", problem)
    for index, item in enumerate(value):
        check(shape.member, item, f"{path}[{index}]", problem)


def check_map(shape, value, path, problem):
    if not isinstance(value, dict):
        problem(path, f"is a {type(value).__name__} instead of a map")
        return
    check_range(shape, len(value), path, "number of entries", problem)
    for key, item in value.items():
        check(shape.key, key, f"{path}, key {key}", problem)
        check(shape.value, item, join(path, key), problem)


def check_string(shape, value, path, problem):
    if not isinstance(value, str):
        problem(path, f"is a {type(value).__name__} instead of a string")
        return
    if shape.enum and value not in shape.enum:
        problem(path, f"{value!r} is not one of {', '.join(shape.enum)}")
    check_range(shape, len(value), path, "length", problem)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not matches(pattern, value):
        problem(path, f"{value[:90]!r} does not match {pattern}")


def matches(pattern, value):
    for java, python in CHARACTER_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.fullmatch(pattern, value, re.DOTALL if ".*" in pattern else 0) is not None
    except re.error:
        return True  # not comparable here


def check_integer(shape, value, path, problem):
    if not isinstance(value, int) or isinstance(value, bool):
        problem(path, f"{value!r} is no {shape.type_name}")
        return
    check_range(shape, value, path, "value", problem)


def check_boolean(_shape, value, path, problem):
    if not isinstance(value, bool):
        problem(path, f"{value!r} is no boolean")


def check_blob(shape, value, path, problem):
    if isinstance(value, str):
        try:
            value = base64.b64decode(value, validate=True)
        except binascii.Error:
            problem(path, "is not base64")
            return
    check_range(shape, len(value), path, "number of bytes", problem)


def check_range(shape, size, path, what, problem):
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and size < smallest:
        problem(path, f"{what} {size} is less than {smallest}")
    if largest is not None and size > largest:
        problem(path, f"{what} {size} is more than {largest}")


def join(path, name):
    return f"{path}.{name}" if path else name


CHECKS = {
    "structure": check_structure,
    "list": check_list,
    "map": check_map,
    "string": check_string,
    "integer": check_integer,
    "long": check_integer,
    "boolean": check_boolean,
    "blob": check_blob,
}
