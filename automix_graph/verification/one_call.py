"""What verifiers share that ask one model once: the call, sync or async, and what becomes of a call that failed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from automix_graph.models.calling import Attempt, acall_model, call_model
from automix_graph.records import Verification
from automix_graph.verification.judged import Judged
from automix_graph.verification.prompting import VerifyPrompt, check_prompt
from automix_graph.verification.verifier import Case, Judgement, failed


@dataclass(frozen=True, kw_only=True)
class OneCall(Judged, ABC):
    """Ask a model once and read a verification off its reply.

    Attributes:
        prompt: what it is asked; None takes the built-in prompt of the case.
    """

    prompt: VerifyPrompt | None = None

    def __post_init__(self) -> None:
        check_prompt(self.prompt)
        super().__post_init__()

    @property
    @abstractmethod
    def method(self) -> str:
        """Short name, for records."""

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call."""
        attempt = call_model(self.model, self._messages(case), stage="verify", config=config, options=self._options)
        return self._judge(case, attempt)

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Judge one answer with one model call, asynchronously."""
        attempt = await acall_model(
            self.model, self._messages(case), stage="verify", config=config, options=self._options
        )
        return self._judge(case, attempt)

    def _judge(self, case: Case, attempt: Attempt) -> Judgement:
        if attempt.message is None:
            verification = failed(self.method, f"the judge failed: {attempt.call.error}")
        else:
            verification = self._read(case, attempt, attempt.message)
        return Judgement(verification=verification, calls=attempt.calls)

    @property
    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """What is bound to the call."""

    @abstractmethod
    def _messages(self, case: Case) -> list[BaseMessage]:
        """What the judge is asked."""

    @abstractmethod
    def _read(self, case: Case, attempt: Attempt, message: AIMessage) -> Verification:
        """Read the reply."""
