"""What the pages say of commands, options and files of the repository is so."""

import doctest
import re
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from automix_graph.cli.main import automix

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
MADE = {"docs/reference/cli.md", "docs/reference/api/index.md", "docs/examples/index.md"}
"""Pages that exist on the site alone."""
ELSEWHERE = {"--group", "--no-browser", "--no-reload", "--runtime-env-json"}
"""Options of other programs that the pages name."""
COMMANDS = [name for name in automix.list_commands(click.Context(automix)) if name != "models"]


def help_of(command: str) -> str:
    return CliRunner().invoke(automix, [*command.split(), "--help"]).output


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands_in(text: str) -> list[str]:
    """Commands of this program in blocks for a shell, with lines that go on joined, and in the text."""
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    lines = [line.split(" # ")[0].strip() for line in blocks.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [found for found in [*lines, *spans] if re.match(r"automix [a-z]", found)]


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_options_after_a_command_are_those_of_the_command(page: Path) -> None:
    for line in commands_in(text_of(page)):
        words = line.split()
        command = " ".join(words[1:3]) if words[1] == "models" and len(words) > 2 else words[1]
        shown = help_of(command)
        assert shown.startswith(f"Usage: automix {command}"), line
        assert options_in(line) <= options_in(shown), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_options_in_the_text_exist(page: Path) -> None:
    known = ELSEWHERE | set().union(*(options_in(help_of(command)) for command in COMMANDS))
    for script in [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        known |= set(re.findall(r'"(--[a-z][a-z-]*)"', text_of(script)))
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL))
    named = options_in("\n".join(span for span in spans if not span.startswith(("pytest", "ruff", "curl"))))
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_of_the_repository(page: Path) -> None:
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    for target in re.findall(r"\]\((?![a-z]+:|#)([^)\s#]+)", text):
        path = (page.parent / target).resolve()
        assert path.exists() or path.relative_to(ROOT).as_posix() in MADE, f"{page.name}: {target}"


@pytest.mark.parametrize("name", ["repository_pages", "formulas", "docstrings", "api_pages", "command_page"])
def test_examples_of_what_makes_pages_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"formulas": "latex2mathml", "docstrings": "griffe"}
    if name in needed:
        pytest.importorskip(needed[name])
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "generating"))
    module = import_module(name)
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0 or name == "command_page"
    monkeypatch.delitem(sys.modules, name)


def test_an_example_in_a_folder_is_a_page_with_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "generating"))
    folder = tmp_path / "examples" / "served"
    folder.mkdir(parents=True)
    readme = "# Served\n\n[its file](compose.yaml), [serving](../../docs/serving.md), [all](../README.md)\n"
    (folder / "README.md").write_text(readme, encoding="utf-8")
    (folder / "compose.yaml").write_text("services: {}\n", encoding="utf-8")
    (folder / "data.bin").write_bytes(b"\x00")
    pages = import_module("repository_pages").example_pages(tmp_path)
    assert "- [Served](served.md)" in pages["examples/index.md"]
    page = pages["examples/served.md"]
    assert page.startswith("# Served\n\n[its file](served.md), [serving](../serving.md), [all](index.md)\n")
    assert page.endswith("## Files\n\n`examples/served/compose.yaml`\n\n````yaml\nservices: {}\n````\n")
