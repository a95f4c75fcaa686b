"""What an import and a help text load: nothing heavy, so that both are quick on any machine. Nothing is timed here."""

import subprocess
import sys

import pytest

from automix_graph.cli.main import _SUMMARIES

pytestmark = pytest.mark.integration

HEAVY = frozenset(
    {
        *("faiss", "httpx", "langchain", "langchain_core", "langchain_openai", "langgraph", "langsmith", "numpy"),
        *("onnxruntime", "openai", "pydantic", "requests", "scipy", "tokenizers", "uvicorn", "fastapi", "xllamacpp"),
    }
)
COMMANDS = sorted(_SUMMARIES)


def loaded(code: str) -> set[str]:
    """Return the packages that are loaded after some code has run in a process of its own."""
    told = f"{code}\nimport sys\nprint()\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def helped(*arguments: str) -> set[str]:
    return loaded(
        f"from automix_graph.cli.main import main\nimport sys\nsys.argv = ['automix', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code"
    )


def test_the_package_loads_nothing_heavy() -> None:
    assert "automix_graph" in (found := loaded("import automix_graph"))
    assert not found & (HEAVY | {"click", "rich", "genai_prices"})


@pytest.mark.parametrize("name", ["Verdict", "Price", "Threshold", "parse_verdict", "load_policy"])
def test_plain_names_load_no_graph(name: str) -> None:
    assert not loaded(f"from automix_graph import {name}") & (HEAVY - {"numpy", "pydantic", "scipy"})


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    found = helped(*arguments, "--help")
    assert "click" in found
    assert not found & HEAVY


def test_the_check_can_fail() -> None:
    assert "numpy" in loaded("import numpy")
