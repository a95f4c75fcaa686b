"""In place of LangChain's package: embeddings that actors can load by name, as ``ollama:NAME``, without a model."""

from automix_graph.testing import HashEmbeddings


class OllamaEmbeddings(HashEmbeddings):
    """Hashed words under the name of the model."""

    def __init__(self, model: str) -> None:
        super().__init__(name=model)
