"""What can be done about a failed model call, in a sentence for whoever runs the program.

Of a provider it tells the host and the port: never a key, a path, or the provider's words, which may repeat a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from automix_graph.models.failures import Failure, FailureKind

_KEYS: Final[Mapping[str, str]] = {
    "anthropic": "ANTHROPIC_API_KEY",
    "azure_openai": "AZURE_OPENAI_API_KEY",
    "cohere": "COHERE_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "google_genai": "GOOGLE_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistralai": "MISTRAL_API_KEY",
    "openai": "OPENAI_API_KEY",
    "xai": "XAI_API_KEY",
}
"""Variables that the providers' own packages read, by the provider in a model's label."""

_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404


def advice_on(failure: Failure, *, model: str, address: str | None) -> str | None:
    """Return what to do about a failure; None where waiting or asking otherwise is all that there is.

    Args:
        failure: what the exception of the call means.
        model: label of the model.
        address: host and port that were asked, where they are known.

    Example:
        >>> advice_on(Failure(kind="authentication", status=401), model="openai:gpt-5", address=None)
        'the key was not accepted: set OPENAI_API_KEY to one that may use this model'
        >>> advice_on(Failure(kind="connection"), model="openai:m", address="127.0.0.1:8001")
        'there is no connection to 127.0.0.1:8001: is its address right, and can it be reached from here?'
    """
    variable = _KEYS.get(model.partition(":")[0], "the provider's variable for keys")
    where = "the provider" if address is None else address
    if failure.kind == "bad_request" and failure.status == _NOT_FOUND:
        return f"{where} knows no such model or path: compare the name of the model, and its address if it has one"
    if failure.kind == "authentication" and failure.status == _FORBIDDEN:
        return f"the key in {variable} may not use this model, or not with every option that it was asked with"
    advices: dict[FailureKind, str] = {
        "authentication": f"the key was not accepted: set {variable} to one that may use this model",
        "bad_request": "the provider refuses such a request: mostly an option that this model does not take",
        "connection": f"there is no connection to {where}: is its address right, and can it be reached from here?",
        "context_overflow": "the prompt is longer than the model reads: give it fewer or shorter passages",
        "out_of_quota": "the credit or quota of the account is used up",
    }
    return advices.get(failure.kind)
