"""A LangChain vector store over FAISS, with its passages in SQLite.

This file makes, saves and opens stores. Searching is in `searching`, adding and deleting in `writing`, both over a
`Collection`, which knows about locks and files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Self

from langchain_core.embeddings import Embeddings

from automix_graph.errors import ConfigurationError, StoreError
from automix_graph.retrieval.collection import Collection
from automix_graph.retrieval.community import read_community
from automix_graph.retrieval.entries import Change
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.retrieval.manifest import Manifest
from automix_graph.retrieval.metrics import Metric, require_metric
from automix_graph.retrieval.opening import open_collection
from automix_graph.retrieval.plan import DEFAULT_RECALL, IndexChoice, IndexPlan, Tuned
from automix_graph.retrieval.retriever import StoreRetriever
from automix_graph.retrieval.saving import Origin, save_collection
from automix_graph.retrieval.searching import require_search_type
from automix_graph.retrieval.writing import WritableStore


class FaissStore(WritableStore):
    """Passages and their vectors, searched by meaning, by words, or by both.

    Ids are stable: adding a passage under a known id replaces it. Any number of threads may search while one writes; a
    search sees all of a write or nothing of it. Until `save`, everything lives in a private temporary folder.

    A filter is a mapping of conditions on metadata (``{"year": {"$gte": 1990}, "lang": "en"}``, see
    `automix_graph.retrieval.filters.compile_filter`) or a function of the metadata that must not call the store. It is
    applied before ranking, so a rare match is found however far down it ranks.

    Scores of ``similarity_search_with_score`` depend on the metric: ``"cosine"`` gives the cosine in [-1, 1] (a zero
    vector has cosine 0 to everything), ``"inner_product"`` the inner product, both higher for nearer; ``"l2"`` the
    Euclidean distance, lower for nearer.

    Args:
        embedding: turns texts into vectors.
        metric: how vectors are compared: ``"cosine"``, ``"inner_product"`` or ``"l2"``.
        index_type: the index that `save` builds: ``"flat"``, ``"hnsw"``, ``"ivf"``, ``"ivf_sq8"``, or ``"auto"`` for
            the rule of `automix_graph.retrieval.plan.IndexPlan`. An unsaved store compares with every vector.
        recall_target: share of the ten nearest passages that a search shall find, to which the index is tuned.

    Example:
        >>> from automix_graph.testing.embeddings import HashEmbeddings
        >>> with FaissStore(HashEmbeddings()) as store:
        ...     ids = store.add_texts(["Otters hold hands.", "Owls see at night."], ids=["otter", "owl"])
        ...     [document.id for document in store.similarity_search("Do otters hold hands?", k=1)]
        ['otter']
    """

    def __init__(
        self,
        embedding: Embeddings,
        *,
        metric: Metric = "cosine",
        index_type: IndexChoice = "auto",
        recall_target: float = DEFAULT_RECALL,
    ) -> None:
        self._plan = IndexPlan(index_type=index_type, recall_target=recall_target)
        self._bind(embedding, Collection(require_metric(metric)))

    def _bind(self, embedding: Embeddings, collection: Collection, opened: tuple[Path, Manifest] | None = None) -> None:
        self._embedding = embedding
        self.collection = collection
        self._origin: Origin | None = None
        self._fingerprint: Fingerprint | None = None
        if opened is not None:
            folder, manifest = opened
            self._plan = manifest.plan
            self._fingerprint = manifest.embedding
            self._origin = Origin(folder=folder, generation=manifest.generation, index=manifest.index)

    def __len__(self) -> int:
        return self.collection.count()

    def __bool__(self) -> bool:
        return True  # an empty store is still a store: `store or other` must not drop it

    @property
    def path(self) -> Path | None:
        """The folder it was opened from or last saved to; None where there is none."""
        return self._origin.folder if self._origin else None

    @property
    def index_plan(self) -> IndexPlan:
        """Which index the next `save` builds; may be set."""
        return self._plan

    @index_plan.setter
    def index_plan(self, plan: IndexPlan) -> None:
        self._plan = plan

    @property
    def index(self) -> Tuned | None:
        """The approximate index that searches use, with its measured recall; None where every vector is compared."""
        return self.collection.tuned

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        metric: Metric = "cosine",
        index_type: IndexChoice = "auto",
        **kwargs: Any,
    ) -> Self:
        """Make a store of texts."""
        store = cls(embedding, metric=metric, index_type=index_type)
        try:
            store.add_texts(texts, metadatas, ids=ids, **kwargs)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        metric: Metric = "cosine",
        index_type: IndexChoice = "auto",
        **kwargs: Any,
    ) -> Self:
        """Make a store of texts, without blocking."""
        store = cls(embedding, metric=metric, index_type=index_type)
        try:
            await store.aadd_texts(texts, metadatas, ids=ids, **kwargs)
        except BaseException:
            store.close()
            raise
        return store

    # Retrieving

    def as_retriever(self, **kwargs: Any) -> StoreRetriever:
        """Return a retriever.

        Args:
            **kwargs: fields of `StoreRetriever`: ``search_type`` (``"hybrid"`` by default), ``k``, ``search_kwargs``,
                and those of any LangChain retriever (``tags``, ``metadata``, ``name``).

        Raises:
            ConfigurationError: an unknown search type.
        """
        if "search_type" in kwargs:
            require_search_type(kwargs["search_type"])
        tags = kwargs.pop("tags", None) or self._get_retriever_tags()
        return StoreRetriever(vectorstore=self, tags=tags, **kwargs)

    # Saving and opening

    def save(self, path: str | PathLike[str] | None = None, *, build_index: bool = True, replace: bool = True) -> None:
        """Publish the store to a folder, replacing the store that is there in one step.

        A crash at any moment leaves the old store or the new one; processes that have the old one open keep it. The
        embedding model is called once, for its fingerprint.

        Args:
            path: a new or empty folder, or that of a store. Without it, the folder that this store was opened from or
                last saved to.
            build_index: build the approximate index that the store's ``index_type`` asks for, where there is none or
                where more than a twentieth of it is out of date; without it, what it lacks is compared one by one.
            replace: replace a store in that folder that this one was neither opened from nor saved to.

        Raises:
            ConfigurationError: no path was given and there is none to return to.
            StoreError: the folder holds something else or cannot be written, or another process has saved there since
                this store was opened.
        """
        self._origin = save_collection(
            self.collection,
            self._target(path),
            fingerprint=self._own_fingerprint(),
            plan=self._plan,
            origin=self._origin,
            build_index=build_index,
            replace=replace,
        )

    async def asave(
        self, path: str | PathLike[str] | None = None, *, build_index: bool = True, replace: bool = True
    ) -> None:
        """Publish the store to a folder, without blocking; see `save`."""
        await asyncio.to_thread(self.save, path, build_index=build_index, replace=replace)

    @classmethod
    def open(cls, path: str | PathLike[str], embedding: Embeddings, *, verify: bool | None = None) -> Self:
        """Open a saved store.

        The saved files are never changed: the first write makes a private copy, and `save` publishes it. The embedding
        model is called once, to make sure that it is the one the store was built with.

        Args:
            path: the folder.
            embedding: the model that the store was built with.
            verify: compare the SHA-256 of all files, which reads them whole; None does so where they are small. In any
                case the manifest, sizes and counts are checked, and each passage by its own checksum when it is read.

        Raises:
            StoreError: there is no store, it is damaged, another version wrote it, or the model is another one.
        """
        manifest, collection = open_collection(Path(path), verify=verify)
        try:
            manifest.embedding.require_same(Fingerprint.of(embedding), path=str(path))
        except BaseException:
            collection.close()
            raise
        store = cls.__new__(cls)
        store._bind(embedding, collection, (Path(path), manifest))
        return store

    @classmethod
    async def aopen(cls, path: str | PathLike[str], embedding: Embeddings, *, verify: bool | None = None) -> Self:
        """Open a saved store, without blocking; see `open`."""
        return await asyncio.to_thread(cls.open, path, embedding, verify=verify)

    @classmethod
    def from_community(
        cls,
        folder: str | PathLike[str],
        embedding: Embeddings,
        *,
        index_name: str = "index",
        metric: Metric | None = None,
    ) -> Self:
        """Make a store of what ``langchain_community.vectorstores.FAISS.save_local`` wrote, vectors included.

        The pickle file is read by an unpickler that makes nothing but documents, so a hostile one does nothing.

        Args:
            folder: with ``index.faiss`` and ``index.pkl``.
            embedding: the model that the vectors were made with; its dimension is checked, the rest is on trust.
            index_name: the name of both files.
            metric: how vectors are compared; None keeps the way of the index, ``"l2"`` or ``"inner_product"``.

        Raises:
            StoreError: the files are missing, damaged or hostile, or the dimension differs.
        """
        content = read_community(Path(folder), index_name)
        fingerprint = Fingerprint.of(embedding)
        if content.vectors.shape[1] != fingerprint.dimension:
            raise StoreError(
                f"the vectors in {str(folder)!r} have {content.vectors.shape[1]} components, those of "
                f"{fingerprint.name!r} have {fingerprint.dimension}: use the model that they were made with",
                path=str(folder),
                code="bad-vectors",
            )
        store = cls(embedding, metric=metric or content.metric)
        try:
            store.collection.apply(Change(put=content.entries), content.vectors)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close all files and drop what was not saved; the store cannot be used afterwards."""
        self.collection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _target(self, path: str | PathLike[str] | None) -> Path:
        if path is not None:
            return Path(path)
        if self._origin is None:
            raise ConfigurationError(
                "this store was never opened or saved, so save() needs the path of a folder", code="store-closed"
            )
        return self._origin.folder

    def _own_fingerprint(self) -> Fingerprint:
        if self._fingerprint is None:
            self._fingerprint = Fingerprint.of(self._embedding)
        return self._fingerprint
