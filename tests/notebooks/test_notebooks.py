"""The notebooks are valid and clean, what they name exists, and they run."""

import ast
import csv
import gzip
import re
import shlex
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient
from traitlets.config import Config

from automix_graph.cli.main import automix

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [path.name for path in NOTEBOOKS]
CELL_SECONDS = 600

# A path from the root of a file system, a home, an address of a machine or a key.
LEAK = re.compile(r"(?<![\w.)/:])(?:/(?:home|root|tmp|work|Users|usr|opt|var|mnt)/|[A-Z]:\\|~/)|file://|\bsk-\w{8}")
WEB_ADDRESS = re.compile(r"\b(?!127\.0\.0\.1\b)\d{1,3}(?:\.\d{1,3}){3}\b|https?://(?!127\.0\.0\.1)[\w.-]+")
NOISE = re.compile(r"Warning\b|Traceback|\d+%\|| it/s\b|\x1b\[|object at 0x")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)


def opened(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_of(path: Path) -> list[str]:
    """Return the code cells, without the magics of IPython."""
    cells = [cell.source for cell in opened(path).cells if cell.cell_type == "code"]
    return ["\n".join("pass" if line.startswith(("%", "!")) else line for line in code.split("\n")) for code in cells]


def prose_of(path: Path) -> str:
    return "\n\n".join(cell.source for cell in opened(path).cells if cell.cell_type == "markdown")


def outputs_of(path: Path) -> list[Any]:
    return [output for cell in opened(path).cells if cell.cell_type == "code" for output in cell.outputs]


def texts_of(outputs: list[Any]) -> str:
    """Return all outputs as text, pictures left out."""
    texts = [output.text for output in outputs if output.output_type == "stream"]
    for output in outputs:
        data = output.get("data", {})
        texts += [text for kind, text in data.items() if kind.startswith("text/") or kind.endswith("svg+xml")]
        texts.append(str(output.get("metadata", {})))
    return "\n".join(texts)


def commands_of(path: Path) -> list[str]:
    prose = prose_of(path)
    blocks = re.findall(r"```bash\n(.*?)```", prose, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", prose, flags=re.DOTALL))
    return [line for line in [*lines, *inline] if line.startswith("automix ")]


def run(path: Path, folder: Path) -> Any:
    """Run a notebook in a copy of its folder, so that nothing that it writes lands beside it."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ipynb"))
    notebook = opened(path)
    # Over Unix sockets, which nobody else can listen to. Their paths have to be short.
    with tempfile.TemporaryDirectory() as sockets:
        config = Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"})
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(
            notebook, kernel_name="python3", config=config, timeout=CELL_SECONDS, resources=resources
        ).execute()
    return notebook


def test_the_five_notebooks_are_there() -> None:
    assert [name[:2] for name in NAMES] == ["01", "02", "03", "04", "05"]


@every_notebook
def test_it_is_valid_and_its_metadata_are_minimal(path: Path) -> None:
    notebook = opened(path)
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    assert all(not cell.metadata for cell in notebook.cells)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_it_has_outputs_and_none_is_an_error(path: Path) -> None:
    outputs = outputs_of(path)
    assert len(outputs) >= 6
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


@every_notebook
def test_nothing_of_the_machine_and_no_noise_is_in_it(path: Path) -> None:
    outputs = texts_of(outputs_of(path))
    for text in ("\n".join(code_of(path)), prose_of(path), outputs):
        assert not LEAK.findall(text)
    assert not WEB_ADDRESS.findall(outputs)
    assert not NOISE.findall(outputs)


@every_notebook
def test_every_picture_is_described(path: Path) -> None:
    pictures = [output for output in outputs_of(path) if "image/png" in output.get("data", {})]
    assert all(len(picture.metadata["image/png"]["alt"]) > 40 for picture in pictures)
    assert bool(pictures) == path.name.startswith(("02", "03"))


@every_notebook
def test_its_code_parses_and_its_imports_exist(path: Path) -> None:
    for code in code_of(path):
        tree = compile(code, path.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = import_module(node.module or "")
                assert all(hasattr(module, alias.name) for alias in node.names)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    import_module(alias.name)


@pytest.mark.parametrize("line", sorted({line for path in NOTEBOOKS for line in commands_of(path)}))
def test_commands_that_it_mentions_exist(line: str) -> None:
    name, *words = shlex.split(line)[1:]
    command = automix.get_command(click.Context(automix), name)
    assert command is not None
    page = CliRunner().invoke(automix, [name, "--help"])
    assert page.exit_code == 0
    for option in (word for word in words if word.startswith("--")):
        assert option in page.output


@every_notebook
def test_what_it_links_to_exists(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", prose_of(path))
    local = [target for target in targets if not target.startswith("http")]
    assert local
    assert not [target for target in local if not (FOLDER / target).exists()]


def test_the_chinese_one_is_chinese() -> None:
    path = next(path for path in NOTEBOOKS if path.name.startswith("05"))
    prose = re.sub(r"```.*?```|`[^`]*`|\([^)]*\)|\[[^\]]*\]", "", prose_of(path), flags=re.DOTALL)
    paragraphs = [part for part in prose.split("\n\n") if len(re.findall(r"[A-Za-z]{2,}", part)) > 0]
    assert all(
        len(re.findall(r"[\u4e00-\u9fff]", part)) > len(re.findall(r"[A-Za-z]{2,}", part)) for part in paragraphs
    )
    assert len(re.findall(r"[\u4e00-\u9fff]", prose)) > 800


def test_every_data_file_is_small_and_its_source_and_licence_are_named() -> None:
    files = [path for path in (FOLDER / "data").iterdir() if path.name != "README.md"]
    rows = (FOLDER / "data" / "README.md").read_text(encoding="utf-8").splitlines()
    for file in files:
        assert file.stat().st_size <= 100_000
        (row,) = [row for row in rows if f"`{file.name}`" in row]
        assert row.rstrip(" |").endswith(("CC BY-SA 4.0", "MIT"))


def test_the_data_hold_what_the_text_says() -> None:
    with (FOLDER / "data" / "verifications.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_method = {method: [row for row in rows if row["method"] == method] for method in {row["method"] for row in rows}}
    assert {method for method, found in by_method.items() if len(found) == 200} == {
        "likelihood",
        "token-probability",
        "answer-confidence",
    }
    cases = {method: [(row["question"], row["correct"]) for row in found] for method, found in by_method.items()}
    longest = cases["likelihood"]
    assert all(found == longest[: len(found)] for found in cases.values())
    assert round(sum(correct == "1" for _, correct in longest) / 200, 2) == 0.43
    with (FOLDER / "data" / "cosmosqa_sample.csv").open(encoding="utf-8") as file:
        assert sum(1 for _ in file) == 3001
    records = gzip.decompress((FOLDER / "data" / "squad_records.jsonl.gz").read_bytes()).decode()
    assert records.count('"question":') == 150
    assert not LEAK.findall(records)


def test_the_readme_names_the_folder() -> None:
    assert "](notebooks" in (ROOT / "README.md").read_text(encoding="utf-8")


def outputs_in_words(notebook: Any) -> list[str]:
    """Return the texts of each cell; what is printed may come as one output or as several, each with its metadata."""
    texts = [texts_of(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]
    return ["\n".join(line for line in text.splitlines() if line not in {"", "{}"}) for text in texts]


def test_serving_and_agents_runs_and_gives_what_it_shows(tmp_path: Path) -> None:
    (path,) = [path for path in NOTEBOOKS if path.name.startswith("04")]
    assert outputs_in_words(run(path, tmp_path)) == outputs_in_words(opened(path))


@pytest.mark.notebooks
@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path.name[:2] in {"01", "05"}], ids=lambda path: path.name
)
def test_a_quickstart_runs_on_the_embedded_models(path: Path, tmp_path: Path) -> None:
    outputs = "\n".join(outputs_in_words(run(path, tmp_path)))
    answer = "9 May 1968" if path.name.startswith("01") else "2006"
    assert answer in outputs
    assert not NOISE.findall(outputs)
