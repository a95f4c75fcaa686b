"""What is wrong with a file, in a line."""

from __future__ import annotations

from pydantic import ValidationError


def problems_of(error: ValidationError) -> str:
    """Return each field with its complaint, without the values and without links."""
    return "; ".join(": ".join(filter(None, (".".join(map(str, item["loc"])), item["msg"]))) for item in error.errors())
