"""``automix plan``: the verdict first, tables for people, JSON for programs, errors that say what to give."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automix_graph.cli.main import automix
from automix_graph.errors import ConfigurationError

TOKENS = ["--context-tokens", "3000", "--small-answer-tokens", "60", "--large-answer-tokens", "80"]
MODELS = ["--small", "a:s", "--large", "a:l"]
PRICES = ["--price", "a:s=0.25/2/0.025", "--price", "a:l=1.25/10/0.125"]
GIVEN = [*MODELS, *PRICES, *TOKENS]


def run(*arguments: str, columns: int = 100) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(automix, ["plan", *arguments])


def plain(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    data: dict[str, Any] = json.loads(result.output)
    return data


def text(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 100
    return " ".join(result.output.split())


def test_the_verdict_comes_first() -> None:
    assert text(*GIVEN, "--accept-rate", "0.6").startswith("The cascade pays: with the verifier small, shared prefix")
    late = text(*GIVEN, "--accept-rate", "0.1")
    assert late.startswith("At an accept rate of 10% the cascade does not pay")
    assert "It would pay above" in late
    same = ["--small", "a:s", "--large", "a:s", *PRICES[:2], *TOKENS]
    assert text(*same, "--accept-rate", "1").startswith("The cascade cannot pay with any of these verifiers")


@pytest.mark.parametrize(("answer_tokens", "pays"), [("80", False), ("2000", True)])
def test_who_chooses_no_verifier_is_told_where_the_usual_one_loses(answer_tokens: str, pays: bool) -> None:
    given = [*GIVEN[:-1], answer_tokens, "--accept-rate", "0.9"]
    (usual,) = (row for row in plain(*given)["layouts"] if row["name"] == "large, shared prefix, short")
    assert usual["pays"] is pays
    told = "The default verifier of hosted models (large, shared prefix, short) does not"
    assert (told in text(*given)) is not pays


def test_people_see_layouts_prices_and_assumptions() -> None:
    shown = text(*GIVEN, "--accept-rate", "0.6", "--verifier", "b:t")
    for part in (
        "large, full context, short",
        "large, evidence only, short",
        "large, shared prefix, reasoned",
        "always large",
        "never",
        "small a:s: 0.25 / 0.025 / 2, given",
        "third b:t: unknown; give it: --price b:t=INPUT/OUTPUT[/CACHED]",
        "escalating 40% at random recovers 40%",
        "Assumed:",
    ):
        assert part in shown


def test_a_layout_is_a_line_of_a_wide_terminal() -> None:
    lines = run(*GIVEN, "--accept-rate", "0.6").output.splitlines()
    assert any(line.startswith("large, shared prefix, token probability  ") for line in lines)


def test_markup_in_a_label_is_text() -> None:
    arguments = ["--small", "a:s", "--large", "[bold]l", *PRICES[:2], "--price", "[bold]l=1/10", *TOKENS]
    assert "always asking [bold]l" in text(*arguments, "--accept-rate", "0.6")


def test_programs_get_the_numbers() -> None:
    data = plain(*GIVEN, "--accept-rate", "0.6", "--verifier", "b:t")
    assert set(data) == {
        "schema_version",
        "verdict",
        "no_gap",
        "recorded",
        "outlook",
        "accept_rate",
        "always_small_cost",
        "always_large_cost",
        "cheapest",
        "earliest",
        "layouts",
        "models",
        "prices",
        "workload",
        "assumptions",
    }
    assert data["outlook"] == "pays"
    assert data["cheapest"] == data["layouts"][0]["name"]
    assert data["models"] == {"small": "a:s", "large": "a:l", "third": "b:t"}
    assert data["prices"]["a:l"] == {"input": 1.25, "output": 10.0, "cached_input": 0.125, "source": "given"}
    assert data["prices"]["b:t"] == {"input": None, "output": None, "cached_input": None, "source": "unknown"}
    for row in data["layouts"]:
        assert set(row) == {
            "name",
            "judge",
            "model",
            "reads",
            "method",
            "small_cost",
            "verify_cost",
            "escalate_cost",
            "accepted_cost",
            "escalated_cost",
            "expected_cost",
            "pays",
            "can_pay",
            "break_even_accept_rate",
            "needed_gap_share",
            "needed_quality",
            "affordable_errors",
        }
        unknown = row["judge"] == "third"
        assert (row["expected_cost"] is None) is unknown
        assert (row["pays"] is None) is unknown


def test_a_row_agrees_with_arithmetic_by_hand() -> None:
    lengths = ["--question-tokens", "30", "--answer-prompt-tokens", "100", "--verify-prompt-tokens", "900"]
    data = plain(*GIVEN, *lengths, "--accept-rate", "0.5", "--method", "short")
    (row,) = [row for row in data["layouts"] if (row["judge"], row["reads"]) == ("large", "full")]
    assert row["small_cost"] == pytest.approx((3130 * 0.25 + 60 * 2) / 1e6)
    assert row["verify_cost"] == pytest.approx((3990 * 1.25 + 2 * 10) / 1e6)
    assert row["escalate_cost"] == pytest.approx((3130 * 1.25 + 80 * 10) / 1e6)


def test_methods_can_be_chosen() -> None:
    rows = plain(*GIVEN, "--accept-rate", "0.6", "--method", "votes", "--method", "answer-confidence")["layouts"]
    assert {row["method"] for row in rows} == {"votes", "answer-confidence"}
    chosen = ("--accept-rate", "0.6", "--method", "votes")
    one, each = plain(*GIVEN, *chosen), plain(*GIVEN, *chosen, "--separate-votes")
    assert one["layouts"][0]["verify_cost"] < each["layouts"][0]["verify_cost"]


def test_likelihood_is_shown_for_models_of_this_machine() -> None:
    local = ["--small", "local:s", "--large", "local:l", "--price", "local:s=1/1/0", "--price", "local:l=9/9/0"]
    rows = plain(*local, *TOKENS, "--accept-rate", "0.6")["layouts"]
    assert "likelihood" in {row["method"] for row in rows}
    assert "likelihood" not in {row["method"] for row in plain(*GIVEN, "--accept-rate", "0.6")["layouts"]}


def test_quality_and_errors_are_told_where_they_are_known() -> None:
    stakes = ["--small-quality", "0.6", "--large-quality", "0.8", "--price-of-error", "0.5"]
    row = plain(*GIVEN, "--accept-rate", "0.6", *stakes)["layouts"][0]
    assert row["needed_quality"] == pytest.approx(0.6 + 0.2 * row["needed_gap_share"])
    saving = row["affordable_errors"] * 0.5
    always = plain(*GIVEN, "--accept-rate", "0.6")["always_large_cost"]
    assert saving == pytest.approx(always - row["expected_cost"])
    shown = text(*GIVEN, "--accept-rate", "0.6", *stakes)
    assert "errors afforded: how many more answers may be wrong" in shown


@pytest.mark.parametrize("large", ["0.8", "0.9"])
def test_a_large_model_that_is_no_better_is_a_finding_beside_the_costs(large: str) -> None:
    given = [*GIVEN, "--accept-rate", "0.6", "--small-quality", "0.9", "--large-quality", large]
    told = (
        f"The large model's answers are no better than the small model's: quality {large} and 0.9. No cascade is "
        "needed: use the small model alone."
    )
    assert plain(*given)["no_gap"] == told
    assert {row["needed_quality"] for row in plain(*given)["layouts"]} == {None}
    shown = text(*given)
    assert told in shown and "always large" in shown
    assert "quality above" not in shown and "must recover" not in shown
    assert plain(*given[:-1], "0.91")["no_gap"] is None


STAKES = ["--small-quality", "0.6", "--large-quality", "0.8", "--price-of-error", "0.5"]


@pytest.mark.parametrize("stakes", [[], STAKES[:4], STAKES[4:], STAKES], ids=["none", "quality", "errors", "both"])
@pytest.mark.parametrize("context", ["3000", "3000000"])
def test_a_terminal_of_80_columns_breaks_no_word_and_cuts_no_number(stakes: list[str], context: str) -> None:
    local = ["--small", "local:s", "--large", "local:l", "--price", "local:s=1/1/0", "--price", "local:l=9/9/0"]
    tokens = ["--context-tokens", context, *TOKENS[2:]]
    wide, narrow = (run(*local, *tokens, "--accept-rate", "0.6", *stakes, columns=width).output for width in (200, 80))
    assert max(map(len, narrow.splitlines())) <= 80
    start, end = "verifier", "pays above:"
    words, cut = (set(output[output.index(start) : output.index(end)].split()) for output in (wide, narrow))
    assert {"likelihood", "probability"} <= cut
    assert {"against", "escalated", "kept", "large"} >= {word for word in cut ^ words if word[0].isalpha()}
    assert cut <= words | {"─" * 80}


@pytest.mark.parametrize("columns", range(68, 82, 2))
def test_a_narrow_terminal_leaves_the_names_two_words_a_line(columns: int) -> None:
    shown = run(*GIVEN, "--accept-rate", "0.6", *STAKES, columns=columns).output.splitlines()
    assert any(line.startswith("large, shared ") for line in shown)


def test_list_prices_need_no_option() -> None:
    data = plain("--small", "openai:gpt-5-mini", "--large", "openai:gpt-5", *TOKENS, "--accept-rate", "0.6")
    assert {price["source"] for price in data["prices"].values()} == {"list price"}
    assert all(row["expected_cost"] > 0 for row in data["layouts"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--accept-rate", "1.2"], "not in the range"),
        (["--accept-rate", "0.5", "--context-tokens", "-1"], "not in the range"),
        (["--accept-rate", "0.5", "--votes", "0"], "not in the range"),
        (["--accept-rate", "0.5", "--price", "a:s=1"], "INPUT/OUTPUT"),
        (["--accept-rate", "0.5", "--price", "1/2"], "INPUT/OUTPUT"),
        (["--accept-rate", "0.5", "--price", "a:s=1/-2"], "INPUT/OUTPUT"),
        (["--accept-rate", "0.5", "--price", "a:s=1/nan"], "INPUT/OUTPUT"),
        (["--accept-rate", "0.5", "--price", "a:s=1/2/3/4"], "INPUT/OUTPUT"),
        (["--accept-rate", "0.5", "--price", "a:s=0.25/0.025/2"], "the order is"),
        (["--accept-rate", "0.5", "--price", "a:x=1/2"], "none of the models"),
        (["--accept-rate", "0.5", "--verifier", "large"], "compared anyway"),
        (["--accept-rate", "0.5", "--small-quality", "0.5"], "--large-quality"),
        ([], "--accept-rate"),
    ],
)
def test_numbers_that_cannot_be_are_refused(arguments: list[str], message: str) -> None:
    result = run(*GIVEN, *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_an_unknown_price_says_how_to_give_it() -> None:
    error = run(*MODELS, *PRICES[:2], *TOKENS, "--accept-rate", "0.5").exception
    assert isinstance(error, ConfigurationError)
    assert "--price a:l=INPUT/OUTPUT[/CACHED]" in str(error)


@pytest.mark.parametrize("arguments", [["--accept-rate", "nan"], ["--accept-rate", "0.5", "--price-of-error", "0"]])
def test_numbers_that_click_lets_through_are_refused(arguments: list[str]) -> None:
    assert isinstance(run(*GIVEN, *arguments).exception, ConfigurationError)
