"""Every error has a code, and every code an explanation."""

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner

import automix_graph
from automix_graph import FaissStore
from automix_graph.cli.explain import CODES, explanations
from automix_graph.cli.main import _told, automix, main
from automix_graph.errors import AutomixError, StoreError
from automix_graph.testing import HashEmbeddings

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
    listed = CliRunner(env={"COLUMNS": "80"}).invoke(automix, ["explain"]).output.splitlines()
    assert [line.split()[0] for line in listed if not line.startswith(" ")] == sorted(CODES)
    assert max(map(len, listed)) <= 80
    assert "store-missing              There is no store in the folder, or it holds no" in listed
    narrow = CliRunner(env={"COLUMNS": "20"}).invoke(automix, ["explain"]).output.splitlines()
    assert max(map(len, narrow)) <= 57


def test_a_code_may_be_written_in_capitals() -> None:
    assert CliRunner().invoke(automix, ["explain", "Store-VERSION"]).output == explanations()["store-version"] + "\n"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("E42", "there is no code 'E42'; see: automix explain"),
        ("", "there is no code ''; see: automix explain"),
        ("store-mising", "the nearest: store-missing, store-version, store-damaged; all of them: automix explain"),
        (
            "Policy",
            "the nearest: policy-decision, policy-file, policy-of-another-cascade; all of them: automix explain",
        ),
    ],
)
def test_a_code_that_is_none_is_refused_with_the_nearest(code: str, told: str) -> None:
    refused = CliRunner().invoke(automix, ["explain", code])
    assert refused.exit_code == 2
    assert refused.output.splitlines()[-1].endswith(told)


def test_an_error_tells_its_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["automix", "index", "--check", "--out", "no-such-folder"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "Error: no index in 'no-such-folder'; make one: automix index PATH --out no-such-folder "
        "(automix explain store-missing)\n"
    )


def test_a_folder_without_an_index_is_told_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my docs"
    folder.mkdir()
    monkeypatch.setattr("sys.argv", ["automix", "ask", "When?", "--index", str(folder)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert f"no index in '{folder}'; make one: automix index PATH --out '{folder}' (auto" in capsys.readouterr().err


def test_an_index_without_passages_is_not_called_missing(tmp_path: Path) -> None:
    with FaissStore(HashEmbeddings()) as store:
        store.save(tmp_path / "index")
    empty = StoreError("holds no passages", path=str(tmp_path / "index"), code="store-missing")
    assert _told(empty) == "holds no passages"
    assert _told(StoreError("holds no passages", path=None, code="store-missing")) == "holds no passages"
    assert _told(StoreError("is damaged", path="nowhere")) == "is damaged"
