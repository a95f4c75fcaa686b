"""Code of the README and the pages that names models runs, with doubles in the place of what the names stand for.

All other code of the pages runs in ``tests/test_readme.py``.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from automix_graph import FaissStore
from automix_graph.graph import defaults
from automix_graph.models import chat, embeddings
from automix_graph.testing import FunctionChatModel, HashEmbeddings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks() -> list[Any]:
    found = []
    for page in PAGES:
        codes = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        name = page.relative_to(ROOT).as_posix()
        named = [
            (number, code) for number, code in enumerate(codes) if re.search("local:|openai:|load_embeddings", code)
        ]
        found += [pytest.param(code, id=f"{name}-{number}") for number, code in named]
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Work in an empty folder with an index, where models by name are doubles; return which were asked for."""
    named: list[str] = []

    def double(spec: str, *_: object) -> FunctionChatModel:
        named.append(spec)
        return FunctionChatModel(lambda prompt: "Correct. James Watt.", label=spec)

    for kind in ("_local", "_remote"):
        monkeypatch.setattr(chat, kind, double)
        monkeypatch.setattr(embeddings, kind, lambda spec: HashEmbeddings())
    # The embedded judge scores a given text, which no double can; like a hosted one it writes a word here.
    monkeypatch.setattr(defaults, "measured_scale", lambda label: None)
    monkeypatch.chdir(tmp_path)
    FaissStore.from_texts(["The steam engine was patented by James Watt in 1781."], HashEmbeddings()).save("my-index")
    return named


@pytest.mark.parametrize("code", blocks())
def test_code_runs(code: str, asked: list[str]) -> None:
    scope: dict[str, Any] = {}
    exec(compile(code, "a page", "exec"), scope)
    assert sorted(set(asked)) == sorted(set(re.findall(r'(?:small|large)="((?:local|openai):[^"]+)"', code)))
    if asked:
        assert scope["result"]["answer"] == "Correct. James Watt."


def test_there_is_such_code_with_a_provider_and_with_local_models() -> None:
    codes = [block.values[0] for block in blocks()]
    assert any('"openai:' in code for code in codes)
    assert any('"local:' in code for code in codes)
