"""Imports run downwards only."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import automix_graph
from automix_graph import verification

ROOT = Path(__file__).parents[1] / "automix_graph"

LAYERS = {
    "errors": 0,
    "files": 0,
    "lazy": 0,
    "records": 0,
    "config": 1,
    "columns": 1,
    "engines": 1,
    "verdicts": 1,
    "costs": 1,
    "prompts": 1,
    "policies": 2,
    "models": 2,
    "retrieval": 2,
    "verification": 2,
    "graph": 3,
    "agents": 4,
    "evaluation": 4,
    "calibration": 4,
    "batch": 4,
    "recording": 4,
    "shadow": 4,
    "auditing": 4,
    "serving": 5,
    "langgraph_server": 5,
    "cli": 5,
    "__main__": 6,
}
SIDEWAYS = {
    ("verification", "models"),
    ("costs", "config"),
    ("costs", "prompts"),
    ("retrieval", "models"),
    ("recording", "evaluation"),
    ("batch", "evaluation"),
    ("batch", "recording"),
    ("calibration", "evaluation"),
    ("shadow", "recording"),
    ("auditing", "calibration"),
    ("auditing", "evaluation"),
    ("cli", "serving"),
}
"""Imports inside a layer that the design allows."""

ALLOWED_THIRD_PARTY = {
    "errors": set(),
    "files": set(),
    "lazy": set(),
    "records": {"ormsgpack"},
    "config": set(),
    "columns": {"numpy"},
    "verdicts": set(),
    "costs": {"genai_prices"},
    "prompts": {"pydantic"},
    "policies": {"numpy", "scipy"},
    "evaluation": {"numpy", "scipy", "pyarrow", "matplotlib", "jinja2", "markupsafe"},
    "calibration": {"numpy", "scipy", "matplotlib"},
    "auditing": {"numpy", "scipy"},
}


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.name != "__init__.py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
    return found


def room(name: str) -> str:
    return name.removesuffix(".py").split(".")[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards(path: Path) -> None:
    own = room(path.relative_to(ROOT).parts[0])
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top != "automix_graph":
            if own in ALLOWED_THIRD_PARTY and top not in sys.stdlib_module_names:
                assert top in ALLOWED_THIRD_PARTY[own], f"{own} may not import {name}"
            if top == "langgraph":
                assert own in {"graph", "agents", "cli"}, f"only the graph imports langgraph, not {own}"
            continue
        other = room(rest)
        if own == "testing" or other in {own, ""}:
            continue
        assert other != "testing" or own == "cli", f"{own} imports the test doubles"
        below = LAYERS[other] < LAYERS[own]
        assert below or (own, other) in SIDEWAYS, f"{own} (layer {LAYERS[own]}) imports {other} ({LAYERS[other]})"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_group_is_possessive(path: Path) -> None:
    found = re.search(r"\)(?:[*+?]|\{\d*,?\d*\})\+", path.read_text(encoding="utf-8"))
    assert found is None, "Python before 3.11.5 misses matches of such groups (CPython issue 106052): use (?>(?:...)*)"


CODED = {"auditing", "calibration", "columns", "evaluation", "policies"}
"""Rooms whose functions take numbers of users: what they refuse has a code and a place in the docs."""


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_arithmetic_refuses_has_a_code(path: Path) -> None:
    if room(path.relative_to(ROOT).parts[0]) in CODED:
        raised = [
            node.exc for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Raise)
        ]
        names = [node.func.id for node in raised if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        assert "ValueError" not in names


@pytest.mark.parametrize("folder", ["automix_graph", "benchmarks", "examples", "fuzz", "tests"])
def test_no_file_is_long(folder: str) -> None:
    written = [path for path in (ROOT.parent / folder).rglob("*") if path.suffix in {".py", ".js", ".css", ".html"}]
    assert written
    for path in written:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, f"{path}: split it, or say here why not"


def test_names_of_the_package_are_there_for_readers_of_types_too() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {name: f"automix_graph.{home}" for name, home in automix_graph._HOMES.items()}
    assert typed == homes, "name each in both blocks of automix_graph/__init__.py"


@pytest.mark.parametrize("page", ["docs/verification.md", "ARCHITECTURE.md"])
def test_every_verifier_is_exported_and_in_the_tables(page: str) -> None:
    verifiers = {
        name
        for name in verification.__all__
        if isinstance(part := getattr(verification, name), type)
        and hasattr(part, "verify")
        and hasattr(part, "averify")
        and part is not verification.Verifier
    }
    assert len(verifiers) > 5
    text = (ROOT.parent / page).read_text(encoding="utf-8")
    assert not [name for name in sorted(verifiers) if name not in automix_graph.__all__ or f"`{name}" not in text]


def test_every_room_has_a_layer() -> None:
    rooms = {room(path.relative_to(ROOT).parts[0]) for path in modules()}
    assert rooms - {"testing"} == set(LAYERS)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, automix_graph; "
        "heavy = {'langgraph', 'langchain_core', 'faiss', 'numpy', 'openai', 'pydantic', 'click'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_every_public_name_can_be_loaded() -> None:
    import automix_graph

    for name in automix_graph.__all__:
        assert getattr(automix_graph, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = automix_graph.nothing_here
