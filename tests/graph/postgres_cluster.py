"""A PostgreSQL server of the tests' own: made in a temporary folder, reached through a Unix socket, gone afterwards."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 30
_USERS = ("postgres", "nobody")
"""Who runs the server where the tests run as root, which PostgreSQL refuses: the first that this machine has."""


def binaries() -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``; None where this machine has none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian keeps them off the path
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server of these binaries.

    Yields:
        How to connect, as psycopg takes it.
    """
    user = _server_user()
    # Not pytest's folder: only its owner may enter that, and the path of a socket has to be short.
    home = Path(tempfile.mkdtemp(prefix="automix-pg-"))
    try:
        if user is not None:
            shutil.chown(home, user)
        data = home / "data"
        made = [folder / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(made, user=user, cwd=home, check=True, capture_output=True, timeout=START_SECONDS)
        with _serving(folder, home, user):
            yield f"host={home} user=tests dbname=postgres"
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _serving(folder: Path, home: Path, user: str | None) -> Iterator[None]:
    # fsync off: nothing of this has to outlive the machine.
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={home}", "-c", "fsync=off"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [folder / "postgres", "-D", home / "data", *options],
            user=user,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_up(folder, home, process)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown; SIGTERM would wait for all clients to leave
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(folder: Path, home: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run([folder / "pg_isready", "-q", "-h", home], check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"the PostgreSQL server did not come up:\n{(home / 'log').read_text(errors='replace')}")


def _server_user() -> str | None:
    """Return who runs the server: None for who runs the tests."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _USERS if name in known)
