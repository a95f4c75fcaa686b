"""Figures of matplotlib without its global state, and their drawing as SVG that takes its colours from the page.

Everything that matplotlib would read from its settings is set here for the moment of drawing, under a lock: the same
figure comes out in every thread and under any style of the user. Nothing is shown and pyplot is never imported.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from automix_graph.errors import MissingExtraError
from automix_graph.evaluation.report.inert import inert
from automix_graph.evaluation.report.theme import PALETTES, Theme, role_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 5.4
HEIGHT: Final = 3.7
"""Size of a figure in inches: small enough that its text can be read at the width of a phone."""

_SETTINGS: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "legend.fontsize": 8.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "automix-graph",
    "text.parse_math": False,
}
_LOCK: Final = threading.RLock()
_LONGEST_LABEL: Final = 34
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}\b")
_REFERENCE: Final = re.compile(r"#([\w.:-]+)")
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")


@contextmanager
def drawing() -> Iterator[None]:
    """Hold matplotlib's settings at those of the report, one thread at a time.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib import style
    except ImportError as error:
        raise MissingExtraError("a report with plots", extra="report") from error
    with _LOCK, style.context(["default", _SETTINGS]):
        yield


def blank(theme: Theme, *, x: str, y: str) -> tuple[Figure, Axes]:
    """Return an empty figure with labelled axes.

    Args:
        theme: of its colours.
        x: label of the horizontal axis.
        y: label of the vertical axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained", facecolor=PALETTES[theme]["paper"])
    axes = figure.add_subplot()
    dress(axes, theme, x=x, y=y)
    return figure, axes


def blank_pair(theme: Theme, *, x: str, y: str, lower: str) -> tuple[Figure, Axes, Axes]:
    """Return an empty figure with high axes and low ones under them, which share the horizontal axis.

    Args:
        theme: of its colours.
        x: label of the horizontal axis.
        y: label of the high vertical axis.
        lower: label of the low vertical axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained", facecolor=PALETTES[theme]["paper"])
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [4, 1]})
    dress(above, theme, x="", y=y)
    dress(below, theme, x=x, y=lower)
    return figure, above, below


def dress(axes: Axes, theme: Theme, *, x: str, y: str) -> None:
    """Label axes and give them the colours of a theme."""
    palette = PALETTES[theme]
    axes.set_facecolor(palette["paper"])
    axes.set_xlabel(x, color=palette["ink"])
    axes.set_ylabel(y, color=palette["ink"])
    axes.tick_params(colors=palette["muted"], labelcolor=palette["ink"])
    axes.grid(visible=True, color=palette["grid"], linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(palette["muted"])
        spine.set_visible(side in {"left", "bottom"})


def drawable(text: str) -> str:
    """Return a name as the figure's font can draw it: short, and characters that it lacks as question marks.

    Example:
        >>> drawable("threshold(0.7)"), drawable("策略"), drawable("_a")
        ('threshold(0.7)', '??', ' _a')
    """
    # A space in front, since matplotlib leaves labels that start with an underscore out of legends.
    safe = "".join(char if " " <= char <= "~" or char in "−–≥≤αβδλ€£¥µ" else "?" for char in text)
    short = safe if len(safe) <= _LONGEST_LABEL else safe[: _LONGEST_LABEL - 1] + "…"
    return f" {short}" if short.startswith("_") else short


def legend_below(figure: Figure, axes: Axes, theme: Theme, *, columns: int = 2) -> None:
    """Put the legend under the axes, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False, labelcolor=PALETTES[theme]["ink"]
    )


def svg(figure: Figure, *, theme: Theme, label: str) -> str:
    """Return a figure as an SVG element for a page, the same for the same figure.

    Colours become CSS variables by role, with the colour of the theme as the fallback. Identifiers start with a hash of
    the drawing, so that any drawings can share a page. The element is an image for assistive technology.

    Args:
        figure: made inside `drawing`.
        theme: that it was drawn in.
        label: what the image shows, in words.
    """
    raw = io.BytesIO()
    with drawing():
        figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(raw.getvalue())
    prefix = f"p{sha256(raw.getvalue()).hexdigest()[:10]}"
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    names = {old: f"{prefix}-{number}" for number, old in enumerate(_referenced(root))}
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _rewritten(value, names, theme)
            for key, value in element.attrib.items()
            if key != "id" or value in names
        }
    root.attrib = {"class": "plot", "viewBox": root.attrib["viewBox"], "role": "img", "aria-label": inert(label)}
    return ElementTree.tostring(root, encoding="unicode")


def _referenced(root: ElementTree.Element) -> list[str]:
    """Return the identifiers that are used, in the order of their elements."""
    used = {
        found for element in root.iter() for value in element.attrib.values() for found in _REFERENCE.findall(value)
    }
    return [element.attrib["id"] for element in root.iter() if element.attrib.get("id") in used]


def _rewritten(value: str, names: dict[str, str], theme: Theme) -> str:
    if value in names:
        return names[value]
    value = _REFERENCE.sub(lambda match: f"#{names.get(match[1], match[1])}", value)
    return _COLOUR.sub(lambda match: _variable(match[0], theme), value)


def _variable(colour: str, theme: Theme) -> str:
    role = role_of(colour, theme)
    return colour if role is None else f"var(--{role}, {colour})"


def _local(tag: str) -> str:
    return _NAMESPACE.sub("", tag)
