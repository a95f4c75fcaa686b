"""Group commit: rows that are done at one time share one write and one fsync, and none is said to be done before.

This module knows neither what lines hold nor where they go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    line: bytes
    written: Callable[[int], None]
    done: asyncio.Future[None]


class Committer:
    """Writes lines in a thread of its own, in the order in which they come.

    Args:
        write: writes whole lines, returns where the first of them begins, and comes back when they are on disk.
    """

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._write = write
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        # Of its own: in the loop's threads a line would queue behind calls of models that know no async.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="automix-journal")

    async def commit(self, line: bytes, written: Callable[[int], None]) -> None:
        """Write a line, and wait until it is on disk.

        Whoever waits may be cancelled; the line is written all the same.

        Args:
            line: with its line feed.
            written: called in the event loop, with the place of the line, once it is on disk.

        Raises:
            Exception: what `write` or `written` raised.
        """
        waiting = _Waiting(line=line, written=written, done=asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await waiting.done

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            lines = b"".join(one.line for one in group)
            try:
                offset = await loop.run_in_executor(self._thread, self._write, lines)
            except Exception as error:
                for one in group:
                    _end(one.done, error)
                continue
            for one in group:
                _tell(one, offset)
                offset += len(one.line)
        self._writing = None


def _tell(one: _Waiting, offset: int) -> None:
    try:
        one.written(offset)
    except Exception as error:
        _end(one.done, error)
    else:
        _end(one.done, None)


def _end(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():  # whoever waited was cancelled
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
