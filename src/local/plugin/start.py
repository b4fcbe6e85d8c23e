"""Starts MiniStack with this plugin, which fills the gaps that matter for `sam sync` (GAPS.md).

Run by src/local/launch.ts in the virtual environment that requirements.txt describes. Its settings, by environment:

GATEWAY_PORT                  where to listen, on the loopback interface only; 0 picks a free port
SAM_SYNC_CLOUD_VERSION, _LOG  told to whoever asks for the cloud's health
SAM_SYNC_CLOUD_STATE          a file to write the process id and the port to
SAM_SYNC_CLOUD_STATE_DELAY    seconds that a function stays Pending or InProgress after a change (MiniStack: 0.5), or a range: 0-5
SAM_SYNC_CLOUD_DEPLOY_DELAY   seconds until a stage of an HTTP API that deploys by itself has deployed a change (0)
SAM_SYNC_CLOUD_STACK_DELAY    seconds that an update of a stack takes longer (0)
SAM_SYNC_CLOUD_EXTENSION      a Python file whose install(app) returns the application to serve: what tests put in front of it
SAM_SYNC_CLOUD_END_WITH_STDIN end when standard input ends, so that a test leaves no process behind
"""

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading

# means to the caller: another cloud is starting on this port
PORT_TAKEN = 98


def main():
    listener = listen(int(os.environ["GATEWAY_PORT"]))
    take_state_files(listener.getsockname()[1])

    # the plugin's folder may be read-only
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import plugin

    app = extend(plugin.install())
    sys.dont_write_bytecode = False

    threading.Thread(target=import_sam_transform, daemon=True).start()
    if os.environ.pop("SAM_SYNC_CLOUD_END_WITH_STDIN", None):
        threading.Thread(target=end_with_stdin, daemon=True).start()
    serve(app, listener)


def extend(app):
    file = os.environ.get("SAM_SYNC_CLOUD_EXTENSION")
    if not file:
        return app
    sys.path.insert(0, os.path.dirname(file))
    return __import__(os.path.splitext(os.path.basename(file))[0]).install(app)


def listen(port):
    """Takes the port, which makes this process the local cloud. From here on connections wait instead of being refused."""
    listener = socket.socket()
    # on Windows SO_REUSEADDR lets two programs share the port; elsewhere it only skips the wait after a stop
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    listener.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        sys.exit(PORT_TAKEN)
    listener.listen(128)
    return listener


def take_state_files(port):
    """Removes log and temporary files of an earlier process."""
    os.environ["GATEWAY_PORT"] = str(port)
    if os.environ.get("SAM_SYNC_CLOUD_LOG"):
        open(os.environ["SAM_SYNC_CLOUD_LOG"], "w").close()
    for entry in os.scandir(tempfile.gettempdir()):
        shutil.rmtree(entry.path, ignore_errors=True) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
    state = os.environ.get("SAM_SYNC_CLOUD_STATE")
    if state:
        with open(state + ".new", "w") as file:
            json.dump({"pid": os.getpid(), "port": port}, file)
        os.replace(state + ".new", state)


def import_sam_transform():
    """Imports the transform in the background, which takes half a second, before the first deployment needs it."""
    import samtranslator.translator.transform  # noqa: F401


def end_with_stdin():
    sys.stdin.buffer.read()
    signal.raise_signal(signal.SIGTERM)


def serve(app, listener):
    import asyncio

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    # clients keep idle connections open
    config.graceful_timeout = 0.1
    config.loglevel = "WARNING"
    raise_file_limit()

    async def run():
        await serve(app, config)
        end()

    asyncio.run(run())


def end():
    """Ends all processes of functions, without waiting for threads, which have nothing to save."""
    from ministack.core import lambda_runtime

    lambda_runtime.reset()
    sys.stdout.flush()
    os._exit(0)


def raise_file_limit():
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ImportError, ValueError, OSError):
        pass


main()
