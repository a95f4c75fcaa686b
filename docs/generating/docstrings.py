"""How docstrings of this package are read for the site: an extension of Griffe.

They are written for ``help()`` and the doctest runner. Markdown would take the ``>>>`` of an ``Example:`` for
quotations, so these become the section ``Examples:``, which Griffe knows; and a ``::`` before an indented block means
nothing to it.
"""

from __future__ import annotations

import re
from typing import Any

import griffe


class ReadableDocstrings(griffe.Extension):
    """Rewrite docstrings before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object that has one."""
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)


def readable(text: str) -> str:
    r"""Return a docstring as Griffe and Markdown understand it.

    Example:
        >>> readable("Add.\n\n::\n\n    a\n\nExample:\n    >>> 1\n    1")
        'Add.\n\n    a\n\nExamples:\n    >>> 1\n    1'
    """
    return re.sub(r"^Example:$", "Examples:", re.sub(r"^::\n\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
