"""Whole lines at the end of a file: each is written at once and is on disk when it is said to be.

A process that is killed can leave a last line that was not finished. It is cut off before the next one is written, so
that all lines but the last are whole at any moment. This module knows nothing of what the lines hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from automix_graph.errors import ConfigurationError

_BLOCK: Final = 65_536


def lock_of(path: Path) -> FileLock:
    """Return the lock that writers of a file share; its own file lies beside it, and stays there.

    The system lets go of it when a process dies, however that happens.
    """
    path = path.resolve()
    return FileLock(path.with_name(f".{path.name}.lock"), thread_local=False)


def open_for_appending(path: Path) -> int:
    """Return a descriptor that reads, and writes at the end; the folder and the file are made where there are none.

    Raises:
        ConfigurationError: the file cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise ConfigurationError(
            f"{str(path)!r} cannot be written: {error.strerror or error}; choose another file", code="file-unwritable"
        ) from error


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Close a descriptor in the end."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file, as many as there are."""
    with path.open("rb") as file:
        return file.read(count)


def append_line(descriptor: int, line: str) -> None:
    """Append a line and its line feed as `append` does.

    Args:
        descriptor: of a file that ends with a whole line, held by this writer alone.
        line: in ASCII, without line breaks.

    Raises:
        OSError: the line cannot be written.
    """
    append(descriptor, f"{line}\n".encode("ascii"))


def append(descriptor: int, lines: bytes) -> int:
    """Write whole lines at once, and wait until they are on disk. What cannot be written is taken back.

    Args:
        descriptor: of a file that ends with a whole line, held by this writer alone.
        lines: one or more, each with its line feed.

    Returns:
        Where in the file the first of them begins.

    Raises:
        OSError: they cannot be written.
    """
    end = os.lseek(descriptor, 0, os.SEEK_END)
    try:
        written = os.write(descriptor, lines)
        if written != len(lines):
            raise OSError(f"only {written} of {len(lines)} bytes could be written")
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise
    return end


def mend(descriptor: int, path: Path) -> int:
    """Let a file end with a whole line; return how many bytes of an unfinished one were cut off.

    Args:
        descriptor: of the file, held by this writer alone.
        path: for errors.

    Raises:
        ConfigurationError: the last line looks like none that was written here.
    """
    start, tail = _last_line(descriptor)
    if not tail:
        return 0
    if _is_object(tail):
        os.write(descriptor, b"\n")
        return 0
    if not tail.startswith(b"{"):
        raise ConfigurationError(
            f"{str(path)!r} ends with a line that is no record, so it is left as it is; choose another file",
            code="file-of-something-else",
        )
    os.ftruncate(descriptor, start)
    return len(tail)


def _last_line(descriptor: int) -> tuple[int, bytes]:
    """Return where what follows the last line feed begins, and what it is."""
    start = os.lseek(descriptor, 0, os.SEEK_END)
    tail = b""
    while start:
        size = min(_BLOCK, start)
        os.lseek(descriptor, start - size, os.SEEK_SET)
        block = os.read(descriptor, size)
        start -= size
        position = block.rfind(b"\n")
        tail = block[position + 1 :] + tail
        if position >= 0:
            return start + position + 1, tail
    return 0, tail


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
