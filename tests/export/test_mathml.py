"""Every formula the printers can write is MathML, well formed; anything else is refused."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt_tui.calculus.operations import NOTATIONS, OPERATIONS
from bptt_tui.export.mathml import mathml
from bptt_tui.language import Call, Name, Number, Printer
from bptt_tui.language.labels import latex_label

PRINTER = Printer(NOTATIONS, "latex")
NAMES = [Name("s", 0), Name("b_h", -1), Name("Wxh", None), Name("theta_1", -2), Name("α", 0), Name("_x", 0)]


def words(latex: str) -> str:
    """The characters of a formula's MathML, without the elements."""
    return "".join(ET.fromstring(mathml(latex)).itertext())


@pytest.mark.parametrize("name", sorted(NOTATIONS))
def test_every_operation(name: str) -> None:
    count = OPERATIONS[name].most or 3
    arguments = tuple(NAMES[:count])
    plain = PRINTER.print(Call(name, arguments))
    deep = PRINTER.print(Call(name, tuple(Call("sub", (Call("neg", (a,)), Number(2e-7))) for a in arguments)))
    for latex in (plain, deep):
        assert "\\" not in words(latex)


def test_parts_of_a_formula() -> None:
    assert mathml(r"\frac{\partial s_{1}}{\partial z_{1}}") == (
        "<math><mfrac><mrow><mo>∂</mo><msub><mi>s</mi><mrow><mn>1</mn></mrow></msub></mrow>"
        "<mrow><mo>∂</mo><msub><mi>z</mi><mrow><mn>1</mn></mrow></msub></mrow></mfrac></math>"
    )
    assert words(r"\begin{pmatrix} 1 & -2 \\ \vdots & 0.5 \end{pmatrix}") == "(1−2⋮0.5)"
    assert "<munder><mo>∑</mo>" in mathml(r"\sum_t s_t")
    assert words(r"1 - s_1^2") == "1−s12"
    assert words(r"\mathrm{a<b}") == "a<b"


@pytest.mark.parametrize("before", ["", r"\left(", "=", r"\cdot"])
def test_a_minus_before_its_number_stands_close_to_it(before: str) -> None:
    close = r"\right)" if before == r"\left(" else ""
    assert 'form="prefix"' in mathml(f"{before} -1{close}")
    assert 'form="prefix"' not in mathml("1 -1")


@pytest.mark.parametrize(
    ("latex", "why"),
    [
        (r"\href{javascript:x}{y}", "href"),
        (r"\frac{1}", "too early"),
        (r"{1", "expected }"),
        (r"1}", "closes nothing"),
        (r"\left( 1", "expected"),
        (r"\begin{pmatrix} 1", "does not end"),
        (r"\begin{verbatim} 1 \end{verbatim}", "verbatim"),
        (r"\mathrm x", "braces"),
        ("{" * 5000, "deeply"),
    ],
)
def test_what_no_printer_writes(latex: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        mathml(latex)


@given(st.text(st.characters(categories=["L", "N"], include_characters="_"), min_size=1, max_size=12))
def test_any_name_of_a_network(name: str) -> None:
    if not name.isidentifier():
        return
    ET.fromstring(mathml(latex_label(name, "t-1")))


def test_elements_that_need_one_get_one() -> None:
    for latex in (r"\frac{ab}{c}", r"{ab}_{cd}", r"\frac{\frac{a}{b}\frac{c}{d}}{e}"):
        for element in ET.fromstring(mathml(latex)).iter():
            if element.tag in ("mfrac", "msub"):
                assert len(element) == 2
