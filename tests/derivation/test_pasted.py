"""A pasted text is taken apart into its formulas."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.formulas.pasted import formulas

LATEX = r"\dfrac{\partial L}{\partial u} = \sum_{t=0}^{1} \dfrac{\partial L}{\partial u_t}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("dE/dw = w", ["dE/dw = w"]),
        ("dE/dw = w\ndE/du = u\n", ["dE/dw = w", "dE/du = u"]),
        ("  dE/dw = w  \n\n# a remark = 1\ndE/du = u", ["dE/dw = w", "dE/du = u"]),
        ("dE/dw =\n  a\n  * b", ["dE/dw =\n  a\n  * b"]),
        ("dE/dw = a\n = b\n + c", ["dE/dw = a\n = b\n + c"]),
        ("dE/dw = a * (b\nc = d", ["dE/dw = a * (b\nc = d"]),
        ("dE/dw = a\n ≈ 3\ndE/du ≈ 4\ndE/dv \\approx 5", ["dE/dw = a\n ≈ 3", "dE/du ≈ 4", "dE/dv \\approx 5"]),
        ("dE/dw = a\n-dE/du = b", ["dE/dw = a", "-dE/du = b"]),
        ("dE/dw = a\n- b", ["dE/dw = a\n- b"]),
        ("dE/dw = a\n\n+ b", ["dE/dw = a", "+ b"]),
        (f"{LATEX}\n{LATEX}", [LATEX, LATEX]),
        ("dE/du = \\\\\n\\sum_{t=0}^1 a", ["dE/du = \\\\\n\\sum_{t=0}^1 a"]),
        ("dE/du = a\n\\sum_{t=0}^1 b", ["dE/du = a\n\\sum_{t=0}^1 b"]),
        ("dE/du &= a \\\\\n &= b", ["dE/du &= a \\\\\n &= b"]),
    ],
)
def test_formulas_of_a_text(text: str, expected: list[str]) -> None:
    found = formulas(text)
    assert [one.text for one in found] == expected
    for one in found:
        assert text[one.start : one.start + len(one.text)] == one.text
        assert text.count("\n", 0, one.start) + 1 == one.line
