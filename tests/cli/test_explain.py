"""Every error has a code, and every code an explanation."""

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner

import automix_graph
from automix_graph.cli.explain import CODES, explanations
from automix_graph.cli.main import automix, main
from automix_graph.errors import AutomixError

PACKAGE = Path(automix_graph.__file__).parent


def codes_in_use() -> set[str]:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "Code" and node.value is not None:
                found |= {each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)}
            is_usual = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "usual_code"
            if is_usual and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
    return {code for code in found if isinstance(code, str)} | {AutomixError.usual_code}


def test_every_code_is_explained_and_in_use() -> None:
    assert sorted(explanations()) == list(explanations()) == sorted(CODES)
    assert len(set(CODES)) == len(CODES)
    assert set(CODES) <= codes_in_use()


def test_explain_prints_one_or_lists_all() -> None:
    one = CliRunner().invoke(automix, ["explain", "store-version"])
    assert one.output == explanations()["store-version"] + "\n"
    listed = CliRunner().invoke(automix, ["explain"]).output.splitlines()
    assert [line.split()[0] for line in listed] == sorted(CODES)
    assert all(line.endswith(".") for line in listed)


def test_a_code_that_is_none_is_refused() -> None:
    refused = CliRunner().invoke(automix, ["explain", "E42"])
    assert refused.exit_code == 2
    assert "store-version" in refused.output


def test_an_error_tells_its_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["automix", "index", "--check", "--out", "no-such-folder"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.endswith("(automix explain store-missing)\n")
