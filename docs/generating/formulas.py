"""Formulas: LaTeX in a fence named ``math`` becomes MathML, which browsers draw without a script or a font.

GitHub draws the same fences, so the pages can be read there as well.
"""

from __future__ import annotations

from typing import Any

from latex2mathml.converter import convert


def math_fence(source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **_: Any) -> str:
    r"""Return the HTML of a formula; the signature is that of a fence of pymdownx.superfences.

    Example:
        >>> "<mfrac>" in math_fence(r"\frac{a}{b}", "math", "math", {}, None)
        True
    """
    return f'<div class="{css_class}">{convert(" ".join(source.split()), display="block")}</div>'
