"""The reference on the docs site is whole: every public name, every command, every option, every variable."""

import ast
import html
import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

import automix_graph
from automix_graph.cli.main import automix
from automix_graph.errors import AutomixError, Code

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "automix_graph"
NO_ROOMS = {"automix_graph", "automix_graph.cli"}


def rooms_in_the_sources() -> list[str]:
    """Packages whose ``__init__`` says what is public, found without importing anything."""
    found = []
    for path in sorted(PACKAGE.rglob("__init__.py")):
        assigned = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign)]
        name = ".".join(path.parent.relative_to(ROOT).parts)
        if name not in NO_ROOMS and any(
            getattr(target, "id", "") == "__all__" for node in assigned for target in node.targets
        ):
            found.append(name)
    return found


def page_of(site: Path, room: str) -> str:
    path = site / "reference" / "api" / f"{room.removeprefix('automix_graph.')}.html"
    return path.read_text(encoding="utf-8")


def help_of(command: str) -> str:
    shown = CliRunner().invoke(automix, [*command.split(), "--help"])
    assert shown.exit_code == 0
    return shown.output


def commands(group: str = "") -> list[str]:
    """Every command that help pages list, and those below it."""
    names = re.findall(r"^  ([a-z-]+) ", help_of(group).partition("\nCommands:\n")[2], re.MULTILINE)
    found = [f"{group} {name}".strip() for name in names]
    return [inner for command in found for inner in (command, *commands(command))]


def options_in(help_page: str) -> set[str]:
    """Long options that a help page defines; both names of a switch."""
    lines = re.findall(r"^  (?:-\w, )?(--\S.*)$", help_page.partition("\nOptions:\n")[2], re.MULTILINE)
    return {option for line in lines for option in re.findall(r"--[a-z][a-z-]*", re.split(r"\s{2,}", line)[0])}


def test_every_name_of_the_package_is_listed(site: Path) -> None:
    overview = (site / "reference" / "api" / "index.html").read_text(encoding="utf-8")
    missing = [name for name in automix_graph.__all__ if f"<code>{name}</code></a>" not in overview]
    assert missing == []
    assert all(overview.count(f"<code>{room}</code></a>") == 1 for room in rooms_in_the_sources())


@pytest.mark.parametrize("room", [*rooms_in_the_sources(), "automix_graph.errors"])
def test_every_public_name_of_a_room_is_described(site: Path, room: str) -> None:
    page, module = page_of(site, room), import_module(room)
    names = getattr(module, "__all__", None) or [name for name in vars(module) if name.endswith("Error")]
    assert names
    assert [name for name in names if f'id="{room}.{name}"' not in page] == []


def test_a_function_that_is_called_like_its_module_is_described_and_not_the_module(site: Path) -> None:
    page = page_of(site, "automix_graph.calibration")
    assert 'id="automix_graph.calibration.fit_pomdp.fit_pomdp"' in page
    assert "doc-symbol-module" not in page


def test_docstrings_are_shown_as_they_are_meant(site: Path) -> None:
    page = page_of(site, "automix_graph.policies")
    assert "&gt;&gt;&gt; " in re.sub(r"<[^>]+>", "", page)
    assert "<blockquote>" not in page


def test_the_page_has_the_commands_of_the_program(site: Path) -> None:
    page = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    assert {"ask", "models list", "serve"} <= set(commands())
    assert re.findall(r'<h2 id="[^"]+">automix ([a-z -]+)<', page) == commands()


@pytest.mark.parametrize("command", commands())
def test_every_option_of_a_command_is_on_the_page(site: Path, command: str) -> None:
    page = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    section = re.search(rf'<h2 id="automix-{command.replace(" ", "-")}">(.*?)(?=<h2 |</article>)', page, re.DOTALL)
    assert section is not None
    shown = {
        option for dt in re.findall(r"<dt>(.*?)</dt>", section[1], re.DOTALL) for option in re.findall(r"--[a-z-]+", dt)
    }
    assert shown >= options_in(help_of(command))
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", section[1])).split())
    first = help_of(command).split("\n\n")[1]
    assert " ".join(first.split()) in text


def test_options_are_found_in_help_pages() -> None:
    options = "  -k, --passages N  As --other.\n  --a / --no-a  On.\n      --more\n"
    page = f"Usage: x\n\n  See --elsewhere.\n\nOptions:\n{options}"
    assert options_in(page) == {"--passages", "--a", "--no-a"}


def subclasses(error: type[Exception]) -> set[str]:
    direct = [kind for kind in error.__subclasses__() if kind.__module__.startswith("automix_graph.")]
    return {kind.__name__ for kind in direct}.union(*(subclasses(kind) for kind in direct))


def test_every_class_of_error_has_an_anchor_among_the_troubles() -> None:
    for room in rooms_in_the_sources():
        import_module(room)
    headings = re.findall(
        r"^### (\w+)$", (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert subclasses(AutomixError) <= set(headings)


def test_every_code_of_an_error_has_an_anchor(site: Path) -> None:
    page = (site / "errors.html").read_text(encoding="utf-8")
    assert set(re.findall(r'<h2 id="([a-z-]+)">', page)) == set(get_args(Code))


def test_variables_are_those_that_the_package_reads() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    read = set(re.findall(r"\bAUTOMIX_[A-Z_]+\b", sources)) - {"AUTOMIX_NOT_SET"}
    page = (ROOT / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bAUTOMIX_[A-Z_]+\b", page)) == read
