"""Work that is done by the actors of a Ray cluster, in pipelines of Ray Data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any, Final, Generic

from automix_graph.engines.engine import Found, Item, Job, Pool, Result, Row
from automix_graph.engines.ray_connection import connected
from automix_graph.engines.ray_errors import Raised, failures_told, sealed
from automix_graph.engines.ray_pipeline import in_order
from automix_graph.engines.ray_room import Actors, actors_for
from automix_graph.errors import ConfigurationError

_BATCHES_AHEAD: Final = 2
"""Items that wait for each actor of a pool or are worked on, so that it does not idle."""


@dataclass(frozen=True, kw_only=True)
class RayEngine:
    """Do the work on a Ray cluster.

    Models and stores are made in the actors: give functions that make them where you would give the parts themselves.
    What is done is written by the process that calls, on its own disk.

    Attributes:
        address: of the cluster: ``"auto"``, ``"HOST:PORT"``, ``"ray://HOST:PORT"``, or ``"local"`` for one on this
            machine that is there as long as the work. None: that of ``RAY_ADDRESS``, else ``"local"``. Where this
            process is connected already, that connection is used.
        actors: how many; None: one for each ``cpus`` of the cluster.
        cpus: that each takes from what the cluster has.
        gpus: that each takes.

    Raises:
        ConfigurationError: a value cannot be used.

    Example:
        >>> RayEngine(address="ray://cluster:10001", actors=8).apart
        True
    """

    address: str | None = None
    actors: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        count: Any = self.actors
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
            raise ConfigurationError(f"actors is {count!r}; use a whole number, 1 or more, or None")
        if not self.cpus > 0 or not self.gpus >= 0:
            raise ConfigurationError(
                f"cpus is {self.cpus!r} and gpus is {self.gpus!r}; use a number above 0, and one that is not negative"
            )

    @property
    def apart(self) -> bool:
        """True: models are made in the actors."""
        return True

    async def answer(self, job: Job[Row, Result]) -> str | None:
        """Ask about rows in actors; see `Engine`."""
        from automix_graph.engines.ray_asking import Feeding

        with connected(self.address) as ray:
            return await Feeding(ray, job, actors=self._actors(ray)).run()

    def stream(self, function: Callable[[Item], Iterable[Found]], items: Sequence[Item]) -> Iterator[Found]:
        """Go through what a function finds, in tasks that work ahead; see `Engine`."""
        with connected(self.address) as ray, failures_told():
            yield from in_order(ray, function, items)

    @contextmanager
    def pool(self, make: Callable[[], Callable[[Item], Found]], *, threads: int) -> Iterator[Pool[Item, Found]]:
        """Compute in actors; see `Engine`."""
        with connected(self.address) as ray:
            wanted = self._actors(ray)
            # They take no CPU from what the cluster counts: the tasks that read for them would wait for one in vain.
            options = {"num_gpus": wanted.gpus, "scheduling_strategy": "SPREAD", "max_restarts": -1}
            kind = ray.remote(num_cpus=0, max_task_retries=-1, **options)(_Computing)
            actors = [kind.remote(make) for _ in range(wanted.count)]
            try:
                yield _ActorPool(actors)
            finally:
                for actor in actors:
                    ray.kill(actor)

    def _actors(self, ray: Any) -> Actors:
        return actors_for(ray, count=self.actors, cpus=self.cpus, gpus=self.gpus)


class _Computing(Generic[Item, Found]):
    """The actor of a pool."""

    def __init__(self, make: Callable[[], Callable[[Item], Found]]) -> None:
        self._make = make
        self._function: Callable[[Item], Found] | None = None

    def compute(self, item: Item) -> Found | Raised:
        try:
            if self._function is None:
                self._function = self._make()
            return self._function(item)
        except Exception as error:
            return Raised(error=sealed(error))


class _ActorPool(Generic[Item, Found]):
    def __init__(self, actors: Sequence[Any]) -> None:
        self.size = _BATCHES_AHEAD * len(actors)
        self._next = cycle(actors)

    def submit(self, item: Item) -> Future[Found]:
        found: Future[Found] = Future()
        next(self._next).compute.remote(item).future().add_done_callback(partial(_pass_on, found))
        return found


def _pass_on(found: Future[Found], told: Future[Found | Raised]) -> None:
    """Give what an actor returned, or what it raised, to who waits for it."""
    try:
        with failures_told():
            result = told.result()
        if isinstance(result, Raised):
            result.reraise()
        else:
            found.set_result(result)
    except Exception as error:
        found.set_exception(error)
