"""Colours by what they stand for, in light and dark, and as CSS variables so that one drawing serves both.

The hues are those of Okabe and Ito (2008), which people with a colour vision deficiency can tell apart, darkened or
lightened until lines and points have a contrast of at least 3:1 with the background and text one of at least 4.5:1
(WCAG 2.2). Nothing is told by colour alone: points also differ in shape, and areas in hatching.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Theme = Literal["light", "dark"]
Choice = Literal["auto", "light", "dark"]
"""A theme, or that which the reader's system or notebook prefers."""

Role = Literal[
    "paper", "panel", "ink", "muted", "grid", "small", "large", "policy", "hindsight", "oracle", "both", "neither"
]
"""What a colour stands for."""

Palette = Mapping[Role, str]

PALETTES: Final[Mapping[Theme, Palette]] = {
    "light": {
        "paper": "#ffffff",
        "panel": "#f3f5f7",
        "ink": "#1c2024",
        "muted": "#596069",
        "grid": "#d9dee3",
        "small": "#0067a6",
        "large": "#c04a00",
        "policy": "#8e3b78",
        "hindsight": "#87650c",
        "oracle": "#00785a",
        "both": "#5c9fc9",
        "neither": "#70767d",
    },
    "dark": {
        "paper": "#14171a",
        "panel": "#1f2428",
        "ink": "#e8eaed",
        "muted": "#a6adb5",
        "grid": "#343a40",
        "small": "#56b4e9",
        "large": "#f28e3c",
        "policy": "#dd9bc6",
        "hindsight": "#e3c04f",
        "oracle": "#35c79c",
        "both": "#3c7aa5",
        "neither": "#858c94",
    },
}
"""Colours as #rrggbb. Inside a palette no two are alike, so that each tells its role."""


def variables(theme: Theme) -> str:
    """Return the CSS that declares the colours of a theme.

    Example:
        >>> variables("dark").split(";")[0]
        '--paper: #14171a'
    """
    return "; ".join(f"--{role}: {colour}" for role, colour in PALETTES[theme].items())


def role_of(colour: str, theme: Theme) -> Role | None:
    """Return what a colour stands for, None if it is none of the theme's.

    Example:
        >>> role_of("#0067A6", "light"), role_of("#0067A6", "dark")
        ('small', None)
    """
    return next((role for role, known in PALETTES[theme].items() if known == colour.lower()), None)
