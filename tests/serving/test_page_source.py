"""What the page is made of: colours with enough contrast, and nothing that its policy would not allow."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from served import client

from automix_graph.serving.doors.page_routes import page_and_policy


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(scheme: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for the borders of fields and for marks."""
    light, dark = re.findall(r":root \{(.*?)\}", page_and_policy()[0], re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark))

    def contrast(one: str, other: str) -> float:
        low, high = sorted(luminance(colours[name]) for name in (one, other))
        return (high + 0.05) / (low + 0.05)

    for text, ground in [
        *((text, ground) for text in ("text", "muted", "accent") for ground in ("page", "card")),
        *((name, f"{name}-bg") for name in ("good", "warn", "bad")),
        *(("card", name) for name in ("good", "warn", "bad")),
        ("on-accent", "accent"),
    ]:
        assert contrast(text, ground) >= 4.5, (text, ground)
    for mark, ground in [("field", "card"), ("field", "page"), ("accent", "card"), ("bar", "line")]:
        assert contrast(mark, ground) >= 3, (mark, ground)


def test_the_policy_allows_the_page_s_own_text_and_nothing_else() -> None:
    with client() as ask:
        response = ask.get("/")
    policy = response.headers["content-security-policy"]
    script = response.text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"(src|href)=\"(?!data:,)", response.text)
    assert "http" not in response.text
    assert "innerHTML" not in response.text
    assert not re.search(r"\s(on[a-z]+|style)=", response.text)
