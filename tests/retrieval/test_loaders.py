"""Files of every format as the text that is in them, and what is said of those that cannot be read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest

from automix_graph.errors import MissingExtraError
from automix_graph.retrieval.loaders import LOADERS, Problem, Section, load_file


def load(path: Path) -> list[Section]:
    items = list(load_file(path))
    assert all(isinstance(item, Section) for item in items), items
    return [item for item in items if isinstance(item, Section)]


def problem(path: Path) -> str:
    [item] = load_file(path)
    assert isinstance(item, Problem)
    assert item.path == path.as_posix()
    return item.reason


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


CHINESE = "元朝宫廷中，西医也被聂斯托利派基督徒使用。"


@pytest.mark.parametrize(
    "content",
    [
        CHINESE.encode(),
        b"\xef\xbb\xbf" + CHINESE.encode(),
        CHINESE.encode("utf-16"),
        b"\xfe\xff" + CHINESE.encode("utf-16-be"),
        CHINESE.encode("gb18030"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "gb18030"],
)
@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl", ".json"])
def test_encodings(tmp_path: Path, content: bytes, suffix: str) -> None:
    if suffix == ".csv":
        content = _recode(content, lambda text: f"text\n{text}\n")
    elif suffix in (".jsonl", ".json"):
        content = _recode(content, lambda text: json.dumps({"text": text}, ensure_ascii=False))
    [section] = load(write(tmp_path / f"x{suffix}", content))
    assert section.text == CHINESE


def _recode(content: bytes, change: Any) -> bytes:
    for encoding in ("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8", "utf-16", "gb18030"):
        try:
            if content.decode(encoding) == CHINESE:
                return bytes(change(CHINESE).encode(encoding))
        except UnicodeDecodeError:
            continue
    raise AssertionError(content)


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 20,
        "café très fécond à l'été où naïve".encode("latin-1"),
        b"\xff\xfea",
        b"text" + b"\0" * 5,
        "Москва является столицей России.".encode("koi8-r"),
        "서울은 대한민국의 수도이자 최대 도시이다.".encode("euc-kr"),
        "東京は日本の首都であり、世界でも最大級の都市の一つです。".encode("euc-jp"),
        "臺北市是中華民國的首都，也是臺灣的政治、經濟和文化中心。這個城市有很多歷史悠久的建築。".encode("big5"),
    ],
    ids=["binary", "latin-1", "half a character", "NUL", "koi8-r", "euc-kr", "euc-jp", "big5"],
)
@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl", ".json", ".md"])
def test_undecodable_files_are_reported(tmp_path: Path, content: bytes, suffix: str) -> None:
    assert "convert it to UTF-8" in problem(write(tmp_path / f"x{suffix}", content))


@pytest.mark.parametrize("suffix", [suffix for suffix in LOADERS if suffix not in (".pdf", ".docx")])
@pytest.mark.parametrize("content", [b"", b" \n \n"])
def test_empty_files_are_reported(tmp_path: Path, suffix: str, content: bytes) -> None:
    assert problem(write(tmp_path / f"x{suffix}", content)) == "has no text"


@pytest.mark.parametrize("suffix", [".pdf", ".docx"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"%PDF-1.7 no pdf"])
def test_damaged_files_are_reported(tmp_path: Path, suffix: str, content: bytes) -> None:
    assert problem(write(tmp_path / f"x{suffix}", content)).startswith("cannot be parsed (")


def test_unknown_and_missing_files_are_reported(tmp_path: Path) -> None:
    assert "unknown suffix '.xyz'; known are .txt" in problem(write(tmp_path / "x.xyz", "x"))
    assert problem(tmp_path / "none.txt") == "No such file or directory"


def test_suffixes_are_read_in_any_case(tmp_path: Path) -> None:
    assert load(write(tmp_path / "X.TXT", "x"))[0].text == "x"


# Formats


def test_markdown_headings(tmp_path: Path) -> None:
    text = "intro\n# One #\nbody\n```\n# code\n```\n## Two\n~~~\n## also code\n~~~\n#notone\n"
    [section] = load(write(tmp_path / "x.md", text))
    assert section.text == text
    assert section.headings == ((6, "One"), (text.index("## Two"), "Two"))


def test_html(tmp_path: Path) -> None:
    page = """<html><head><title> A
      title </title><style>p {color: red}</style></head><body><script>alert(1)</script>
      <h1>Head</h1><p>One <b>bold</b>
      line.<br>Next.</p><ul><li>a</li><li>b</li></ul><table><tr><td>x</td><td>y</td></tr></table>
      <pre>k = 1\nl = 2</pre><!-- comment --></body></html>"""
    [section] = load(write(tmp_path / "x.html", page))
    assert section.text == "Head\nOne bold line.\nNext.\na\nb\nx y\nk = 1\nl = 2"
    assert section.metadata == {"title": "A title"}


def test_html_may_state_its_encoding(tmp_path: Path) -> None:
    page = f'<html><head><meta charset="gb2312"></head><body>{CHINESE}</body></html>'
    assert load(write(tmp_path / "x.htm", page.encode("gb2312")))[0].text == CHINESE


def test_csv_with_a_text_column(tmp_path: Path) -> None:
    content = 'id,Text,year\n1,"two\nlines",1990\n2,plain,\n3,,2000\n'
    first, second, third = load(write(tmp_path / "x.csv", content))
    assert (first.text, first.metadata) == ("two\nlines", {"id": "1", "year": "1990", "row": 2})
    assert (second.text, second.metadata) == ("plain", {"id": "2", "row": 4})
    assert third.text == "id: 3\nyear: 2000"
    assert [section.position for section in (first, second, third)] == ["row=2", "row=4", "row=5"]


def test_csv_without_a_text_column(tmp_path: Path) -> None:
    [section] = load(write(tmp_path / "x.csv", "name,age\nAnn,7,extra\n,\n"))
    assert section.text == "name: Ann\nage: 7\ncolumn 3: extra"
    assert section.metadata == {"row": 2}


def test_jsonl(tmp_path: Path) -> None:
    rows = [
        '{"id": "p1", "title": "T", "text": "one", "n": 1.5, "ok": true, "tags": ["x"], "none": null}',
        "",
        "{broken",
        '{"content": "two"}',
        '{"page_content": "three"}',
        '{"title": "no text"}',
        '{"text": "  "}',
        "[1]",
        '{"text": "x", "n": NaN}',
        '{"text": 5, "content": "four"}',
    ]
    items = list(load_file(write(tmp_path / "x.jsonl", "\n".join(rows))))
    sections = [item for item in items if isinstance(item, Section)]
    assert [section.text for section in sections] == ["one", "two", "three", "four"]
    assert sections[0].metadata == {"id": "p1", "title": "T", "n": 1.5, "ok": True, "line": 1}
    reasons = [item.reason for item in items if isinstance(item, Problem)]
    assert [reason.split(" ")[1] for reason in reasons] == ["3", "6", "7", "8", "9"]
    assert "'text', 'content', 'page_content'" in reasons[1]


def test_whole_numbers_beyond_64_bits_are_read_as_text(tmp_path: Path) -> None:
    fits = [2**63 - 1, -(2**63)]
    row = {"text": "x", "a": fits[0], "b": fits[1], "c": 2**63, "d": -(2**63) - 1, "e": 2.0**70, "f": True}
    (line,) = load(write(tmp_path / "x.jsonl", json.dumps(row)))
    text = {"c": "9223372036854775808", "d": "-9223372036854775809", "e": 2.0**70, "f": True, "line": 1}
    assert dict(line.metadata) == {"a": fits[0], "b": fits[1]} | text


def test_a_json_list(tmp_path: Path) -> None:
    first, second = load(write(tmp_path / "x.json", '\n [\n{"text": "one"},\n {"text": "two", "id": 7}]'))
    assert (first.text, second.text, second.metadata) == ("one", "two", {"id": 7, "row": 2})
    assert "is not JSON" in problem(write(tmp_path / "y.json", '[{"text": "one"},'))


def test_docx(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Animals", 1)
    document.add_paragraph("Otters swim.")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "owl", "猫头鹰"
    document.add_paragraph("The end.")
    document.save(str(tmp_path / "x.docx"))
    [section] = load(tmp_path / "x.docx")
    assert section.text == "Animals\n\nOtters swim.\n\nowl | 猫头鹰\n\nThe end."
    assert section.headings == ((0, "Animals"),)
    docx.Document().save(str(tmp_path / "empty.docx"))
    assert problem(tmp_path / "empty.docx") == "has no text"


def pdf(*pages: str) -> bytes:
    """Write a PDF by hand: one line of Helvetica a page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for n, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {5 + 2 * n} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj{body}endobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return (out + f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{out.index('xref')}\n%%EOF").encode()


def encrypted(path: Path, password: str) -> Path:
    writer = pypdf.PdfWriter(clone_from=path)
    writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
    target = path.with_name(f"locked{password}.pdf")
    writer.write(target)
    writer.close()
    return target


def test_pdf(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pdf", pdf("Otters swim.", "", "Owls fly."))
    assert [(section.text, dict(section.metadata), section.position) for section in load(path)] == [
        ("Otters swim.", {"page": 1}, "page=1"),
        ("Owls fly.", {"page": 3}, "page=3"),
    ]
    assert "no text layer" in problem(write(tmp_path / "scan.pdf", pdf("", "")))
    assert "is encrypted" in problem(encrypted(path, "secret"))
    assert [section.text for section in load(encrypted(path, ""))] == ["Otters swim.", "Owls fly."]


@pytest.mark.parametrize(("suffix", "library"), [(".pdf", "pypdf"), (".docx", "docx"), (".html", "bs4")])
def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"automix-graph\[documents\]"):
        list(load_file(write(tmp_path / f"x{suffix}", "x")))
