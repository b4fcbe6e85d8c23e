"""Wraps functions of MiniStack, at every reference to them."""

import functools
import sys


def wrap(module, name):
    """Decorator that replaces `module.name` by `wrapper(original, *args, **kwargs)`.

    MiniStack's modules import each other's functions by name and keep them in tables, so the place is every attribute
    of a loaded module and every entry of a table (one level of nesting) that holds the original. A name that is gone
    (another MiniStack) fails the start, rather than bringing a gap back unseen.
    """
    original = getattr(module, name)

    def install(wrapper):
        @functools.wraps(original)
        def wrapped(*args, **kwargs):
            return wrapper(original, *args, **kwargs)

        for holder in [m for n, m in list(sys.modules.items()) if m and n.split(".")[0] == "ministack"]:
            put_in_place_of(original, wrapped, vars(holder), depth=2)
        return wrapper

    return install


def put_in_place_of(original, replacement, table, depth):
    for key, value in list(table.items()):
        if value is original:
            table[key] = replacement
        elif depth and type(value) is dict:
            put_in_place_of(original, replacement, value, depth - 1)
