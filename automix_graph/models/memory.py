"""Whether a model fits into the memory that is free: one that does not is read from disk for each token.

What it takes is estimated as its file, two thirds of that again for its work (a file of 1.1 GB came to 1.9 GB in
memory), and what the context keeps of each token, about 30 KiB for models of these sizes. What Linux can make free
counts as free, but for the files of models that run already: they are mapped, and to make them free is to read them
again for each token.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_log: Final = logging.getLogger(__name__)

_MEMINFO: Final = Path("/proc/meminfo")
_CGROUP: Final = Path("/sys/fs/cgroup")
_BYTES_A_TOKEN: Final = 30 * 1024
_WORK: Final = 2 / 3
"""Of the file: repacked weights and buffers of computation."""


def needed_memory(path: Path, *, context_tokens: int) -> int:
    """Return the bytes that a model is expected to take.

    Args:
        path: of its file.
        context_tokens: of its server.
    """
    return round(path.stat().st_size * (1 + _WORK)) + context_tokens * _BYTES_A_TOKEN


def free_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """Return the bytes that are free, within a container's limit where there is one; None where nobody knows.

    Args:
        meminfo: what Linux tells of the machine.
        cgroup: folder of the control group (Linux, version 2).
    """
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit = int((cgroup / "memory.max").read_text())  # "max" where there is none
        return max(0, min(free, limit - int((cgroup / "memory.current").read_text())))
    except (OSError, ValueError):
        return free


def warn_if_short(path: Path, label: str, *, context_tokens: int, beside: Iterable[Path] = ()) -> None:
    """Warn where a model that is about to be loaded may not fit.

    Args:
        path: of its file.
        label: what it is called.
        context_tokens: of its server.
        beside: files of models that run already.
    """
    free = free_memory()
    if free is None:
        return
    needed = needed_memory(path, context_tokens=context_tokens)
    free -= sum(other.stat().st_size for other in beside if other.is_file())
    if needed > free:
        _log.warning(
            "%s takes about %.1f GB of memory, and %.1f GB are free; it may be slow, or be ended by the system: close "
            "other programs, or take a smaller model",
            label,
            needed / 1e9,
            max(0, free) / 1e9,
        )
