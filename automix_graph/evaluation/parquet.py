"""Cells of Parquet files; needs pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from automix_graph.errors import ConfigurationError, MissingExtraError


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file.

    Raises:
        ConfigurationError: the file is no Parquet file.
        MissingExtraError: pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    try:
        return [str(name) for name in parquet.read_schema(path).names]
    except arrow.ArrowInvalid as error:
        raise ConfigurationError(f"table {str(path)!r} is no Parquet file: {error}") from error


def read_cells(path: Path, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return columns of a Parquet file as Python values, None where a cell is empty.

    Raises:
        ConfigurationError: the file is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    arrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(path, columns=list(names))
    except (arrow.ArrowInvalid, OSError) as error:
        raise ConfigurationError(f"table {str(path)!r} cannot be read as Parquet: {error}") from error
    return {name: table.column(name).to_pylist() for name in names}


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("reading Parquet tables", extra="evaluation") from error
    return pyarrow, pyarrow.parquet
