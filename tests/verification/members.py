"""Verifiers whose findings a test chooses, for the verifiers that ask others."""

from dataclasses import dataclass, field

from langchain_core.runnables import RunnableConfig

from automix_graph.models.calling import NamedModel
from automix_graph.prompts import load_prompts
from automix_graph.records import Call, Reading, Usage, Verdict, Verification
from automix_graph.testing import ScriptedChatModel
from automix_graph.verification import Case, Judgement, failed

CASE = Case(question="When?", passages=(), answer="May", prompts=load_prompts("en"), goes=lambda found: True)


@dataclass(frozen=True, kw_only=True)
class Member:
    """Finds a confidence (None: fails; an exception: raises it) with one call."""

    finds: float | BaseException | None
    label: str = "member"
    reading: Reading | None = None
    reads_logprobs: bool = False
    seen: list[Case] = field(default_factory=list)

    @property
    def method(self) -> str:
        return f"method of {self.label}"

    @property
    def models(self) -> tuple[NamedModel, ...]:
        return (NamedModel(label=self.label, model=ScriptedChatModel([])),)

    @property
    def call(self) -> Call:
        return Call(stage="verify", model=self.label, usage=Usage(), seconds=0.0)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        self.seen.append(case)
        if isinstance(self.finds, BaseException):
            raise self.finds
        if self.finds is None:
            return Judgement(verification=failed(self.method, "no decision"), calls=(self.call,))
        verdict = Verdict.CORRECT if self.finds > 0.5 else Verdict.INCORRECT
        found = Verification(
            method=self.method,
            verdict=verdict,
            confidence=self.finds,
            verdicts=(verdict,),
            signals={"mass": 0.5},
            reading=self.reading,
        )
        return Judgement(verification=found, calls=(self.call,))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        return self.verify(case, config)


class Silent:
    """Does not say whom it calls."""

    method = "silent"

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        raise NotImplementedError

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        raise NotImplementedError
