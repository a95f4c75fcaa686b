"""The report as a file: whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.report.page import report_page
from automix_graph.evaluation.results import Evaluation
from automix_graph.files import replace_file
from automix_graph.records import Recorded

DEFAULT_TITLE = "What the cascade is worth"


def write_report(
    evaluation: Evaluation,
    path: str | Path,
    *,
    records: Iterable[Recorded] | None = None,
    title: str | None = None,
    top: int = 20,
    command: str | None = None,
    day: date | None = None,
) -> Path:
    """Write an evaluation as one HTML file that needs no network.

    The same evaluation gives the same bytes, except for the date. Light and dark follow the reader's system, and can be
    chosen on the page. An older file is replaced only once the new one is complete.

    Args:
        evaluation: what to report; its first policy is the headline.
        path: of the file.
        records: of the evaluated questions, for texts, models and scorer; others among them are not shown.
        title: of the page; a general one by default.
        top: questions in each table of questions; 0 leaves these tables out.
        command: that made the report, to be shown.
        day: of the report, today (UTC) by default.

    Returns:
        The path.

    Raises:
        ConfigurationError: ``top`` is no count, the records are not those of the evaluation, or the file cannot be
            written.
        MissingExtraError: the extra ``report`` is not installed.

    Example:
        >>> import tempfile
        >>> from automix_graph.evaluation import Outcomes, Tier, evaluate
        >>> small = Tier(name="small", quality=[1, 1, 0, 0], cost=1, confidence=[0.9, 0.7, 0.6, 0.1], verify_cost=0.5)
        >>> large = Tier(name="large", quality=[1, 1, 1, 1], cost=20)
        >>> found = evaluate(Outcomes(tiers=(small, large)), n_resamples=10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = write_report(found, Path(folder, "report.html"), title="My data").read_text(encoding="utf-8")
        >>> "<title>My data</title>" in page
        True
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 0:
        raise ConfigurationError(f"top is {top!r}; give the number of questions a table, 0 or more")
    page = report_page(
        evaluation,
        records=None if records is None else tuple(records),
        title=DEFAULT_TITLE if title is None else title,
        top=top,
        command=command,
        day=datetime.now(UTC).date() if day is None else day,
    )
    target = Path(path)
    try:
        replace_file(target, page.encode())
    except OSError as error:
        raise ConfigurationError(
            f"report {str(target)!r} cannot be written: {error.strerror or error}", code="file-unwritable"
        ) from error
    return target
