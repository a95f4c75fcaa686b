"""The docs site builds without a warning, and whoever reads it asks no other machine for anything."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from automix_graph import create_automix
from automix_graph.testing import ScriptedChatModel, StaticRetriever

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_LOADING_LINKS = {
    "stylesheet",
    "preconnect",
    "dns-prefetch",
    "preload",
    "prefetch",
    "modulepreload",
    "icon",
    "manifest",
}
_ELSEWHERE = re.compile(r"^\s*(https?:)?//")


class Loaded(HTMLParser):
    """What a page makes a browser fetch without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag != "a":
            self.found += [given[name] for name in ("src", "srcset", "data", "poster") if name in given]
        if tag == "link" and _LOADING_LINKS & set(given.get("rel", "").split()):
            self.found.append(given.get("href", ""))
        self.found += re.findall(r"url\(['\"]?([^'\")]+)", given.get("style", ""))


def loaded_by(html: str) -> list[str]:
    parser = Loaded()
    parser.feed(html)
    return parser.found


def test_the_build_tells_of_no_warning(site: Path) -> None:
    log = site.with_suffix(".log").read_text(encoding="utf-8")
    assert "WARNING" not in log
    assert "Documentation built" in log


def test_pages_load_nothing_from_other_machines(site: Path) -> None:
    pages = {page.relative_to(site).as_posix(): page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert len(pages) > 60
    assert {name: here for name, html in pages.items() if (here := [*filter(_ELSEWHERE.match, loaded_by(html))])} == {}


def test_a_page_that_loads_from_elsewhere_would_be_found() -> None:
    html = """<link rel="stylesheet" href="https://x/a.css"><script src='//x/b.js'></script><a href="https://x"></a>
    <link rel="canonical" href="https://x"><img src="c.png"><p style="background: url(https://x/d.png)">"""
    assert [*filter(_ELSEWHERE.match, loaded_by(html))] == ["https://x/a.css", "//x/b.js", "https://x/d.png"]


def test_styles_load_nothing_from_other_machines(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(['\"]?(https?:)?//", text), sheet.name


def test_no_page_has_a_diagram_for_which_the_theme_would_load_a_library(site: Path) -> None:
    assert not [page for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text(encoding="utf-8")]


def test_every_formula_is_drawn(site: Path) -> None:
    formulas = 0
    for source in DOCS.rglob("*.md"):
        written = len(re.findall(r"^```math$", source.read_text(encoding="utf-8"), re.MULTILINE))
        if written:
            page = site / source.relative_to(DOCS).with_suffix(".html")
            assert page.read_text(encoding="utf-8").count("<math ") == written
            formulas += written
    assert formulas >= 10


def test_the_picture_shows_the_graph() -> None:
    graph = create_automix(
        small=ScriptedChatModel([]), large=ScriptedChatModel([]), retriever=StaticRetriever(["A passage."])
    ).get_graph()
    picture = (DOCS / "images" / "cascade.svg").read_text(encoding="utf-8")
    assert set(re.findall(r'data-edge="(\S+ \S+)"', picture)) == {
        f"{edge.source} {edge.target}" for edge in graph.edges
    }
    nodes = set(graph.nodes) - {"__start__", "__end__"}
    assert set(re.findall(r'data-node="(\S+)"', picture)) == nodes
    assert nodes <= set(re.findall(r">([a-z_]+)</text>", picture))


@pytest.mark.parametrize(
    "page", ["index.html", "results/verification.html", "examples/agent.html", "project/changelog.html"]
)
def test_pages_that_are_made_have_their_text(site: Path, page: str) -> None:
    wanted = {
        "index.html": "Where to go",
        "results/verification.html": "AUROC",
        "examples/agent.html": "AutoMixMiddleware",
        "project/changelog.html": "Unreleased",
    }
    assert wanted[page] in (site / page).read_text(encoding="utf-8")
