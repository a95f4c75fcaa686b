"""Where the weights of the embedded models lie on disk.

A file appears under its final name only after its sum was checked (`automix_graph.models.fetch`) and never changes
afterwards, so whoever loads it needs to look at its size only.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from automix_graph.config import ENV_CACHE_DIR
from automix_graph.errors import ModelFileError
from automix_graph.models.catalog import EmbeddedModel, ModelFile


def cache_dir() -> Path:
    """Return the folder of this package's cache: ``AUTOMIX_CACHE_DIR``, else the platform's convention."""
    override = os.environ.get(ENV_CACHE_DIR)
    if override:
        return Path(override).expanduser()
    return Path(platformdirs.user_cache_dir("automix-graph", appauthor=False))


def model_folder(model: EmbeddedModel) -> Path:
    """Return the folder that holds, or will hold, the model's files."""
    return cache_dir() / "models" / model.name


def model_path(model: EmbeddedModel) -> Path:
    """Return where the model is, or will be: its file, or its folder where it has several."""
    folder = model_folder(model)
    return folder / model.files[0].name if len(model.files) == 1 else folder


def is_present(model: EmbeddedModel) -> bool:
    """Return whether all files of the model are in the cache, with their full size."""
    folder = model_folder(model)
    return all(_has_size(folder / file.name, file) for file in model.files)


def require_model(model: EmbeddedModel) -> Path:
    """Return where the model is.

    Raises:
        ModelFileError: a file of it is missing or has the wrong size.
    """
    if is_present(model):
        return model_path(model)
    raise ModelFileError(
        f"the embedded model {model.name!r} is not in {model_folder(model)}; run: automix models pull {model.name}",
        name=model.name,
        code="weights-missing",
    )


def _has_size(path: Path, file: ModelFile) -> bool:
    try:
        return path.is_file() and path.stat().st_size == file.size
    except OSError:
        return False
