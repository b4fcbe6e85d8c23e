"""Forks the local clouds of tests from one process that has imported what takes longest to import.

python server.py SOCKET. A request is a connection with a line of JSON: {"env": …, "cwd": …, "log": …, "argv": [start.py, …]}. The
answer is a line with the process ID of the cloud, which ends with the connection. This process ends with its standard input.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading

CONTRACT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "aws-contract")
# nothing of MiniStack and the plugin: they read their settings when they are imported
HEAVY = (
    "asyncio", "boto3", "hypercorn.asyncio", "hypercorn.config", "jsonata", "jsonschema", "samtranslator.translator.transform",
    "extension", "operations",
)


def main():
    sys.path.insert(0, CONTRACT)
    for name in HEAVY:
        try:
            importlib.import_module(name)
        except ImportError:  # another MiniStack needs other packages
            pass
    sys.modules["operations"].Models().load_all()
    sys.path.remove(CONTRACT)
    # a collection in a fork would copy every page
    gc.collect()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1] + ".new")
    listener.listen(16)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    # ended clouds leave no zombies
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # no thread: a fork has only the one that forks
    import select

    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return None
        connection, _ = listener.accept()
        request = read_line(connection)
        if request is None:
            connection.close()
            continue
        pid = os.fork()
        if pid == 0:
            listener.close()
            return run_cloud(connection, **request)
        connection.sendall(f"{pid}\n".encode())
        connection.close()


def read_line(connection):
    data = b""
    while not data.endswith(b"\n"):
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    return json.loads(data)


def run_cloud(connection, env, cwd, log, argv):
    """Becomes what launch.ts starts."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    tempfile.tempdir = None
    threading.Thread(target=end_with, args=(connection,), daemon=True).start()
    sys.argv = argv
    runpy.run_path(argv[0], run_name="__main__")


def end_with(connection):
    while connection.recv(1):
        pass
    signal.raise_signal(signal.SIGTERM)


main()
