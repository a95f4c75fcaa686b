"""The wheel holds everything that the package reads at run time."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "automix_graph").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= names
    for language in ("en", "zh"):
        for file in ("words.json", "examples.json", "document/verify.txt", "shared/system.txt"):
            assert f"automix_graph/prompts/{language}/{file}" in names
    assert "automix_graph/py.typed" in names
    assert "automix_graph/cli/demo_corpus/passages_en.jsonl" in names


def test_the_wheel_holds_licences_and_no_tests(names: set[str]) -> None:
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
