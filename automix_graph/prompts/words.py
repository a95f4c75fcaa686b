"""How decisions are worded in one language."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from automix_graph.records import Verdict

Layout = Literal["document", "shared"]
"""How the parts of a prompt are ordered.

``document`` is the layout of the AutoMix prompt: examples, context, question, answer, instruction; what asks for an
answer and what asks for a verdict have nothing in common. ``shared``: instructions and examples for both jobs, then
context, then question, and only then what differs, so that a prompt cache serves the second read.
"""
Form = Literal["short", "opened", "reasoned"]
"""What a prompt asks the judge for.

``short`` is a decision of one word, ``opened`` a decision whose opening words are put into the judge's mouth,
``reasoned`` a reason and then the decision.
"""

Text = Annotated[str, Field(min_length=1)]
Words = Annotated[tuple[Annotated[Text, AfterValidator(str.casefold)], ...], Field(min_length=1)]


class DecisionWords(BaseModel):
    """How decisions are worded in one language; the content of a ``words.json``.

    Attributes:
        opening: what stands before the deciding word in a decision.
        correct: words, in any case, with which a decision to accept goes on.
        incorrect: words, in any case, with which a decision to reject goes on.
        decisions: the sentences of the worked examples, for ``correct`` and ``incorrect``.
        endings: how a prompt ends, for each layout and form.
        abstention: what is said where a question is given up; no model reads it.
        form: words, parted by spaces, that belong to the form of an answer and not to its content: function words, and
            words that speak of the answer itself; in Chinese, characters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    opening: Text
    correct: Words
    incorrect: Words
    decisions: dict[Literal["correct", "incorrect"], Text] = Field(min_length=2)
    endings: dict[Layout, Annotated[dict[Form, Text], Field(min_length=3)]] = Field(min_length=2)
    # What no model reads is no part of what tells prompts apart.
    abstention: Text = Field(default="The documents do not give an answer that can be relied on.", repr=False)
    form: str = ""

    @cached_property
    def whole_decisions(self) -> tuple[tuple[str, Verdict], ...]:
        """What `sentences` returns, as a value that can be a key."""
        return tuple(self.sentences().items())

    def sentences(self) -> dict[str, Verdict]:
        """Return every whole decision that these words can make, with what it says."""
        said = {self.decisions["correct"]: Verdict.CORRECT, self.decisions["incorrect"]: Verdict.INCORRECT}
        for words, verdict in ((self.correct, Verdict.CORRECT), (self.incorrect, Verdict.INCORRECT)):
            for word in words:
                said |= {word: verdict, f"{self.opening} {word}": verdict, f"{self.opening}{word}": verdict}
        return said
