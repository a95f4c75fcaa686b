"""What is said where a file that a long job needs cannot be written, as when the disk is full."""

from __future__ import annotations

from pathlib import Path

from automix_graph.errors import ConfigurationError


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """Return the error that says so.

    Example:
        >>> str(unwritable(Path("out.jsonl"), OSError(28, "No space left on device")))
        "'out.jsonl' cannot be written: No space left on device; make room, and run the same again"
    """
    return ConfigurationError(
        f"{str(path)!r} cannot be written: {error.strerror or error}; make room, and run the same again",
        code="file-unwritable",
    )
