"""The file of the rows of a batch that cannot be used: what is wrong with each, so that it can be mended."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from automix_graph.batch.questions import Rejected
from automix_graph.batch.rows import line_of
from automix_graph.errors import ConfigurationError
from automix_graph.files import replacing
from automix_graph.recording.unwritable import unwritable

_FIELDS: Final = {entry.name for entry in dataclasses.fields(Rejected)}
_LONGEST_LINE: Final = 2**20
"""Bytes; far more than a line of rejects can have."""


@contextmanager
def rejects_file(path: Path) -> Iterator[Callable[[Rejected], None]]:
    """Write a file of rejected rows, in place of one that is there; where no row is rejected there is none.

    Yields:
        What takes in a rejected row.

    Raises:
        ConfigurationError: the file cannot be written, or what is there is no file of rejected rows.
    """
    _require_own(path)
    file: BinaryIO | None = None
    try:
        with ExitStack() as stack:

            def put(rejected: Rejected) -> None:
                nonlocal file
                if file is None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    file = stack.enter_context(stack.enter_context(replacing(path)).open("wb"))
                file.write(line_of(dataclasses.asdict(rejected)))

            yield put
        if file is None:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def _require_own(path: Path) -> None:
    """Refuse to replace a file that holds anything but rejected rows; an empty one may be."""
    try:
        if not path.exists():
            return
        if path.is_file():
            with path.open("rb") as file:
                line = file.readline(_LONGEST_LINE)
            if not line or _is_reject(line):
                return
    except OSError as error:
        raise unwritable(path, error) from error
    raise ConfigurationError(
        f"{str(path)!r} holds something else than rows that a batch rejected, so it is left as it is; give another "
        "file for them, or delete it",
        code="file-of-something-else",
    )


def _is_reject(line: bytes) -> bool:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and set(data) == _FIELDS
