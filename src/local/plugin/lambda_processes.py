"""The process of a function: AWS Lambda's documented runtime behaviour where MiniStack's workers differ.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (variables that runtimes set)
https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html (where a layer's content is found)
"""

import functools
import os
import shutil
import stat
import subprocess
import sys
import threading
import zipfile

from ministack.core import lambda_runtime

from patching import wrap

# the Python runtimes contain only the SDK and its dependencies
SDK_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")

PYTHON_PROLOGUE = """
import importlib.machinery, sys
sys.path[:] = [p for p in sys.path if not p.rstrip("/\\\\").endswith(("site-packages", "dist-packages"))]
class _Sdk:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name in {names!r}:
            return importlib.machinery.PathFinder.find_spec(name, [{folder!r}])
sys.meta_path.append(_Sdk)
"""

# /var/task precedes the layers: a module of the function hides one of the same name in a layer
LAYERS_ARE_IN_PATH = "    _ms_install_invoke_depth()\n    try:\n"
FUNCTION_FIRST = "    sys.path.insert(0, code_dir)\n" + LAYERS_ARE_IN_PATH

spawning = threading.local()


def install():
    lambda_runtime.zipfile = Overlay(zipfile, ZipFile=FaithfulZipFile)
    lambda_runtime.subprocess = Overlay(subprocess, Popen=popen_with_environment)
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    assert LAYERS_ARE_IN_PATH in script
    import boto3

    site_packages = os.path.dirname(os.path.dirname(boto3.__file__))
    prologue = PYTHON_PROLOGUE.format(names=SDK_PACKAGES, folder=site_packages)
    lambda_runtime._PYTHON_WORKER_SCRIPT = prologue + script.replace(LAYERS_ARE_IN_PATH, FUNCTION_FIRST)

    @wrap(lambda_runtime, "_detect_runtime_binary")
    def _detect_runtime_binary(original, runtime):
        program, script = original(runtime)
        return (python_for(runtime) if runtime.startswith("python") else program), script

    spawn = lambda_runtime.Worker._spawn

    def _spawn(self, *args, **kwargs):
        spawning.config = self.config
        try:
            return spawn(self, *args, **kwargs)
        finally:
            spawning.config = None

    lambda_runtime.Worker._spawn = _spawn
    finish_what_began()


def finish_what_began():
    """Lets running invocations finish during an update, and removes their environment afterwards."""

    @wrap(lambda_runtime, "invalidate_worker")
    def invalidate_worker(original, func_name, qualifier=None, account=None, region=None):
        wanted = (account, region, func_name, qualifier)
        with lambda_runtime._lock:
            for key, workers in lambda_runtime._workers.items():
                parts = key.split(":")
                if len(parts) == 4 and all(want in (None, part) for want, part in zip(wanted, parts)):
                    for worker in workers:
                        worker.retired = worker.in_use
                    workers[:] = [worker for worker in workers if not worker.in_use]
        return original(func_name, qualifier, account, region)

    @wrap(lambda_runtime, "acquire_worker")
    def acquire_worker(original, func_name, config, code_zip, *args, **kwargs):
        # an invocation that started before an update may create its environment after it, with the old code
        qualifier = args[0] if args else kwargs.get("qualifier", "$LATEST")
        key = lambda_runtime._worker_key(func_name, config, qualifier)
        with lambda_runtime._lock:
            workers = lambda_runtime._workers.get(key, [])
            outdated = [worker for worker in workers if not worker.in_use and worker.code_zip != code_zip]
            workers[:] = [worker for worker in workers if worker not in outdated]
        lambda_runtime.kill_workers(outdated)
        return original(func_name, config, code_zip, *args, **kwargs)

    @wrap(lambda_runtime, "release_worker")
    def release_worker(original, worker):
        original(worker)
        if getattr(worker, "retired", False):
            lambda_runtime.kill_workers([worker])


class Overlay:
    """A module with some names replaced, for a single importing module."""

    def __init__(self, module, **replaced):
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


class FaithfulZipFile(zipfile.ZipFile):
    """Unpacks as Lambda does, keeping permissions and symbolic links."""

    def extractall(self, path=None, members=None, pwd=None):
        links = []
        for info in self.infolist():
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                links.append(info)
                continue
            target = self.extract(info, path)
            if stat.S_IMODE(mode) and not info.is_dir():
                os.chmod(target, stat.S_IMODE(mode) | stat.S_IRUSR | stat.S_IWUSR)
        # last, to never write through a link
        for info in links:
            parts = info.filename.split("/")
            if ".." in parts or os.path.isabs(info.filename):
                continue
            target = os.path.join(path, *parts)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(self.read(info).decode(), target)


@functools.cache
def python_for(runtime):
    """Returns the Python of the function's runtime, if installed: compiled packages need exactly that version."""
    version = runtime.removeprefix("python")
    own = "%d.%d" % sys.version_info[:2]
    if version != own:
        # a shim may exist and fail
        command = ["py", f"-{version}"] if os.name == "nt" else [shutil.which(f"python{version}") or ""]
        probe = [*command, "-c", "import sys; print(sys.executable)"]
        try:
            answer = subprocess.run(probe, capture_output=True, text=True, timeout=20)
            if answer.returncode == 0:
                return answer.stdout.strip() if os.name == "nt" else command[0]
        except (OSError, subprocess.TimeoutExpired):
            pass
        lambda_runtime.logger.warning("No Python %s on PATH: functions of %s run with Python %s", version, runtime, own)
    return getattr(sys, "_base_executable", None) or sys.executable


def popen_with_environment(command, **options):
    config = getattr(spawning, "config", None)
    if config:
        options["env"] = environment_of(config, options["env"])
        if config.get("Runtime", "").startswith("nodejs"):
            link_modules(options["cwd"], options["env"])
    return subprocess.Popen(command, **options)


def link_modules(code_folder, environment):
    """Links the packages of layers beside those of the function, as `import` ignores NODE_PATH.

    The runtimes since nodejs18.x find both. MiniStack links the first layer that has a package; the last one counts.
    """
    own = os.path.join(code_folder, "node_modules")
    for folder in reversed([f for f in environment.get("NODE_PATH", "").split(os.pathsep) if os.path.isdir(f)]):
        for name in os.listdir(folder):
            link = os.path.join(own, name)
            if os.path.islink(link):
                os.unlink(link)
            if os.path.basename(folder) == "node_modules" and not os.path.lexists(link):
                os.makedirs(own, exist_ok=True)
                os.symlink(os.path.join(folder, name), link)


def environment_of(config, environment):
    runtime = config.get("Runtime", "")
    layers = [f for f in environment.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep) if f]
    documented = {
        "TZ": ":UTC",
        "_HANDLER": config.get("Handler", ""),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": config.get("LoggingConfig", {}).get("LogGroup")
        or f"/aws/lambda/{config.get('FunctionName', '')}",
    }
    # Lambda unpacks all layers into /opt: later ones win
    path_variables = {
        "PATH": ["bin"],
        "LD_LIBRARY_PATH": ["lib"],
        "NODE_PATH": [f"nodejs/node{runtime[6:].split('.')[0]}/node_modules", "nodejs/node_modules"],
    }
    for name, places in path_variables.items():
        if name == "NODE_PATH" and not runtime.startswith("nodejs"):
            continue
        folders = [os.path.join(layer, *place.split("/")) for layer in reversed(layers) for place in places]
        present = [folder for folder in folders if os.path.isdir(folder)]
        documented[name] = os.pathsep.join([p for p in [*present, environment.get(name)] if p])
    ours = ("SAM_SYNC_CLOUD_", "GATEWAY_PORT", "BIND_HOST", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in environment.items() if not name.startswith(ours)}
    return {**kept, **{name: value for name, value in documented.items() if value}}
