"""The ways in: OpenAI's API, LangServe, the page, health and metrics."""
