"""Prompts as text files, one folder a language, and the one safe way to put values into them."""

from automix_graph.prompts.choice import PromptChoice
from automix_graph.prompts.examples import Example, load_examples
from automix_graph.prompts.language import detect_language
from automix_graph.prompts.library import DEFAULT_LAYOUT, Prompts, languages, load_prompts, shown_context
from automix_graph.prompts.quoting import as_data, numbered, well_formed
from automix_graph.prompts.template import Template, load_template
from automix_graph.prompts.turns import Turn
from automix_graph.prompts.words import DecisionWords, Form, Layout

__all__ = [
    "DEFAULT_LAYOUT",
    "DecisionWords",
    "Example",
    "Form",
    "Layout",
    "PromptChoice",
    "Prompts",
    "Template",
    "Turn",
    "as_data",
    "detect_language",
    "languages",
    "load_examples",
    "load_prompts",
    "load_template",
    "numbered",
    "shown_context",
    "well_formed",
]
