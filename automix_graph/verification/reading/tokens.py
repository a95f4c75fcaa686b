"""How long a text is for a model: counted by the model itself where it can, else estimated.

The estimate knows no tokenizer. Those that OpenAI's and other models use are data files that would have to be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from automix_graph.verification.verifier import Verifier, models_of

TokenCounter = Callable[[str], int]

_LETTERS_A_TOKEN: Final = 3
_LETTER_OR_SPACE: Final = re.compile(r"[A-Za-z\s]")


def approximate_tokens(text: str) -> int:
    """Return an estimate of the tokens of a text that errs on the high side.

    ASCII letters and white space count one token for three characters: English prose has more than four to a token in
    every common vocabulary. Every other character counts one: a digit or a mark is at most one token, and vocabularies
    made for more than English need less than one for a Chinese character. It falls short for what no vocabulary
    expects: emoji, rare characters, random letters, and Chinese in front of a model that hardly knows it.

    Example:
        >>> approximate_tokens("The treaty was signed in 1648."), approximate_tokens("条约于1648年签订。")
        (14, 11)
    """
    letters = len(_LETTER_OR_SPACE.findall(text))
    return -(-letters // _LETTERS_A_TOKEN) + len(text) - letters


def own_counter(verifier: Verifier) -> TokenCounter:
    """Return how the first model of a verifier counts tokens; the estimate, where it cannot tell without a download.

    Every LangChain model has ``get_num_tokens``, but most of them take another model's tokenizer, fetched when it is
    first used. So a model is asked only if it says that it counts as it reads, as embedded ones do.
    """
    models = models_of(verifier)
    model = models[0].model if models else None
    if model is None or getattr(model, "counts_exactly", False) is not True:
        return approximate_tokens
    return model.get_num_tokens
