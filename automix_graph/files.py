"""Files that are there whole or not at all. This module knows nothing of what is in them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Put what is written to a file beside another in its place, once it is complete and on disk.

    Until then, and for good where an exception leaves the block, the file is as it was, and nothing stays beside it.

    Args:
        path: of the file; one that is there is replaced.

    Yields:
        The path to write to, in the same folder; nothing is there.

    Raises:
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(Path(folder, "a.txt")) as fresh:
        ...         _ = fresh.write_text("whole")
        ...     [(found.name, found.read_text()) for found in Path(folder).iterdir()]
        [('a.txt', 'whole')]
    """
    fresh = path.with_name(f".{path.name}.{token_hex(8)}.new")
    try:
        yield fresh
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as `replacing` does.

    Args:
        path: of the file; one that is there is replaced.
        content: all of it.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as fresh:
        fresh.write_bytes(content)
