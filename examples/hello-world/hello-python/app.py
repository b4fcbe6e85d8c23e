import os

import humanize
from greetings import greet


def handler(event, context):
    text = greet(os.environ["GREETING"], "Python")
    return {"statusCode": 200, "body": f"{text} Invoked with {humanize.naturalsize(len(str(event)))}."}
