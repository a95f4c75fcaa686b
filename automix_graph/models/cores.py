"""How many processor cores this process may really use.

llama.cpp's threads spin while they wait for each other, so one thread too many costs far more than one too few.
"""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cores(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Return the cores that this process may use: its affinity, and a container's quota where there is one.

    Args:
        quota_file: ``cpu.max`` of the control group (Linux, version 2).
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = _quota(quota_file)
    return max(1, min(cores, round(quota))) if quota else cores


def _quota(file: Path) -> float | None:
    try:
        quota, period = file.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        # No such file, or "max": no quota.
        return None
