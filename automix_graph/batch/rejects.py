"""The file of the rows of a batch that cannot be used: what is wrong with each, so that it can be mended."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from automix_graph.batch.questions import Rejected
from automix_graph.batch.rows import line_of
from automix_graph.batch.unwritable import unwritable
from automix_graph.files import replacing


@contextmanager
def rejects_file(path: Path) -> Iterator[Callable[[Rejected], None]]:
    """Write a file of rejected rows, in place of one that is there; where no row is rejected there is none.

    Yields:
        What takes in a rejected row.

    Raises:
        ConfigurationError: the file cannot be written.
    """
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
