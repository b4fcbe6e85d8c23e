import os

from greetings import greet


def handler(event, context):
    return {"order": "placed", "table": os.environ["TABLE"], "thanks": greet("Thanks", event.get("name", "you"))}
