import ast
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from reported import CONFIDENCE, LARGE, SMALL, Page, evaluated, outcomes_of, recorded, three, two

import automix_graph
from automix_graph.errors import ConfigurationError, MissingExtraError
from automix_graph.evaluation import Evaluation, Outcomes, Tier
from automix_graph.evaluation.report import write_report
from automix_graph.evaluation.report.definitions import POLICY_DEFINITIONS, TIER_DEFINITIONS
from automix_graph.policies import Threshold
from automix_graph.records import Recorded, Verdict, Verification

pytestmark = pytest.mark.integration

DAY = date(2026, 1, 2)
ATTACKS = [
    "<script>alert(1)</script>",
    "</td></table></main><img src=x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    "]]>--><!--",
    "{{ 7 * 7 }}{% include 'report.html' %}",
    "\u202egnp.exe\u2066\u200f",
    "zero\u200bwidth\ufeff\u2060",
    "\x00\x1b[31m\x9b",
    "lone \ud800 surrogate",
    "&lt;b&gt; &#60;i&#62;",
]


def page_of(evaluation: Evaluation, folder: Path, records: list[Recorded] | None = None, **options: object) -> Page:
    path = write_report(evaluation, folder / "report.html", records=records, day=DAY, **options)  # type: ignore[arg-type]
    return Page(path.read_text(encoding="utf-8"))


def test_the_table_of_policies_holds_what_was_worked_out_by_hand(tmp_path: Path) -> None:
    page = page_of(evaluated(two(times=50)), tmp_path)
    starts = ("0.7500", "11.5", "50.0%", "100.0%", "+81.0%", "0.0000", "+0.1118")
    for cell, start in zip(page.row("accept-correct")[1:], starts, strict=True):
        assert cell.startswith(start)
    assert page.row("small alone")[1].startswith("0.5000")
    assert page.row("small alone")[2:] == ["1", "0.0%", "0.0%", "–", "−0.2500", "–"]
    assert page.row("random mix")[1:] == ["0.6382", "11.5", "55.3%", "55.3%", "–", "−0.1118", "–"]
    oracle = page.row("oracle")
    assert oracle[1].startswith("0.8750")
    assert oracle[2].startswith("8.125")
    assert oracle[3:] == ["–", "150.0%", "–", "+0.1250", "–"]
    assert "chosen on these very questions" in page.row("best threshold in hindsight")[0]


def test_the_head_says_what_the_numbers_rest_on(tmp_path: Path) -> None:
    records = [recorded(position) for position in range(8)]
    page = page_of(evaluated(outcomes_of(records)), tmp_path, records, title="Ours", command="automix evaluate x.csv")
    assert page.elements[0] == ("html", {"lang": "en"})
    assert {"datetime": "2026-01-02"} in page.all("time")
    for told in (
        "3 (2 failed, 1 not scored)",
        "big text",
        "little",
        "f1",
        "USD",
        "20 resamples, seed 0",
        "automix evaluate x.csv",
    ):
        assert told in page.text


def test_texts_are_data(tmp_path: Path) -> None:
    benign = [recorded(position) for position in range(8)]
    plain = page_of(evaluated(outcomes_of(benign)), tmp_path, benign, title="x", command="x")
    hostile = [recorded(position, text=ATTACKS[position]) for position in range(8)]
    everything = "".join(ATTACKS)
    small = Tier(name=everything, quality=SMALL, cost=1, confidence=CONFIDENCE, verify_cost=0.5)
    large = Tier(name="large", quality=LARGE, cost=20)
    outcomes = Outcomes(tiers=(small, large), ids=tuple(record.id for record in hostile), unit=everything)
    page = page_of(evaluated(outcomes), tmp_path, hostile, title=everything, command=everything)
    for names in (
        lambda each: {tag for tag, _ in each.elements},
        lambda each: {k for _, a in each.elements for k in a},
    ):
        assert names(page) == names(plain)
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", raw)
    for attack in ATTACKS:
        if attack.isprintable():
            assert attack in page.text
    assert f"question 2 {ATTACKS[2]}" in page.text
    assert "⟨U+202E⟩gnp.exe" in page.text


def test_nothing_is_fetched_and_nothing_runs(tmp_path: Path) -> None:
    records = [recorded(position) for position in range(8)]
    page = page_of(evaluated(outcomes_of(records)), tmp_path, records)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "embed", "base", "a"}
    for _, attributes in page.elements:
        assert not any(key.startswith("on") or key in {"src", "srcset", "action"} for key in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "://" not in raw
    assert "@import" not in raw
    assert set(re.findall(r"url\((.)", raw)) <= {"#"}
    policy = next(each for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none';")


def test_those_who_cannot_see_it_are_told(tmp_path: Path) -> None:
    page = page_of(evaluated(two()), tmp_path)
    assert len(page.all("h1")) == 1
    images = page.all("svg")
    assert len(images) == 5
    for image in images:
        assert image["role"] == "img"
        assert len(image["aria-label"] or "") > 100
    assert len(page.all("figcaption")) == 5
    assert all(header.get("scope") in {"col", "row"} for header in page.all("th"))
    assert len(page.all("thead")) == len(page.all("table"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    used = re.findall(r'(?:url\(|href=")#([\w-]+)', (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert used
    assert set(used) <= set(ids)


def test_every_measure_has_a_definition_and_every_gap_a_reason(tmp_path: Path) -> None:
    found = evaluated(two(SMALL, SMALL), Threshold(0.35))
    assert set(TIER_DEFINITIONS) == set(found.tiers.values)
    assert set(POLICY_DEFINITIONS) == set(found.policies[0].measures.values)
    page = page_of(found, tmp_path)
    assert page.row("APGR")[1] == "–"
    assert (
        "IBC, base, APGR, CPT 50%, CPT 80%, IBC, IBC lift, PGR: the large model is not better than the small one "
        "(0.5000 against 0.5000): there is no gap in quality to recover."
    ) in page.text


def test_the_same_evaluation_gives_the_same_bytes(tmp_path: Path) -> None:
    import matplotlib

    paths = [tmp_path / name for name in ("a.html", "b.html", "c.html")]
    write_report(evaluated(two()), paths[0], day=DAY)
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "lines.linewidth": 9, "svg.fonttype": "path"}):
        write_report(evaluated(two()), paths[1], day=DAY)
        assert matplotlib.rcParams["font.size"] == 30
    write_report(evaluated(two()), paths[2], day=date(2027, 3, 4))
    first, second, later = (path.read_bytes() for path in paths)
    assert first == second
    assert later == first.replace(b"2026-01-02", b"2027-03-04")


def test_an_older_report_stays_until_the_new_one_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ConfigurationError, match="cannot be written: No space left on device"):
        write_report(evaluated(two()), path)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        write_report(evaluated(two()), tmp_path / "missing" / "report.html")


@pytest.mark.parametrize("top", [-1, 1.5, True])
def test_top_is_a_count(tmp_path: Path, top: int) -> None:
    with pytest.raises(ConfigurationError, match="give the number of questions"):
        write_report(evaluated(two()), tmp_path / "report.html", top=top)


def _unjudged() -> Outcomes:
    failed = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="no verdict")
    small = Tier(name="small", quality=[1, 0], cost=1, verifications=[failed, failed])
    return Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=9)))


@pytest.mark.parametrize(
    "outcomes",
    [
        two([1], [1], [0.5]),
        two([1, 0], [1, 1], [0.9, 0.1]),
        two([1] * 8, [1] * 8),
        two([0] * 8, [0] * 8),
        two(confidence=[0.7] * 8),
        two(SMALL, SMALL),
        two(LARGE, SMALL),
        two(small_cost=0, large_cost=0, verify_cost=0),
        two(small_cost=5, large_cost=2),
        two(verify_cost=100),
        two([0.5, 0.25, 1, 0] * 2, [1, 1, 0.5, 0] * 2),
        _unjudged(),
        three(),
    ],
    ids=[
        *("one", "two", "all right", "all wrong", "one confidence", "no gap", "large is worse", "free"),
        *("large is cheap", "dear verification", "graded", "unjudged", "three tiers"),
    ],
)
def test_odd_outcomes_have_a_report(tmp_path: Path, outcomes: Outcomes) -> None:
    page = page_of(evaluated(outcomes), tmp_path)
    assert page.all("svg")
    assert "nan" not in page.text.lower().split()
    assert "inf" not in page.text.lower().split()


def test_a_large_table_makes_a_small_file(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    n = 100_000
    confidence = generator.random(n)
    small, large = generator.random(n) < confidence, generator.random(n) < 0.9
    path = write_report(evaluated(two(small, large, confidence), n_resamples=2), tmp_path / "report.html")
    assert path.stat().st_size < 1_000_000


def test_only_the_report_and_one_plot_name_matplotlib() -> None:
    root = Path(automix_graph.__file__).parent
    importing = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in {"matplotlib", "jinja2"} for name in names):
                importing.add(path.parent.name if path.parent.name == "report" else path.name)
    assert importing == {"report", "plot.py"}  # the plot, of a calibration, names a type only


def test_a_report_loads_no_pyplot_and_importing_it_no_matplotlib(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from automix_graph.evaluation import Outcomes, Tier, evaluate\n"
        "from automix_graph.evaluation.report import write_report\n"
        "assert not {'matplotlib', 'jinja2'} & set(sys.modules)\n"
        "small = Tier(name='small', quality=[1, 0], cost=1, confidence=[0.9, 0.1])\n"
        "found = evaluate(Outcomes(tiers=(small, Tier(name='large', quality=[1, 1], cost=20))), n_resamples=2)\n"
        "write_report(found, sys.argv[1])\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "report.html")], check=True)


@pytest.mark.parametrize("module", ["matplotlib", "jinja2"])
def test_a_missing_library_is_named_by_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"automix-graph\[report\]"):
        write_report(evaluated(two()), tmp_path / "report.html")
