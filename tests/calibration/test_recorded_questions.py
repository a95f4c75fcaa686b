import dataclasses

import pytest

from automix_graph.calibration import large_is_right, made_for_records, question_groups, scored_by_agreement
from automix_graph.errors import ConfigurationError
from automix_graph.evaluation import Outcomes, RecordFile, Tier
from automix_graph.policies import TierMade, VerifierMade
from automix_graph.records import Call, Draft, Record, Recorded, Stage, Usage, Verdict, Verification


def recorded(name: str, question: str = "When?", *, small: str = "In May", large: str = "May") -> Recorded:
    def call(stage: Stage, model: str) -> Call:
        return Call(stage=stage, model=model, usage=Usage(input_tokens=1, output_tokens=1), seconds=1)

    record = Record(
        question=question,
        language="en",
        prompts="p",
        drafts=(Draft(tier="small", text=small), Draft(tier="large", text=large)),
        verifications=(Verification(method="votes", verdict=Verdict.CORRECT, confidence=0.9),),
        calls=(call("small_answer", "s"), call("verify", "j"), call("large_answer", "l")),
    )
    return Recorded(id=name, record=record)


def test_copies_of_a_question_are_known_by_its_words() -> None:
    rows = [
        recorded("1", "When did it END?"),
        recorded("2", "when  did it end? "),
        recorded("3", "Why?"),
        recorded("4", "[redacted, 4 characters]"),
        recorded("5", "[redacted, 4 characters]"),
    ]
    first, second, third, *hidden = question_groups(rows, ["1", "2", "3", "4", "5"])
    assert first == second != third
    assert hidden == ["id 4", "id 5"]
    assert question_groups(rows, ["3", "1"]) == [third, first]


def test_a_small_answer_agrees_if_it_says_what_the_large_one_says() -> None:
    rows = [recorded("1"), recorded("2", small="In June"), Recorded(id="3", error="timeout")]
    found = scored_by_agreement(rows)
    assert [dict(row.scores) for row in found] == [{"small": 1.0, "large": 1.0}, {"small": 0.0, "large": 1.0}, {}]


def test_every_tier_agrees_or_does_not() -> None:
    row = recorded("1")
    assert row.record is not None
    drafts = (*row.record.drafts[:1], Draft(tier="middle", text="In June"), row.record.drafts[1])
    found = scored_by_agreement([dataclasses.replace(row, record=dataclasses.replace(row.record, drafts=drafts))])
    assert found[0].scores == {"small": 1.0, "middle": 0.0, "large": 1.0}


def test_an_empty_large_answer_is_nothing_to_agree_with() -> None:
    assert scored_by_agreement([recorded("1", large=" ")])[0].scores == {}


def test_texts_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="record '7' is redacted"):
        scored_by_agreement([recorded("7", small="[redacted, 6 characters]")])
    row = recorded("8")
    assert row.record is not None
    other = dataclasses.replace(row, record=dataclasses.replace(row.record, language="de"))
    with pytest.raises(ConfigurationError, match=r"record '8' cannot be compared.*'de'"):
        scored_by_agreement([other])


def test_large_answers_are_right_by_definition() -> None:
    small = Tier(name="s", quality=[1, 0], cost=1, confidence=[0.9, 0.3], verify_cost=0.5)
    large = Tier(name="l", quality=[0, 0.5], cost=[20, 30], alone_cost=[21, 31])
    found = large_is_right(Outcomes(tiers=(small, large), ids=("a", "b"), unit="usd"))
    assert found.large.quality.tolist() == [1.0, 1.0]
    assert found.large.cost.tolist() == [20.0, 30.0]
    assert found.large.alone_cost.tolist() == [21.0, 31.0]
    assert found.small.quality.tolist() == [1.0, 0.0]
    assert (found.ids, found.unit) == (("a", "b"), "usd")


def test_whose_records_they_are_is_in_the_settings() -> None:
    described = {
        "small": {
            "label": "openai:a",
            "prompts": {"en": "1"},
            "verifier": {"method": "short", "prompts": {"en": "3"}},
        },
        "large": {"label": "openai:b", "prompts": {"en": "2"}},
    }
    found = made_for_records(RecordFile(rows=(recorded("1"),), described=described))
    assert found is not None
    judged = VerifierMade(method="short", judges=("j",), prompts={"en": "3"})
    assert found.tiers == (
        TierMade(name="small", model="openai:a", prompts={"en": "1"}, verifier=judged),
        TierMade(name="large", model="openai:b", prompts={"en": "2"}),
    )


def test_without_settings_the_calls_tell() -> None:
    found = made_for_records(RecordFile(rows=(recorded("1"), Recorded(id="2", error="timeout"))))
    assert found is not None
    assert [tier.model for tier in found.tiers] == ["s", "l"]
    assert [tier.verifier for tier in found.tiers] == [VerifierMade(method="votes", judges=("j",)), None]
    assert made_for_records(RecordFile(rows=())) is None
