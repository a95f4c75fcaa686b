"""How many actors a cluster has room for, and whether it has begun with them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automix_graph.errors import ConfigurationError

_LOG: Final = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 30.0
"""How long nobody is told that no actor has begun; starting one takes seconds."""


@dataclass(frozen=True, kw_only=True)
class Actors:
    """The actors of a job.

    Attributes:
        count: how many.
        cpus: that each takes.
        gpus: that each takes.
    """

    count: int
    cpus: float
    gpus: float


def places(machines: Sequence[Mapping[str, float]], *, cpus: float, gpus: float) -> int:
    """Return how many actors fit on machines, each on one of them.

    Args:
        machines: the resources of each, by their names in Ray.
        cpus: that an actor takes.
        gpus: that an actor takes.

    Example:
        >>> places([{"CPU": 3.0}, {"CPU": 1.0, "GPU": 1.0}], cpus=2, gpus=0)
        1
    """
    wanted = [(name, amount) for name, amount in (("CPU", cpus), ("GPU", gpus)) if amount]
    return sum(min(int(machine.get(name, 0.0) // amount) for name, amount in wanted) for machine in machines)


def actors_for(ray: Any, *, count: int | None, cpus: float, gpus: float) -> Actors:
    """Return the actors of a job on a cluster.

    Args:
        ray: the module.
        count: how many; None: as many as the cluster has room for.
        cpus: that each takes.
        gpus: that each takes.

    Raises:
        ConfigurationError: the cluster has no room for them, so that the job would wait for ever.
    """
    room = places([node["Resources"] for node in ray.nodes() if node["Alive"]], cpus=cpus, gpus=gpus)
    if room < (count or 1):
        each = f"{cpus:g} CPU" + (f" and {gpus:g} GPU" if gpus else "")
        fewer = f"ask for {room} or fewer (--ray-actors)" if room else "let each take less"
        raise ConfigurationError(
            f"{count or 1} actors with {each} each are wanted, and the Ray cluster has room for {room}; {fewer}, or "
            "add machines first (`ray status` lists those that are there)",
            code="ray-cluster",
        )
    return Actors(count=count or room, cpus=cpus, gpus=gpus)


async def tell_of_waiting(ray: Any, desk: Any) -> None:
    """Warn once where no actor has called at a desk for long: others may hold what the cluster has."""
    try:
        await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(desk.begun.remote())), _PATIENCE_SECONDS)
    except TimeoutError:
        free, all_of_it = (found.get("CPU", 0.0) for found in (ray.available_resources(), ray.cluster_resources()))
        _LOG.warning(
            "no actor has begun after %.0f s; %g of %g CPUs of the Ray cluster are free",
            _PATIENCE_SECONDS,
            free,
            all_of_it,
        )
