"""Pipelines of Ray Data: rows through actors, and items through tasks in their order. They print nothing.

Pickles pass between the processes of one job, as in Ray itself, and are never on disk: who may connect to a cluster may
run code there anyway.
"""

from __future__ import annotations

import logging
import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from automix_graph.engines.engine import Found, Item
from automix_graph.engines.ray_errors import Raised, sealed
from automix_graph.engines.ray_room import Actors

_COLUMN: Final = "item"
_BLOCKS_AHEAD: Final = 2
"""Blocks that an actor works on at one time, so that it does not idle while the last rows of one are in work."""
_LARGEST_BLOCK: Final = 256
"""Rows of a block, unless an actor works on more at one time."""
_MOST_ITEMS: Final = 16
"""Items of `in_order` that one task works on."""


def rows_per_block(rows: int, concurrency: int, *, actors: int) -> int:
    """Return how many rows make a block, so that all actors have enough to do and few blocks are needed.

    Example:
        >>> rows_per_block(20, 16, actors=4), rows_per_block(10**6, 16, actors=4), rows_per_block(10**6, 1000, actors=4)
        (3, 256, 1000)
    """
    share = -(-rows // (actors * _BLOCKS_AHEAD))
    return max(1, min(share, max(_LARGEST_BLOCK, concurrency)))


def through_actors(
    ray: Any, kind: type, arguments: tuple[Any, ...], rows: Sequence[tuple[int, bytes]], *, actors: Actors, block: int
) -> Iterator[None]:
    """Run rows through actors; yield now and then, and end when all have been through that can be.

    The blocks that an actor is working on when it dies are left out. Others take what is left while it is replaced.

    Args:
        ray: the module.
        kind: class of the actors, called with ``{"position": array, "item": array}``, which returns a batch.
        arguments: for its constructor.
        rows: number and content of each.
        actors: how many, and what they take.
        block: rows of a block; those of one go to the same actor.
    """
    from ray.data import ActorPoolStrategy

    pool = ActorPoolStrategy(
        size=actors.count,
        max_tasks_in_flight_per_actor=_BLOCKS_AHEAD,
        max_concurrent_calls_per_actor=_BLOCKS_AHEAD,
        enable_true_multi_threading=True,
    )
    with _quiet(ray, in_order=False) as context, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of max_restarts and max_task_retries, which have no heir
        context.max_errored_blocks = -1
        through = ray.data.from_arrow(list(_tables(rows, block))).map_batches(
            kind,
            fn_constructor_args=arguments,
            batch_size=None,
            batch_format="numpy",
            compute=pool,
            num_cpus=actors.cpus,
            num_gpus=actors.gpus,
            max_restarts=-1,
            max_task_retries=0,  # a block that is tried again waits for its actor, even if that never returns
        )
    for _ in through.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield


def in_order(ray: Any, function: Callable[[Item], Iterable[Found]], items: Sequence[Item]) -> Iterator[Found]:
    """Go through what a function finds in items, in their order, working ahead in tasks."""

    def find(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            for item in batch[_COLUMN]:
                for found in function(pickle.loads(item)):
                    yield {_COLUMN: _column([pickle.dumps(found)])}
        except Exception as error:
            yield {_COLUMN: _column([pickle.dumps(Raised(error=sealed(error)))])}

    if not items:
        return
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    block = max(1, min(_MOST_ITEMS, len(items) // (4 * cpus)))
    rows = [(position, pickle.dumps(item)) for position, item in enumerate(items)]
    with _quiet(ray, in_order=True):
        through = ray.data.from_arrow(list(_tables(rows, block))).map_batches(
            find, batch_size=None, batch_format="numpy"
        )
    for batch in through.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=1):
        for content in batch[_COLUMN]:
            found = pickle.loads(content)
            if isinstance(found, Raised):
                found.reraise()
            yield found


def _tables(rows: Sequence[tuple[int, bytes]], block: int) -> Iterator[Any]:
    import pyarrow

    for start in range(0, len(rows), block):
        positions, contents = zip(*rows[start : start + block], strict=True)
        contents = pyarrow.array(contents, pyarrow.large_binary())
        yield pyarrow.table({"position": pyarrow.array(positions, pyarrow.int64()), _COLUMN: contents})


def _column(values: Sequence[bytes]) -> Any:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


@contextmanager
def _quiet(ray: Any, *, in_order: bool) -> Iterator[Any]:
    """Make pipelines in the block that print nothing, and keep the order if that is asked for."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # failures come as exceptions, or are made good
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = in_order
    with ray.data.DataContext.current(context):
        yield context
