"""The report as one HTML page. What is shown is worked out elsewhere; here it meets the templates.

The page needs nothing but itself: no script, font, image or style from elsewhere, and its security policy forbids them.
Every text passes `inert` and is escaped, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from automix_graph.errors import MissingExtraError
from automix_graph.evaluation.report.canvas import svg
from automix_graph.evaluation.report.gallery import draw_all
from automix_graph.evaluation.report.inert import inert
from automix_graph.evaluation.report.measures_table import measure_tables, reasons
from automix_graph.evaluation.report.plot import Absent, Plot
from automix_graph.evaluation.report.policy_table import policy_rows
from automix_graph.evaluation.report.provenance import facts
from automix_graph.evaluation.report.questions import listings
from automix_graph.evaluation.report.summary import summarise
from automix_graph.evaluation.report.theme import Theme, variables
from automix_graph.evaluation.results import Evaluation
from automix_graph.records import Recorded

if TYPE_CHECKING:
    from jinja2 import Environment


def report_page(
    evaluation: Evaluation,
    *,
    records: Sequence[Recorded] | None,
    title: str,
    top: int,
    command: str | None,
    day: date,
) -> str:
    """Return the report.

    Args:
        evaluation: what to report.
        records: where the texts are; None where there are none.
        title: of the page.
        top: questions a table.
        command: that made the report; None where nobody said.
        day: of the report.

    Raises:
        ConfigurationError: the records are not those of the evaluation.
        MissingExtraError: matplotlib or Jinja is not installed.
    """
    tables = measure_tables(evaluation)
    return render(
        "report.html",
        title=title,
        day=day.isoformat(),
        facts=facts(evaluation, records, command=command),
        summary=summarise(evaluation),
        policies=policy_rows(evaluation),
        level=f"{evaluation.level:.0%}",
        plots=plots_on_page(draw_all(evaluation, "light"), "light"),
        listings=listings(evaluation, records, top=top) if top else (),
        tables=tables,
        reasons=reasons(tables),
        n=evaluation.outcomes.n,
    )


def plots_on_page(plots: Sequence[Plot | Absent], theme: Theme) -> list[dict[str, Any]]:
    """Return plots as the templates take them.

    Args:
        plots: drawn or absent.
        theme: that they were drawn in.
    """
    return [_absent(plot) if isinstance(plot, Absent) else _drawn(plot, theme) for plot in plots]


def render(template: str, **values: object) -> str:
    """Fill in a template of this package.

    Args:
        template: its file name.
        values: that it needs; every text among them becomes inert.

    Raises:
        MissingExtraError: Jinja is not installed.
    """
    return _environment().get_template(template).render(**values)


def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtraError("a report", extra="report") from error
    environment = Environment(
        loader=PackageLoader("automix_graph.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.globals |= {"light": Markup(variables("light")), "dark": Markup(variables("dark"))}
    return environment


def _drawn(plot: Plot, theme: Theme) -> dict[str, Any]:
    from markupsafe import Markup

    drawing = Markup(svg(plot.figure, theme=theme, label=f"{plot.title}. {plot.caption}"))
    return {
        "name": plot.name,
        "title": plot.title,
        "caption": plot.caption,
        "svg": drawing,
        "numbers": plot.numbers,
        "reason": None,
    }


def _absent(plot: Absent) -> dict[str, Any]:
    return {"name": plot.name, "title": plot.title, "svg": None, "reason": plot.reason}
