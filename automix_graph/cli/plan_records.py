"""What records tell a plan where the user gave no option."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from automix_graph.cli.price_option import require_priced
from automix_graph.costs.prices import Price, Prices

if TYPE_CHECKING:
    from automix_graph.evaluation.recorded_workload import RecordedWorkload


def recorded_workload(path: Path, policy: Path | None, given: tuple[tuple[str, Price], ...]) -> RecordedWorkload:
    """Return what a file of records comes to.

    Args:
        path: of the file.
        policy: file of the one that decides which small answers are kept; None keeps those with the verdict CORRECT.
        given: prices by model label, in place of list prices.

    Raises:
        ConfigurationError: a file cannot be used, or the price of a recorded model is unknown.
    """
    from automix_graph.evaluation.call_costs import unpriced_models
    from automix_graph.evaluation.record_files import read_records
    from automix_graph.evaluation.recorded_workload import RecordedWorkload
    from automix_graph.policies import AcceptCorrect, load_policy

    follows = AcceptCorrect() if policy is None else load_policy(policy)
    rows = read_records(path).rows
    require_priced(unpriced_models(rows, Prices(dict(given))))
    return RecordedWorkload.of(rows, follows, dict(given))


class Chosen:
    """Takes an option where the user gave it, else what the records tell, else the option's default."""

    def __init__(self, recorded: RecordedWorkload | None) -> None:
        self._known: dict[str, Any] = {}
        if recorded is not None:
            self._known = {
                "small": recorded.small,
                "large": recorded.large,
                "language": recorded.language,
                "small_answer_tokens": recorded.small_answer,
                "large_answer_tokens": recorded.large_answer,
                "accept_rate": recorded.accept_rate,
                "small_quality": recorded.qualities[0],
                "large_quality": recorded.qualities[1],
            }

    def __call__(self, name: str, value: Any) -> Any:
        """Return the value to be used for an option, by the name of its parameter."""
        source = click.get_current_context().get_parameter_source(name)
        return value if source is ParameterSource.COMMANDLINE else self._known.get(name, value)
