"""Wraps functions of MiniStack, at every reference to them."""

import functools
import sys

# id of a function -> the tables and keys that hold it. One walk serves all wraps: a walk for each took half a second
_places = {}
_modules_read = 0


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

        put_in_place_of(original, wrapped)
        return wrapper

    return install


def put_in_place_of(original, replacement):
    global _modules_read
    modules = [m for n, m in list(sys.modules.items()) if m and n.split(".")[0] == "ministack"]
    if len(modules) != _modules_read or id(original) not in _places:
        _modules_read = len(modules)
        _places.clear()
        for module in modules:
            note_places(vars(module), depth=2)
    places = [(table, key) for table, key in _places.pop(id(original), ()) if table.get(key) is original]
    for table, key in places:
        table[key] = replacement
    _places[id(replacement)] = places


def note_places(table, depth):
    for key, value in table.items():
        if callable(value):
            _places.setdefault(id(value), []).append((table, key))
        elif depth and type(value) is dict:
            note_places(value, depth - 1)
