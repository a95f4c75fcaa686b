"""Options that say where a long command does its work, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from automix_graph.cli.given_options import given, kept_option
from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.engines import Engine

_OPTIONS: Final = (
    kept_option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Where the work is done: in this process, or by the actors of a Ray cluster.",
    ),
    kept_option(
        "--ray-address",
        metavar="ADDRESS",
        help="Of the Ray cluster: 'auto' on one of its machines, HOST:PORT, or ray://HOST:PORT from elsewhere.  "
        "[default: RAY_ADDRESS, else a cluster on this machine for as long as the command runs]",
    ),
    kept_option(
        "--ray-actors",
        type=click.IntRange(min=1),
        help="Actors that hold the models and the index, each a CPU.  [default: as many as the cluster has CPUs]",
    ),
)


def engine_options(command: Command) -> Command:
    """Add ``--engine``, ``--ray-address`` and ``--ray-actors`` to a command; see `given_engine`."""
    return add_options(command, _OPTIONS)


def given_engine() -> Engine:
    """Return the engine that the running command was told of.

    Raises:
        MissingExtraError: Ray is named and not installed.
        click.UsageError: options of Ray are given without it.
    """
    from automix_graph.engines import LocalEngine, RayEngine

    address, actors = given("ray_address"), given("ray_actors")
    if given("engine") == "ray":
        from automix_graph.engines.ray_connection import require_ray

        require_ray()  # refuses before models are loaded
        return RayEngine(address=address, actors=actors)
    for option, value in (("--ray-address", address), ("--ray-actors", actors)):
        if value is not None:
            raise click.UsageError(f"{option} is for --engine ray; give that too, or leave it out")
    return LocalEngine()
