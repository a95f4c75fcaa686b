"""Prompts and examples as people save them: UTF-8, with or without a byte-order mark, with any line ends."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

from automix_graph.errors import ConfigurationError


def read_text(file: Traversable | Path, *, what: str) -> str:
    """Return the text of a file without a byte-order mark, with line feeds alone between its lines.

    Args:
        file: to be read.
        what: it is, for the error.

    Raises:
        ConfigurationError: it cannot be read, or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {error}", code="bad-prompts") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{what} cannot be read: {file.name!r} is not UTF-8 ({error}); save it so", code="bad-prompts"
        ) from error
