"""Working files of a process, in folders that another process removes if this one was killed.

Each is locked for as long as its process lives, and the system lets go of the lock however that ends. What is found
without its lock was left behind.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import stat
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from automix_graph.retrieval.write_failures import as_store_errors

_PREFIX: Final = "automix-work-"
_LOCK: Final = ".lock"
_YOUNG: Final = 5.0
"""Seconds within which a new folder gets its lock; a younger one is left alone."""


class WorkingFiles:
    """Paths of new files in a folder that is made for the first of them.

    Args:
        until: removes the folder when it is closed.

    Example:
        >>> with ExitStack() as until:
        ...     files = WorkingFiles(until)
        ...     files.new("vectors.f32").name, files.new("vectors.f32").name
        ('1-vectors.f32', '2-vectors.f32')
    """

    def __init__(self, until: ExitStack) -> None:
        self._until = until
        self._folder: Path | None = None
        self._made = 0

    def new(self, name: str) -> Path:
        """Return the path of a new file, which is not made.

        Raises:
            StoreError: the folder cannot be made.
        """
        with writing_them():
            self._folder = self._folder or make_workspace(self._until)
        self._made += 1
        return self._folder / f"{self._made}-{name}"


def writing_them() -> AbstractContextManager[None]:
    """Make StoreErrors of what ends the writing of working files."""
    return as_store_errors(
        Path(tempfile.gettempdir()),
        what="the working files of the store",
        advice="make room there, or point TMPDIR at a folder on another disk",
    )


def make_workspace(until: ExitStack) -> Path:
    """Return a new folder where `tempfile` puts its own.

    The first call of a process also removes the folders of processes that were killed.

    Args:
        until: removes it when it is closed.

    Example:
        >>> with ExitStack() as until:
        ...     folder = make_workspace(until)
        ...     folder.is_dir()
        True
        >>> folder.exists()
        False
    """
    remove_left_behind(tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    until.callback(shutil.rmtree, folder, ignore_errors=True)
    lock = FileLock(folder / _LOCK, thread_local=False)
    lock.acquire()
    until.callback(lock.release, force=True)
    return folder


@functools.cache  # once a process: what is left behind later is for the next one
def remove_left_behind(temporary: str) -> None:
    """Remove what killed processes have left in a folder."""
    for folder in Path(temporary).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):  # one that goes away meanwhile is gone
            if _is_own(found := folder.lstat()) and time.time() - found.st_mtime >= _YOUNG:
                with FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_own(found: os.stat_result) -> bool:
    """Whether a folder is this user's, and no link; to lock another's would be to write where that one says."""
    return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
