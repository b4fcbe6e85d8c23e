import pathlib


def hello(event, context):
    made = pathlib.Path(__file__).with_name("made.txt").read_text().strip()
    return {"greeting": "Hello from make", "made": made}
