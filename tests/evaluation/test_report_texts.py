import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported import CONFIDENCE, LARGE, SMALL, evaluated, outcomes_of, recorded, three, two

from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Interval, Outcomes, Tier
from automix_graph.evaluation.report.inert import inert, shown
from automix_graph.evaluation.report.questions import listings
from automix_graph.evaluation.report.summary import sign_of, summarise
from automix_graph.policies import AcceptCorrect, Threshold
from automix_graph.records import Verdict, Verification


@given(st.text(st.characters()))
def test_inert_texts_are_printable_and_stay_inert(text: str) -> None:
    found = inert(text)
    assert all(char.isprintable() or char in "\n\t" or char.isspace() for char in found)
    assert inert(found) == found
    found.encode()


@pytest.mark.parametrize(
    "char", "\u202e\u2066\u200b\u200d\ufeff\u00ad\ud800\x00\x7f\u2028\ue000\U000e0041\U000e0101\u3164"
)
def test_what_deceives_is_named(char: str) -> None:
    assert inert(f"a{char}b") == f"a⟨U+{ord(char):04X}⟩b"


@pytest.mark.parametrize(
    "text", ["plain", "北京，上海。", "Ärger e\u0301", "مرحبا", "हिन्दी", "a\n\tb", "<b>&amp;", "🙂"]
)
def test_honest_texts_stay(text: str) -> None:
    assert inert(text) == text


def test_marks_do_not_pile_up() -> None:
    assert inert("o" + "\u0301" * 8) == "o" + "\u0301" * 6 + "⟨U+0301⟩" * 2


def test_long_texts_are_shortened_and_what_is_missing_is_counted() -> None:
    assert shown("x" * 160).full is None
    found = shown("x" * 3000)
    assert found.start == "x" * 160 + "…"
    assert (found.full, found.omitted) == ("x" * 2000, 1000)


def test_the_tables_list_the_verifier_s_mistakes_by_how_sure_it_was() -> None:
    records = [recorded(position) for position in range(8)]
    dearest, kept, escalated = listings(evaluated(outcomes_of(records)), records, top=3)
    assert [question.name for question in dearest.questions] == ["q4 text", "q5 text", "q6 text"]
    assert "3 of 8 are shown" in dearest.note
    (wrong,) = kept.questions
    assert (wrong.name, wrong.confidence, wrong.verdict, wrong.cost) == ("q2 text", 0.7, "CORRECT", 1.5)
    assert wrong.text is not None
    assert wrong.text.start == "question 2 text"
    assert [gold.start for gold in wrong.gold] == ["gold 2 text"]
    texts = [(answer.tier, answer.quality, answer.committed, answer.text) for answer in wrong.answers]
    assert [each[:3] for each in texts] == [("small", 0.0, True), ("large", 1.0, False)]
    assert [each[3].start for each in texts if each[3]] == ["small draft 2 text", "large draft 2 text"]
    (right,) = escalated.questions
    assert (right.name, right.confidence, right.verdict, right.cost) == ("q5 text", 0.3, "INCORRECT", 21.5)


def test_the_surest_mistakes_come_first() -> None:
    outcomes = two([0, 0, 0, 1, 1, 1], [1] * 6, [0.6, 0.9, 0.7, 0.4, 0.1, 0.3])
    _, kept, escalated = listings(evaluated(outcomes), None, top=20)
    assert [question.confidence for question in kept.questions] == [0.9, 0.7, 0.6]
    assert [question.name for question in kept.questions] == ["row 1", "row 2", "row 0"]
    assert [question.confidence for question in escalated.questions] == [0.1, 0.3, 0.4]


def test_mistakes_are_found_at_every_tier() -> None:
    _, kept, escalated = listings(evaluated(three(), AcceptCorrect()), None, top=9)
    assert [(question.name, question.tier) for question in kept.questions] == [("row 2", "a")]
    assert [(question.name, question.tier) for question in escalated.questions] == [("row 3", "b"), ("row 3", "a")]


def test_failed_verifications_are_no_mistakes() -> None:
    failed = Verification(method="m", verdict=Verdict.UNPARSED, confidence=None, failure="no verdict")
    sure = Verification(method="m", verdict=Verdict.INCORRECT, confidence=0.2)
    small = Tier(name="small", quality=[1, 1], cost=1, verifications=[failed, sure])
    outcomes = Outcomes(tiers=(small, Tier(name="large", quality=[1, 1], cost=9)))
    dearest, _, escalated = listings(evaluated(outcomes), None, top=9)
    assert [(question.name, question.verdict) for question in dearest.questions] == [
        ("row 0", "UNPARSED"),
        ("row 1", "INCORRECT"),
    ]
    assert dearest.questions[0].confidence is None
    assert [question.name for question in escalated.questions] == ["row 1"]
    assert "Verifications that failed are not listed; 1 did." in escalated.note


def test_records_are_found_by_id_in_any_order_or_else_by_position() -> None:
    records = [recorded(position) for position in range(8)]
    by_id = listings(evaluated(outcomes_of(records)), [*records[::-1], recorded(0, text="other")], top=8)
    by_position = listings(evaluated(two()), records, top=8)
    assert [each.questions for each in by_id] == [each.questions for each in by_position]


def test_records_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="1 records were given for 8 questions without ids"):
        listings(evaluated(two()), [recorded(0)], top=8)


def _interval(low: float | None, high: float | None) -> Interval:
    return Interval(estimate=0.0, low=low, high=high, level=0.95, n=9, failed_resamples=0)


@pytest.mark.parametrize(
    ("low", "high", "sign"),
    [
        (0.1, 0.2, "better"),
        (-0.2, -0.1, "worse"),
        (0.0, 0.2, "open"),
        (-0.2, 0.0, "open"),
        (0.0, 0.0, "equal"),
        (None, None, "open"),
    ],
)
def test_an_interval_that_holds_zero_shows_nothing(low: float | None, high: float | None, sign: str) -> None:
    assert sign_of(_interval(low, high)) == sign


def test_a_cascade_that_pays() -> None:
    found = summarise(evaluated(two(times=100), n_resamples=200))
    assert found.outlook == "pays"
    first, large, mix = found.sentences
    assert first.startswith(
        "The cascade pays on these 800 questions: with the policy accept-correct, small answers 50.0% of them, and "
        "quality is 0.7500 ("
    )
    assert large.startswith(
        "Always asking large costs 20 a question and has quality 0.7500: the cascade costs 42.5% less, and its quality "
        "is not told apart from it (difference 0.0000, interval −"
    )
    assert mix.startswith(
        "A random mix of both models at the same cost, 55.3% of the questions to the large one, would reach 0.6382: "
        "the cascade is 0.1118 higher (interval +"
    )
    assert mix.endswith("so the verification earns what it costs.")


def test_a_verifier_that_is_wrong_does_not_pay() -> None:
    backwards = two(SMALL, LARGE, CONFIDENCE[::-1], times=100)
    found = summarise(evaluated(backwards, n_resamples=200))
    assert found.outlook == "does not pay"
    assert found.sentences[2].endswith("so the verification does not earn what it costs.")


def test_a_cascade_that_costs_more_is_compared_with_the_large_model() -> None:
    found = summarise(evaluated(two(times=100, verify_cost=19.5), Threshold(0.35), n_resamples=200))
    assert found.outlook == "does not pay"
    assert "the cascade costs 40.0% more" in found.sentences[1]
    assert found.sentences[2].startswith("The large model alone, which costs no more, would reach 0.7500")


def test_a_cascade_that_escalates_nothing_is_no_better_than_the_small_model() -> None:
    found = summarise(evaluated(two(times=100), Threshold(0.0), n_resamples=200))
    assert found.outlook == "does not pay"
    assert "since its answers are no better than those of small alone" in found.sentences[0]


def test_where_there_is_no_cost_to_save_nothing_pays() -> None:
    found = summarise(evaluated(two(small_cost=0, large_cost=0, verify_cost=0)))
    assert found.outlook == "does not pay"
    assert "since there is no cost to save" in found.sentences[0]
    assert found.sentences[2].startswith("There is no random mix of the models to compare with: the large model costs")


def test_one_question_settles_nothing() -> None:
    found = summarise(evaluated(two([0], [1], [0.1])))
    assert found.outlook == "is not settled"
    assert found.sentences[0].startswith("Whether the cascade pays is not settled by one question")


def test_a_cascade_that_changes_nothing_does_not_pay() -> None:
    found = summarise(evaluated(two([0] * 8, [0] * 8)))
    assert found.outlook == "does not pay"
    assert found.sentences[2].endswith("the cascade is the same, so the verification earns nothing.")
