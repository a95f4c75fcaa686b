"""Cells of Parquet files; needs pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation.arrow import require_pyarrow

_NEEDED_FOR: Final = "reading Parquet tables"


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file.

    Raises:
        ConfigurationError: the file is no Parquet file.
        MissingExtraError: pyarrow is not installed.
    """
    require_pyarrow(_NEEDED_FOR)
    import pyarrow
    from pyarrow import parquet

    try:
        return [str(name) for name in parquet.read_schema(path).names]
    except pyarrow.ArrowInvalid as error:
        raise ConfigurationError(f"table {str(path)!r} is no Parquet file: {error}", code="table") from error


def read_cells(path: Path, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return columns of a Parquet file as Python values, None where a cell is empty.

    Raises:
        ConfigurationError: the file is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    require_pyarrow(_NEEDED_FOR)
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, columns=list(names))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ConfigurationError(f"table {str(path)!r} cannot be read as Parquet: {error}", code="table") from error
    return {name: table.column(name).to_pylist() for name in names}
