"""Sentence embeddings by ONNX Runtime: mean over the tokens, unit length.

Texts are run one by one, spread over threads, and not in padded batches: on a CPU that is as fast, and the vector of a
text cannot depend on its neighbours. Imported only when such a model is used, because its dependencies are optional.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import onnxruntime
from langchain_core.embeddings import Embeddings
from tokenizers import Tokenizer

from automix_graph.errors import ModelFileError
from automix_graph.models.cores import available_cores

# Far more than the tokens that the model reads, so that a huge text does not cost the time to tokenise all of it.
_MAX_CHARACTERS: Final = 20_000

_T = TypeVar("_T")


class OnnxEmbeddings(Embeddings):
    """Embeddings of a folder that holds ``model.onnx`` and ``tokenizer.json``.

    Safe to use from many threads, after a fork, and across processes by pickling.

    Attributes:
        model_name: what the model is called, for stores that remember what filled them.
        languages: what it was trained for, as ISO 639-1 codes; a store then ranks questions in others by their words.
    """

    def __init__(
        self,
        folder: Path,
        *,
        model_name: str,
        max_tokens: int = 256,
        threads: int | None = None,
        languages: tuple[str, ...] | None = None,
    ) -> None:
        """Load the model.

        Args:
            folder: of the two files.
            model_name: what to call it.
            max_tokens: longer texts are cut.
            threads: texts at one time; None takes all cores that this process may use.
            languages: what it was trained for; None where that is not known.

        Raises:
            ModelFileError: one of the files is missing or damaged.
        """
        self.model_name = model_name
        self.languages = languages
        self._folder = folder
        self._max_tokens = max_tokens
        self._threads = threads or available_cores()
        self._tokenizer = _load(self._read_tokenizer, folder / "tokenizer.json", model_name)
        self._session = _load(self._open_session, folder / "model.onnx", model_name)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the unit vector of each text."""
        if len(texts) < 2:
            return [self.embed_query(text) for text in texts]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="automix-embed") as pool:
            return list(pool.map(self.embed_query, texts))

    def embed_query(self, text: str) -> list[float]:
        """Return the unit vector of a text."""
        # A lone surrogate (a cut emoji, a file name) has no UTF-8 form, which the tokenizer needs.
        clean = text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        ids = np.array([self._tokenizer.encode(clean).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (tokens,) = self._session.run(["last_hidden_state"], feed)
        mean = tokens[0].mean(axis=0, dtype=np.float32)
        vector: list[float] = (mean / max(float(np.linalg.norm(mean)), 1e-12)).tolist()
        return vector

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._folder, self.model_name, self._max_tokens, self._threads, self.languages)

    def _read_tokenizer(self, path: Path) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._max_tokens)
        return tokenizer

    def _open_session(self, path: Path) -> Any:
        options = onnxruntime.SessionOptions()
        # No threads of its own: they would not survive a fork, and one text for each core is faster than all for one.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _load(loader: Callable[[Path], _T], path: Path, model_name: str) -> _T:
    try:
        return loader(path)
    except Exception as error:  # Both libraries raise classes of their own that share no public base.
        raise ModelFileError(
            f"cannot load {path} of {model_name!r}: {' '.join(str(error).split())[:200]}; "
            "fetch the model again with automix models pull",
            name=model_name,
            code="model-load",
        ) from error


def _rebuild(
    folder: Path, model_name: str, max_tokens: int, threads: int, languages: tuple[str, ...] | None
) -> OnnxEmbeddings:
    return OnnxEmbeddings(folder, model_name=model_name, max_tokens=max_tokens, threads=threads, languages=languages)
