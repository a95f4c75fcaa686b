"""The plots of the report in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.report.gallery import draw_all
from automix_graph.evaluation.report.page import plots_on_page, render
from automix_graph.evaluation.report.plot import Absent, Plot, PlotName
from automix_graph.evaluation.report.theme import Choice, Theme
from automix_graph.evaluation.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class Plots:
    """Plots of an evaluation, which a notebook shows.

    Attributes:
        theme: as it was asked for.
        shown: every plot of the report, in its order; those that the outcomes do not allow say why.
    """

    theme: Choice
    shown: tuple[Plot | Absent, ...]

    @property
    def figures(self) -> Mapping[PlotName, Figure]:
        """The matplotlib figures by name, to be saved or changed; absent plots are left out."""
        return {plot.name: plot.figure for plot in self.shown if isinstance(plot, Plot)}

    @property
    def absent(self) -> Mapping[PlotName, str]:
        """Why plots are absent, by name."""
        return {plot.name: plot.reason for plot in self.shown if isinstance(plot, Absent)}

    def _repr_html_(self) -> str:
        drawn = _drawn_in(self.theme)
        return render("plots.html", choice=self.theme, plots=plots_on_page(self.shown, drawn))


def plots(evaluation: Evaluation, *, theme: Choice = "auto") -> Plots:
    """Draw the plots of the report, for a notebook.

    As the last value of a cell they show themselves, with captions, without any extension. Single figures can be saved:
    ``plots(found).figures["cost-quality"].savefig("curve.png")``.

    Args:
        evaluation: what to draw.
        theme: ``"light"``, ``"dark"``, or ``"auto"`` for what the notebook or the system prefers; figures that are
            saved are then light.

    Raises:
        ConfigurationError: there is no such theme.
        MissingExtraError: the extra ``report`` is not installed.

    Example:
        >>> from automix_graph.evaluation import Outcomes, Tier, evaluate
        >>> small = Tier(name="small", quality=[1, 1, 0, 0], cost=1, confidence=[0.9, 0.7, 0.6, 0.1], verify_cost=0.5)
        >>> large = Tier(name="large", quality=[1, 1, 1, 1], cost=20)
        >>> sorted(plots(evaluate(Outcomes(tiers=(small, large)), n_resamples=10)).figures)
        ['break-even', 'cost-quality', 'gain', 'outcomes', 'reliability']
    """
    if theme not in get_args(Choice):
        raise ConfigurationError(f"theme {theme!r} is unknown; use one of {', '.join(map(repr, get_args(Choice)))}")
    return Plots(theme=theme, shown=draw_all(evaluation, _drawn_in(theme)))


def _drawn_in(theme: Choice) -> Theme:
    return "light" if theme == "auto" else theme
