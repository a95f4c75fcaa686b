"""Files that people edit load, or are refused by name; the laws are those of the fuzz target for files."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def fuzz_target(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", FUZZ / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FUZZ)
        spec.loader.exec_module(module)
    return module


FUZZ = Path(__file__).parents[1] / "fuzz"
TARGET = fuzz_target("files")


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(TARGET.SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(1, len(content)))
        end = draw(st.integers(start, min(len(content), start + 8)))
        content[start:end] = draw(st.sampled_from(TARGET.WORDS).map(str.encode) | st.binary(max_size=4))
    return bytes(content)


@pytest.fixture(autouse=True, scope="module")
def _folder() -> Iterator[None]:
    yield
    for path in TARGET.FOLDER.iterdir():
        path.unlink()


@pytest.mark.parametrize("seed", TARGET.SEEDS, ids=range(len(TARGET.SEEDS)))
def test_the_laws_hold_for_the_seeds_of_the_fuzz_target(seed: bytes) -> None:
    TARGET.check(seed)


@settings(max_examples=300, deadline=None)
@given(edited() | st.binary(max_size=40))
def test_an_edited_file_loads_or_is_refused_by_name(content: bytes) -> None:
    TARGET.check(content)
