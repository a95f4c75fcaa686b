"""What a plot is before it is on a page: a figure, the same in words, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PlotName = Literal["cost-quality", "break-even", "reliability", "outcomes", "gain"]


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A small table.

    Attributes:
        headers: of its columns.
        rows: one text a column.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A plot.

    Attributes:
        name: unique in a report.
        title: for people.
        caption: what it shows and how to read it, for those who cannot see it too.
        figure: drawn; it belongs to no window.
        numbers: what was drawn.
    """

    name: PlotName
    title: str
    caption: str
    figure: Figure
    numbers: Numbers


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A plot that these outcomes do not allow.

    Attributes:
        name: of the plot.
        title: for people.
        reason: why there is none.
    """

    name: PlotName
    title: str
    reason: str
