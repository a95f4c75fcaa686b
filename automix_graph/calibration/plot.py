"""A drawing of what a calibrated policy does: where it escalates, and what the models are worth there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from automix_graph.calibration.calibration import Calibration
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.report.canvas import blank_pair, drawable, drawing, legend_below
from automix_graph.evaluation.report.theme import PALETTES, Role
from automix_graph.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ENDINGS: Final = (".svg", ".png")
_DPI: Final = 200
_LOOKS: Final[tuple[tuple[Role, str], ...]] = (("small", "o"), ("large", "s"), ("oracle", "^"), ("hindsight", "D"))


def require_plot_file(path: Path) -> None:
    """Refuse a file that a plot cannot be written to.

    Raises:
        ConfigurationError: its ending is another than .svg and .png.

    Example:
        >>> require_plot_file(Path("policy.svg"))
    """
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigurationError(f"plot {str(path)!r} has an unknown ending; use one of {', '.join(_ENDINGS)}")


def write_plot(calibration: Calibration, path: Path) -> None:
    """Draw the mean quality of every tier, and the share that escalates, by confidence.

    Args:
        calibration: of the policy.
        path: of the file, .svg or .png; one that is there is replaced.

    Raises:
        ConfigurationError: the ending is another, or the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    require_plot_file(path)
    with drawing():
        figure = _figure(calibration)
        kind = path.suffix.lower().removeprefix(".")
        try:
            with replacing(path) as fresh:
                # The same plot is the same file: an SVG would tell the date.
                figure.savefig(fresh, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else None)
        except OSError as error:
            raise ConfigurationError(
                f"plot {str(path)!r} cannot be written: {error.strerror or error}", code="file-unwritable"
            ) from error


def _figure(calibration: Calibration) -> Figure:
    palette = PALETTES["light"]
    figure, above, below = blank_pair("light", x="confidence in the first answer", y="mean quality", lower="escalated")
    judged = [
        (band.low, band.high, band) for band in calibration.bands if band.low is not None and band.high is not None
    ]
    middle = np.array([(low + high) / 2 for low, high, _ in judged])
    for position, tier in enumerate(calibration.alone):
        role, marker = _LOOKS[position % len(_LOOKS)]
        quality = [band.qualities[position] for *_, band in judged]
        above.plot(middle, quality, marker=marker, ms=4, lw=1.2, color=palette[role], label=drawable(tier.tier))
    below.bar(
        [low for low, *_ in judged],
        [band.escalated for *_, band in judged],
        width=[max(high - low, 0.005) for low, high, _ in judged],
        align="edge",
        color=palette["policy"],
        edgecolor=palette["paper"],
        linewidth=0.5,
        label="escalated",
    )
    above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), title=drawable(calibration.policy.name))
    below.set(ylim=(0.0, 1.0))
    legend_below(figure, above, "light", columns=len(calibration.alone))
    return figure
