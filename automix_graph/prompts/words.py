"""How decisions are worded in one language."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from automix_graph.records import Verdict

Form = Literal["short", "reasoned", "word"]
"""What a prompt asks the judge for: a decision; a reason and then the decision; a decision of one word."""

Text = Annotated[str, Field(min_length=1)]
Words = Annotated[tuple[Annotated[Text, AfterValidator(str.casefold)], ...], Field(min_length=1)]


class DecisionWords(BaseModel):
    """How decisions are worded in one language; the content of a ``words.json``.

    Attributes:
        opening: what stands before the deciding word in a decision.
        correct: words, in any case, with which a decision to accept goes on.
        incorrect: words, in any case, with which a decision to reject goes on.
        decisions: the sentences of the worked examples, for ``correct`` and ``incorrect``.
        endings: how a prompt ends, for each form.
        form: words, parted by spaces, that belong to the form of an answer and not to its content: function words, and
            words that speak of the answer itself; in Chinese, characters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    opening: Text
    correct: Words
    incorrect: Words
    decisions: dict[Literal["correct", "incorrect"], Text] = Field(min_length=2)
    endings: dict[Form, Text] = Field(min_length=3)
    form: str = ""

    def sentences(self) -> dict[str, Verdict]:
        """Return every whole decision that these words can make, with what it says."""
        said = {self.decisions["correct"]: Verdict.CORRECT, self.decisions["incorrect"]: Verdict.INCORRECT}
        for words, verdict in ((self.correct, Verdict.CORRECT), (self.incorrect, Verdict.INCORRECT)):
            for word in words:
                said |= {word: verdict, f"{self.opening} {word}": verdict, f"{self.opening}{word}": verdict}
        return said
