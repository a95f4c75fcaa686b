"""How much memory this process has, from Linux's ``/proc``: private, and mapped from files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def memory() -> dict[str, float]:
    """Return resident memory in MB: private, and mapped from files."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "anonymous": int(fields["RssAnon"].split()[0]) / 1024,
        "mapped": int(fields["RssFile"].split()[0]) / 1024,
    }


@contextmanager
def watching_peak() -> Iterator[list[float]]:
    """Give a list of the private memory in MB that this process has beyond that at the start, ten times a second."""
    before = memory()["anonymous"]
    seen, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            seen.append(memory()["anonymous"] - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
