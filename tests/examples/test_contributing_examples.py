"""The recipes of CONTRIBUTING.md run, and what the pages for maintainers name is there."""

import re
from pathlib import Path

import pytest
import yaml

from automix_graph.models.catalog import CATALOG

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", ".github/pull_request_template.md")]
CONTRIBUTING = PAGES[0].read_text(encoding="utf-8")
RECIPES = {
    title: re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    for title, section in re.findall(r"^## (Add [^\n]+)\n(.*?)(?=^## )", CONTRIBUTING, re.DOTALL | re.MULTILINE)
}


def test_there_is_a_recipe_with_code_for_each() -> None:
    assert {title: len(codes) for title, codes in RECIPES.items()} == {
        "Add a verifier": 1,
        "Add a policy": 1,
        "Add a language": 1,
        "Add a provider": 1,
    }


@pytest.mark.parametrize("title", RECIPES)
def test_the_recipe_runs(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in RECIPES[title]:
        exec(compile(code, title, "exec"), {"__name__": "recipe"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?://)([^)#]+)", text):
        assert (page.parent / link).exists(), link
    for path in re.findall(r"`((?:automix_graph|tests|benchmarks)/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_citation_names_the_paper() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert re.search(
        rf'^version = "{re.escape(cited["version"])}"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    (paper,) = cited["references"]
    assert (paper["identifiers"][0]["value"], paper["year"]) == ("2310.12963", 2024)
    assert len(paper["authors"]) == 13


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda form: form.stem
)
def test_issue_forms_are_what_github_reads(form: Path) -> None:
    read = yaml.safe_load(form.read_text(encoding="utf-8"))
    if form.stem == "config":
        assert read["blank_issues_enabled"] is False
        return
    assert read["name"] and read["description"]
    fields = [part for part in read["body"] if part["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    assert {part["type"] for part in read["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
    assert all(field["attributes"]["label"] for field in fields)


def test_every_model_whose_weights_are_fetched_is_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").lower()
    for name, model in CATALOG.items():
        source = model.source.split(",")[0].partition("/")[2].removesuffix("-GGUF")
        assert source.lower() in notice, name
