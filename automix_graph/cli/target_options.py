"""Options that say what a policy is to achieve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.calibration import Target

DEFAULT_DELTA: Final = 0.1

_LEVEL: Final = click.FloatRange(min=0, max=1, min_open=True, max_open=True)

_OPTIONS = (
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0),
        metavar="C",
        help="Target: spend at most C a question in the mean.",
    ),
    click.option(
        "--min-quality",
        type=click.FloatRange(min=0, max=1),
        metavar="Q",
        help="Target: reach a quality of Q in the mean.",
    ),
    click.option(
        "--max-error",
        type=_LEVEL,
        metavar="A",
        help="Target: at most a share A of the answers kept from the small model are wrong. Guaranteed, see --delta.",
    ),
    click.option(
        "--max-regret",
        type=_LEVEL,
        metavar="A",
        help="Target: lose at most A a question against always asking the large model. Guaranteed, see --delta.",
    ),
    click.option(
        "--price-of-error",
        type=click.FloatRange(min=0, min_open=True),
        metavar="P",
        help="Target: make cost + P x (1 - quality) small, a wrong answer costing P.",
    ),
    click.option(
        "--delta",
        type=_LEVEL,
        metavar="D",
        help="With --max-error and --max-regret: the guarantee holds with confidence 1 - D.  "
        f"[default: {DEFAULT_DELTA}]",
    ),
)


def target_options(command: Command) -> Command:
    """Add the targets to a command."""
    return add_options(command, _OPTIONS)


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """The values of `target_options`.

    Attributes:
        max_cost: budget.
        min_quality: floor.
        max_error: alpha.
        max_regret: alpha.
        price_of_error: price.
        delta: of a guarantee.
    """

    max_cost: float | None
    min_quality: float | None
    max_error: float | None
    max_regret: float | None
    price_of_error: float | None
    delta: float | None

    def target(self) -> Target:
        """Return the one target that was given.

        Raises:
            UsageError: there is none, there are several, or ``--delta`` has no use.
            ConfigurationError: its number is out of range.
        """
        from automix_graph.calibration import MaxCost, MaxError, MaxRegret, MinQuality, PriceOfError

        delta = DEFAULT_DELTA if self.delta is None else self.delta
        makers: dict[str, Callable[[float], Target]] = {
            "--max-cost": MaxCost,
            "--min-quality": MinQuality,
            "--max-error": lambda alpha: MaxError(alpha, delta),
            "--max-regret": lambda alpha: MaxRegret(alpha, delta),
            "--price-of-error": PriceOfError,
        }
        values = (self.max_cost, self.min_quality, self.max_error, self.max_regret, self.price_of_error)
        given = [(name, value) for name, value in zip(makers, values, strict=True) if value is not None]
        if len(given) != 1:
            told = "several were given" if given else "none was given"
            raise click.UsageError(f"give one target of {', '.join(makers)}; {told}")
        name, value = given[0]
        if self.delta is not None and name not in {"--max-error", "--max-regret"}:
            raise click.UsageError(f"--delta is for guarantees, and {name} is none; leave it out")
        return makers[name](value)
