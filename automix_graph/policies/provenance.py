"""Where a calibrated policy comes from: what it was made for, and what its calibration found, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from automix_graph.policies.file_values import object_with
from automix_graph.policies.made_for import MadeFor

FACTS: Final = frozenset(
    {
        "date",
        "software",
        "data",
        "tiers",
        "costs",
        "target",
        "label",
        "guarantee",
        "not_said",
        "certificate",
        "n",
        "questions",
        "selection_rows",
        "certification_rows",
        "seed",
        "lam",
        "expected",
        "compared",
        "alone",
        "notes",
    }
)
"""What a calibration tells about itself, by key in the file."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a policy comes from.

    Attributes:
        made_for: the parts that it fits; None where nobody knows them, as with a table, and any are accepted.
        facts: about its calibration, as JSON values, under the keys of `FACTS`.

    Raises:
        ConfigurationError: a fact is missing, or is none of these.
    """

    made_for: MadeFor | None
    facts: Mapping[str, Any]

    def __post_init__(self) -> None:
        object_with("calibration", dict(self.facts), FACTS)

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**self.facts, "made_for": None if self.made_for is None else self.made_for.to_data()}

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Read what `to_data` returned.

        Raises:
            ConfigurationError: the values are something else.
        """
        object_with("calibration", data, FACTS | {"made_for"})
        made_for = None if data["made_for"] is None else MadeFor.from_data(data["made_for"])
        return cls(made_for=made_for, facts={name: value for name, value in data.items() if name != "made_for"})
