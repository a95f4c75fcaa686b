"""Options of shadow mode and audits, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from automix_graph.cli.given_options import given, kept_option
from automix_graph.cli.option_groups import Command, add_options

if TYPE_CHECKING:
    from automix_graph.shadow import Background

_OPTIONS: Final = (
    kept_option(
        "--mode",
        type=click.Choice(["cascade", "shadow"]),
        default="cascade",
        show_default=True,
        help="In shadow mode the large model answers everything, and the cascade is watched in the background.",
    ),
    kept_option(
        "--shadow-rate",
        type=click.FloatRange(0, 1),
        show_default="1 in shadow mode",
        help="Share of the questions that is watched in shadow mode.",
    ),
    kept_option(
        "--audit-rate",
        type=click.FloatRange(0, 1),
        default=0.0,
        show_default=True,
        help="Share of the questions of a cascade that is recorded; answers that were kept are compared with the "
        "large model's, which is asked in the background.",
    ),
    kept_option(
        "--audit-records",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File of the records of shadow mode and audits; gone on with if it is there.",
    ),
    kept_option(
        "--audit-max-cost",
        type=click.FloatRange(min=0, min_open=True),
        metavar="USD",
        help="Ceiling on what all background calls in that file cost together.  [default: none]",
    ),
    kept_option("--audit-redact", is_flag=True, default=False, help="Record lengths in place of texts."),
)


@dataclass(frozen=True, kw_only=True)
class ShadowOptions:
    """What the options say.

    Attributes:
        mode: who answers.
        shadow_rate: share that is watched; None: all in shadow mode.
        audit_rate: share that is audited.
        audit_records: where the records go; None: nowhere.
        audit_max_cost: ceiling, in USD.
        audit_redact: whether texts are left out.
    """

    mode: Literal["cascade", "shadow"]
    shadow_rate: float | None
    audit_rate: float
    audit_records: Path | None
    audit_max_cost: float | None
    audit_redact: bool

    def background(self) -> Background | None:
        """Return where the records go; None where nothing is recorded.

        Raises:
            click.UsageError: the options contradict each other.
            ConfigurationError: the file cannot be written.
        """
        sampled = self.mode == "shadow" or self.audit_rate > 0
        if sampled and self.audit_records is None:
            raise click.UsageError("--audit-records is missing; shadow mode and audits need a file for their records")
        unused = {
            "--audit-records": self.audit_records,
            "--audit-max-cost": self.audit_max_cost,
            "--audit-redact": self.audit_redact,
        }
        if not sampled and (given := [name for name, value in unused.items() if value]):
            raise click.UsageError(f"{given[0]} is given and nothing is recorded; add --mode shadow or --audit-rate")
        if self.audit_records is None:
            return None
        from automix_graph.shadow import Background

        return Background(records=self.audit_records, max_cost=self.audit_max_cost, redact=self.audit_redact)


def shadow_options(command: Command) -> Command:
    """Add the options of shadow mode and audits to a command; `given_shadow` returns what they say."""
    return add_options(command, _OPTIONS)


def given_shadow() -> ShadowOptions:
    """Return what the running command was told of shadow mode and audits."""
    return ShadowOptions(
        mode=given("mode"),
        shadow_rate=given("shadow_rate"),
        audit_rate=given("audit_rate"),
        audit_records=given("audit_records"),
        audit_max_cost=given("audit_max_cost"),
        audit_redact=given("audit_redact"),
    )
