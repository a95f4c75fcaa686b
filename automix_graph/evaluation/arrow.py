"""Whether Parquet files can be read and written here, which needs pyarrow."""

from __future__ import annotations

from automix_graph.errors import MissingExtraError


def require_pyarrow(needed_for: str) -> None:
    """Refuse to go on where there is no pyarrow; it can be imported afterwards.

    Args:
        needed_for: what is to be done, such as ``"reading Parquet files"``.

    Raises:
        MissingExtraError: it is not installed.

    Example:
        >>> require_pyarrow("reading Parquet files")
    """
    try:
        import pyarrow.parquet  # noqa: F401 - only to know
    except ImportError as error:
        raise MissingExtraError(needed_for, extra="evaluation") from error
