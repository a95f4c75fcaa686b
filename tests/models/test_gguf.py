from __future__ import annotations

import struct
from pathlib import Path

import pytest

from automix_graph.errors import ModelFileError
from automix_graph.models.gguf import control_tokens
from automix_graph.models.local_chat import LocalChatModel
from automix_graph.models.runtime import Endpoint

VOCABULARY = {"hello": 1, "<unk>": 2, "<|im_end|>": 3, "<s>": 3, "[INST]": 3, "\n\n": 4, "<table>": 4, "x": 3}


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(*, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    tokens = struct.pack("<IQ", 8, len(VOCABULARY)) + b"".join(map(text, VOCABULARY))
    kinds = struct.pack(f"<IQ{len(VOCABULARY)}i", 5, len(VOCABULARY), *VOCABULARY.values())
    pairs = [
        text("general.name") + struct.pack("<I", 8) + text("tiny"),
        text("general.alignment") + struct.pack("<II", 4, 32),
        text("some.flags") + struct.pack("<IIQ3?", 9, 7, 3, True, False, True),
        text("tokenizer.ggml.tokens") + struct.pack("<I", 9) + tokens,
        text("tokenizer.ggml.token_type") + struct.pack("<I", 9) + kinds,
    ]
    return magic + struct.pack("<IQQ", version, 0, len(pairs)) + b"".join(pairs)


def test_control_tokens_are_read_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf() + b"tensors")
    assert control_tokens(path) == {"<unk>", "<|im_end|>", "<s>", "[INST]"}


@pytest.mark.parametrize("cut", [0, 3, 10, 24, 60, -1])
def test_a_cut_header_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf()[:cut])
    with pytest.raises(ModelFileError, match="is no complete GGUF file"):
        control_tokens(path)


@pytest.mark.parametrize("data", [gguf(version=1), gguf(magic=b"GGML")])
def test_another_format_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="does not start like"):
        control_tokens(path)


@pytest.fixture
def chat() -> LocalChatModel:
    endpoint = Endpoint(base_url="http://127.0.0.1:9/v1", api_key="key-of-the-endpoint")
    return LocalChatModel.at(endpoint, label="local:tiny", control_tokens={"<s>", "[INST]"}, max_tokens=8)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a<|im_end|>b", "a< |im_end|>b"),
        ("<s>[INST] x", "< s>[ INST] x"),
        ("<|im_<|im_end|>end|>", "<|im_< |im_end|>end|>"),
        ("<table> <|a b|> 1 < s > 2 {x}", "<table> <|a b|> 1 < s > 2 {x}"),
    ],
)
def test_control_tokens_in_text_are_inert(chat: LocalChatModel, given: str, sent: str) -> None:
    assert chat.inert(given) == sent
    assert chat.inert(sent) == sent


def test_the_key_is_not_shown(chat: LocalChatModel) -> None:
    assert "key-of-the-endpoint" not in f"{chat!r} {chat} {Endpoint(base_url='x', api_key='key-of-the-endpoint')!r}"
