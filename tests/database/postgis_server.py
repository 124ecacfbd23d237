"""A real PostgreSQL with PostGIS of our own: private data folder, free port, gone at the end.

For the tests, and as a command (`scripts/postgis COMMAND...`) for the demo and benchmarks. Over the Unix socket the
user ``postgres`` comes in without a password; over TCP everybody needs one. Nothing of the machine's own servers is
touched, and durability is off except where a test asks for it: the data die with the folder. Tests keep it in memory where
there is room: a database for each of hundreds of tests is hundreds of files made and deleted, five times as fast there.
"""

from __future__ import annotations

import ctypes
import glob
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = "postgresql-15-postgis-3 (Debian 12) or postgresql-17-postgis-3 (Debian 13)"
_START_S = 60
_SERVER_USER = "postgres"
_FOLDER = "quyhoach-pg-"
#: A file system in memory (Linux; a container's may be small), the bytes of it the tests may need, and when a folder that
#: a killed test run left there is certainly nobody's.
_MEMORY, _ROOM, _LEFT_S = Path("/dev/shm"), 3 * 1024**3, 6 * 3600


class NoServer(Exception):
    """The machine has no PostgreSQL with PostGIS, or it does not start."""


def bin_folder() -> Path:
    """Return the newest installed server's programs."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: float(path.split("/")[4]))
    if found:
        return Path(found[-1]).parent
    on_path = shutil.which("postgres")
    if on_path is None:
        raise NoServer(f"no PostgreSQL server programs; install {PACKAGES}")
    return Path(on_path).parent


class Server:
    """One cluster. ``start`` and ``stop`` may be called again and again; the data stay until ``remove``."""

    def __init__(self, durable: bool = False, in_memory: bool = False):
        self.programs = bin_folder()
        self.folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=_memory() if in_memory else None))
        self.port = _free_port()
        #: Of user ``postgres`` over TCP.
        self.password = secrets.token_urlsafe(16)
        self._durable = durable
        self._process: subprocess.Popen | None = None
        try:
            self._initialise()
        except BaseException:
            self.remove()
            raise

    def parameters(self, **more: object) -> dict[str, object]:
        """Return how to connect as the superuser, over the socket."""
        return {"host": str(self.folder), "port": self.port, "user": _SERVER_USER, "dbname": "postgres", **more}

    def environment(self) -> dict[str, str]:
        """Return the same for psql, ogr2ogr and other libpq programs."""
        return {**os.environ, "PGHOST": str(self.folder), "PGPORT": str(self.port), "PGUSER": _SERVER_USER,
                "PGDATABASE": "postgres",
                "PGCLIENTENCODING": "UTF8"}

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = open(self.folder / "log", "ab")
        with log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", str(self.folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, preexec_fn=_die_with_parent,
                **self._as_server())
        deadline = time.monotonic() + _START_S
        while subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NoServer("PostgreSQL does not start:\n"
                               + (self.folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server; ``at_once`` is like pulling the plug of the program (not of the machine)."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            try:
                self._process.wait(timeout=_START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop(at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self) -> None:
        if os.geteuid() == 0:
            server = pwd.getpwnam(_SERVER_USER)
            os.chown(self.folder, server.pw_uid, server.pw_gid)
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        if os.geteuid() == 0:
            os.chown(secret, server.pw_uid, server.pw_gid)
        done = subprocess.run(
            [self.programs / "initdb", "-D", self.folder / "data", "-U", _SERVER_USER, "--encoding=UTF8",
             "--locale=C.UTF-8",
             "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}", "--no-sync"],
            capture_output=True, text=True, cwd=self.folder, **self._as_server())
        if done.returncode:
            raise NoServer(f"initdb: {done.stderr}")
        with open(self.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as configuration:
            configuration.write("listen_addresses = '127.0.0.1'\nmax_connections = 60\nshared_buffers = "
                                f"256MB\nwork_mem = 32MB\nmax_wal_size = {'512MB' if self.folder.parent == _MEMORY else '2GB'}\nlog_statement = none\nlc_messages = "
                                "'C.UTF-8'\n")
            if not self._durable:
                configuration.write("fsync = off\nfull_page_writes = off\n")

    def _as_server(self) -> dict[str, object]:
        # PostgreSQL refuses to run as root.
        if os.geteuid() != 0:
            return {}
        return {"user": _SERVER_USER, "group": _SERVER_USER, "extra_groups": []}


def _die_with_parent() -> None:
    """Ask Linux to stop the server when the program that started it is gone, however it went."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
    except (OSError, AttributeError):
        pass  # not Linux: the ordinary end of the program stops the server


def _memory() -> Path | None:
    """Where data are kept in memory, without what killed runs left there; None where there is no room."""
    if not os.access(_MEMORY, os.W_OK):
        return None
    for left in _MEMORY.glob(f"{_FOLDER}*"):
        if not (left / "data" / "postmaster.pid").exists() and time.time() - left.stat().st_mtime > _LEFT_S:
            shutil.rmtree(left, ignore_errors=True)
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _ROOM else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_server(durable: bool = False, in_memory: bool = False) -> Iterator[Server]:
    """Start a server for a block; remove it whatever happens."""
    try:
        server = Server(durable, in_memory)
    except KeyError as error:
        raise NoServer(f"no user {_SERVER_USER} to run the server as; install {PACKAGES}") from error
    try:
        server.start()
        yield server
    finally:
        server.remove()


def main(command: list[str]) -> int:
    """Run a command with the server reachable through libpq's environment variables."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with running_server() as server:
            return subprocess.run(command or [str(server.programs / "psql")], env=server.environment()).returncode
    except NoServer as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
