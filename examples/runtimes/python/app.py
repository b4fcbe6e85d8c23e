import humanize


def handler(event, context):
    return {"greeting": "Hello from Python", "size": humanize.naturalsize(250 * 1000 * 1000)}
