# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Start JupyterHub's single-user server with fewer imports; runs inside the image with the image's Python.

``jupyterhub.singleuser`` pulls in the hub's database layer (sqlalchemy, alembic) through two modules that only name it. Those
imports are a third of the server's start on a busy node. They are put off here: while the server's own modules are imported, the
heavy ones are stand-ins that become the real module when somebody asks for one of their attributes. Afterwards the stand-ins leave
``sys.modules``, so that an extension which imports sqlalchemy gets the real one. Kernels are other processes and see none of this.

``HPCAMPUS_PLAIN_START=1`` switches all of it off.

It is the container's first process, and everything that a person starts descends from it; so the kernel's keyrings are closed here
before anything else happens.

With ``--standby`` the server is imported, extensions included, before it is known for whom it will run.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import time
import types

import closed_keyring

# Module -> names that are needed at once: exceptions and handlers that never occur in a single-user server.
PUT_OFF: dict[str, tuple[str, ...]] = {
    "sqlalchemy": (),
    "sqlalchemy.exc": ("SQLAlchemyError",),
    "jupyterhub.handlers": (),
    "jupyterhub.handlers.pages": ("HealthCheckHandler",),
    "jupyterhub.orm": (),
    "jupyterhub.roles": (),
}
STANDBY = "--standby"
WARM_FILE = "/run/hpcampus/warm"
FOLDER_PID_FILE = "/tmp/hpcampus-webdav/pid"  # noqa: S108 (the container has a /tmp of its own)
FOLDER_END_SECONDS = 15
ARGUMENTS = ("--LabApp.extension_manager=readonly",)
HANDED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


class PutOff(types.ModuleType):
    """A module that is imported when one of its attributes is asked for."""

    def __getattr__(self, attribute):
        """Hand out the real module's attribute; the import system's own questions are not a reason to import."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self.__name__), attribute)


@contextlib.contextmanager
def imports_put_off():
    """Put stand-ins where the heavy modules would be, for as long as the block runs."""
    stand_ins = {name: PutOff(name) for name in PUT_OFF if name not in sys.modules}
    for name, module in stand_ins.items():
        for needed in PUT_OFF[name]:
            setattr(module, needed, type(needed, (Exception,), {}))
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def forget(package):
    """Drop a half-imported package so that the next import begins afresh."""
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]


def plain_main():
    """Import the single-user server as it comes."""
    return importlib.import_module("jupyterhub.singleuser").main


def trimmed_main():
    """Import the single-user server without the hub's database layer; fall back to the plain import."""
    try:
        with imports_put_off():
            return plain_main()
    except Exception as error:  # noqa: BLE001 (whatever a new version trips over, the server must start)
        print(f"start: plain imports, since the short way failed: {type(error).__name__}: {error}", file=sys.stderr)
        forget("jupyterhub")
        return plain_main()


def collect_garbage_once_running():
    """Let the collector rest while the server imports; what is there when the loop starts stays out of its sight."""
    server_app = importlib.import_module("jupyter_server.serverapp").ServerApp
    start = server_app.start

    def start_and_collect(self):
        gc.freeze()
        gc.enable()
        return start(self)

    server_app.start = start_and_collect


def import_extensions():
    """Import what the server will import for its extensions; one that fails now fails again later, and is told of then."""
    paths = importlib.import_module("jupyter_core.paths").jupyter_config_path()
    config = importlib.import_module("jupyter_server.extension.config")
    for name in config.ExtensionConfigManager(read_config_path=paths).get_jpserver_extensions():
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def wait_for_identity():
    """Tell that everything is imported, and wait for one line of JSON: the environment of the person's server."""
    import_extensions()
    with open(WARM_FILE, "x", encoding="ascii"):
        pass
    text = sys.stdin.readline()
    if not text:
        sys.exit(0)  # the job ended without ever being needed
    os.unlink(WARM_FILE)
    os.environ.update(json.loads(text))
    os.chdir(os.path.expanduser("~"))
    with open(os.devnull, encoding="ascii") as nothing:
        os.dup2(nothing.fileno(), 0)


def end_folder():
    """Ask the program that shows a WebDAV folder to upload what was written last, and wait: the container ends with this process."""
    with contextlib.suppress(OSError, ValueError):  # there is none, or it has ended
        with open(FOLDER_PID_FILE, encoding="ascii") as stream:
            pid = int(stream.read())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + FOLDER_END_SECONDS
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)


def offer_own_packages():
    """Let kernels and terminals find a person's own packages, and their commands after those of the image.

    A directory that is not there when Python starts is not on its path: the first ``pip install`` would need a new kernel. The path is
    put together here, since a standby's Python was started before it was known.
    """
    own = os.environ.get("PYTHONUSERBASE")
    if own:
        os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), own + "/bin"])
        with contextlib.suppress(OSError):  # a full home
            os.makedirs(f"{own}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", exist_ok=True)


def run():
    """Run the server; its exit status is this process's."""
    sys.argv[0] = "jupyterhub-singleuser"
    standby = STANDBY in sys.argv
    if standby:
        sys.argv.remove(STANDBY)
    if os.environ.get("HPCAMPUS_PLAIN_START") == "1":
        main = plain_main()
    else:
        gc.disable()
        main = trimmed_main()
        collect_garbage_once_running()
        sys.argv += [argument for argument in ARGUMENTS if argument not in sys.argv]
    if standby:
        wait_for_identity()
    offer_own_packages()
    try:
        return main()
    finally:
        end_folder()


def run_below():
    """Run the server in a process of its own; this one hands signals on, and reaps what loses its parent. Gives the exit status.

    Apptainer's own first process would do the same, but no filter binds that: a program of hers could attach to it like a debugger
    and have it do what her own processes may not.
    """
    watched = {*HANDED_ON, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    server = os.fork()
    if server == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        return run()
    while True:
        number = signal.sigwait(watched)
        if number in HANDED_ON:
            os.kill(server, number)
            continue
        pid = -1
        while pid != 0:  # one signal may stand for several ends
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == server:
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


if __name__ == "__main__":
    closed_keyring.close_keyring()
    sys.exit(run_below())
