"""What a judge is asked: the built-in prompts of the case, or the user's own, as text or as a LangChain template."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompts import BasePromptTemplate, ChatPromptTemplate

from automix_graph.errors import ConfigurationError
from automix_graph.models.messages import as_messages
from automix_graph.prompts import Form, Prompts, Template, as_data, shown_context
from automix_graph.prompts.template import VERIFY_PLACEHOLDERS
from automix_graph.verification.verifier import Case

VerifyPrompt = Template | BasePromptTemplate[Any]
"""A prompt of the user's: `load_template(path)`, or any LangChain prompt template with the same placeholders."""


def check_prompt(prompt: object) -> None:
    """Refuse what cannot be a verifier's prompt; None stands for the built-in one.

    Raises:
        ConfigurationError: it is no template, a placeholder is missing or unknown, or a LangChain template cannot be
            rendered or changes the values.
    """
    if prompt is None:
        return
    if isinstance(prompt, Template):
        found = set(prompt.placeholders)
    elif isinstance(prompt, BasePromptTemplate):
        found = set(prompt.input_variables)
    else:
        raise ConfigurationError(
            f"prompt is a {type(prompt).__name__}; give load_template(path), or a LangChain prompt template such as "
            "PromptTemplate.from_template(text)",
            code="bad-prompts",
        )
    if found != VERIFY_PLACEHOLDERS:
        # `Template` words the complaint; an empty text holds none of the placeholders, so only the difference is new.
        text = " ".join(f"{{{name}}}" for name in sorted(found))
        Template(name=f"prompt ({type(prompt).__name__})", text=text, placeholders=VERIFY_PLACEHOLDERS)
    if isinstance(prompt, BasePromptTemplate):
        _try_out(prompt)


def _try_out(prompt: BasePromptTemplate[Any]) -> None:
    """Refuse a LangChain template that cannot be rendered, or that changes what goes in."""
    name = type(prompt).__name__
    values = {placeholder: f'<{placeholder}> & {{"it\'s"}}' for placeholder in VERIFY_PLACEHOLDERS}
    try:
        # Not invoke(): nobody asked yet, so tracers have nothing to see.
        text = "\n".join(str(message.text) for message in prompt.format_prompt(**values).to_messages())
    except Exception as error:
        raise ConfigurationError(
            f"prompt ({name}) cannot be rendered: {type(error).__name__}: {error}; every placeholder must take a text, "
            "and FewShotPromptTemplate needs the braces of its examples doubled",
            code="bad-prompts",
        ) from error
    if changed := sorted(placeholder for placeholder, value in values.items() if value not in text):
        raise ConfigurationError(
            f"prompt ({name}) changes or drops the text given for {', '.join(changed)}; in a mustache template, write "
            "{{{name}}}, for {{name}} escapes it for HTML",
            code="bad-prompts",
        )


def judge_messages(prompt: VerifyPrompt | None, case: Case, form: Form) -> list[BaseMessage]:
    """Return what the judge is asked about a case.

    Passages, question and answer go in as data: no line of them but the first begins at the start of a line.
    """
    if prompt is None:
        return as_messages(case.prompts.verify(case.question, case.passages, case.answer, form=form))
    values = {
        "context": shown_context(case.passages),
        "question": as_data(case.question),
        "generated_answer": as_data(case.answer),
    }
    if isinstance(prompt, Template):
        return [HumanMessage(prompt.render(**values))]
    return prompt.invoke(values).to_messages()


def chat_template(prompts: Prompts, *, form: Form = "short") -> ChatPromptTemplate:
    """Return a built-in prompt as a LangChain template of ``context``, ``question`` and ``generated_answer``.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> sorted(chat_template(load_prompts("en")).input_variables)
        ['context', 'generated_answer', 'question']
    """
    turns = prompts.verify_format(form=form)
    return ChatPromptTemplate.from_messages([(turn.role, turn.text) for turn in turns])
