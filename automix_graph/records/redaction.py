"""What stands for a text that was not recorded: its length, and nothing else of it."""

from __future__ import annotations

import re
from typing import Final

_REDACTED: Final = re.compile(r"\[redacted, [0-9]+ characters\]")


def redacted_text(text: str) -> str:
    """Return what is recorded in place of a text.

    Example:
        >>> redacted_text("Paris")
        '[redacted, 5 characters]'
    """
    return f"[redacted, {len(text)} characters]"


def is_redacted(text: str) -> bool:
    """Return whether a text stands for one that was not recorded, as `redacted_text` makes it.

    Example:
        >>> is_redacted("[redacted, 5 characters]"), is_redacted("Paris")
        (True, False)
    """
    return _REDACTED.fullmatch(text) is not None
