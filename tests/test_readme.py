"""The commands and the code of the README and the guides are real."""

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from automix_graph.cli.main import automix

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def needs_models(code: str) -> bool:
    return any(word in code for word in ("local:", "openai:", "load_embeddings"))


def code_blocks(*, runnable: bool = False) -> list[object]:
    found = [(page.name, blocks("python", page.read_text(encoding="utf-8"))) for page in PAGES]
    return [
        pytest.param(code, id=f"{name}-{number}")
        for name, codes in found
        for number, code in enumerate(codes)
        if not (runnable and needs_models(code))
    ]


def shell_lines() -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    lines = [
        line for text in texts for block in blocks("bash", text) for line in block.replace("\\\n", " ").splitlines()
    ]
    return [line.split("#")[0].strip() for line in lines if line.strip()]


@pytest.mark.parametrize("code", code_blocks())
def test_code_parses_and_its_imports_exist(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = import_module(node.module or "")
            assert all(hasattr(module, alias.name) for alias in node.names)


@pytest.mark.parametrize("code", code_blocks(runnable=True))
def test_code_that_needs_no_model_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "a page", "exec"), {})


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("automix ")])
def test_commands_and_their_options_exist(line: str) -> None:
    words = [word for word in shlex.split(line)[1:] if word not in {"&&"}]
    help_page = CliRunner().invoke(automix, [words[0], "--help"])
    assert help_page.exit_code == 0
    for option in (word for word in words if word.startswith("--")):
        assert option in help_page.output


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE)


def test_the_two_commands_come_first() -> None:
    assert [line for line in shell_lines()][:2] == ["make demo", "make test"]


def test_ci_runs_the_same_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
