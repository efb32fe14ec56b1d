"""Vectors and matrices in formulas, as they are written and as they are printed."""

from __future__ import annotations

import pytest

from bptt_tui.derivation.formulas.parts import bare
from bptt_tui.derivation.formulas.reader import read_formula
from bptt_tui.derivation.formulas.tree import Call, Formula, Matrix, Negate, Number
from bptt_tui.errors import FormulaError
from bptt_tui.session import load


def numbers(*values: float) -> tuple[Formula, ...]:
    return tuple(Number(value=v) if v >= 0 else Negate(operand=Number(value=-v)) for v in values)


COLUMN = Matrix(entries=numbers(0.5, -2, 3), columns=1)
ROW = Matrix(entries=numbers(0.5, -2, 3), columns=3)
SQUARE = Matrix(entries=numbers(1, -2, 3, 4), columns=2)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("[0.5, -2, 3]", COLUMN),
        ("[0.5,−2,3,]", COLUMN),
        ("[0.5 -2.  3]", COLUMN),
        ("[0.5; -2; 3]", COLUMN),
        ("(0.5, -2, 3)", COLUMN),
        ("array([0.5, -2. , 3. ])", COLUMN),
        ("[[0.5], [-2], [3]]", COLUMN),
        (r"\begin{pmatrix} 0.5 \\ -2 \\ 3 \end{pmatrix}", COLUMN),
        (r"\begin{bmatrix} 0.5 \\ -2 \\ 3 \\ \end{bmatrix}", COLUMN),
        ("[[0.5, -2, 3]]", ROW),
        ("[[0.5 -2 3]]", ROW),
        (r"\begin{pmatrix} 0.5 & -2 & 3 \end{pmatrix}", ROW),
        ("[[1, -2], [3, 4]]", SQUARE),
        ("[[1, -2],\n [3, 4]]", SQUARE),
        ("[[1 -2]\n [3 4]]", SQUARE),
        ("[1, -2; 3, 4]", SQUARE),
        (r"\begin{pmatrix} 1 & -2 \\ 3 & 4 \end{pmatrix}", SQUARE),
        (r"\left[\begin{matrix} 1 & -2 \\ 3 & 4 \end{matrix}\right]", SQUARE),
        ("[0.5]", Number(value=0.5)),
        ("[[0.5]]", Number(value=0.5)),
    ],
)
def test_an_array_is_read(text: str, due: Formula) -> None:
    assert bare(read_formula(text, load("sessions/question.json"))) == due


def test_brackets_around_one_formula_are_brackets() -> None:
    session = load("sessions/question.json")
    assert bare(read_formula("[s_1 + 1] · [s_1 -1]", session)) == bare(read_formula("(s_1 + 1) · (s_1 -1)", session))


def test_vectors_in_brackets_are_put_together_where_the_network_does() -> None:
    read = read_formula("[h_2, x_3]", load("sessions/lstm.json"))
    assert isinstance(read, Call)
    assert read.function == "concat"


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("[1, 2", 5, "unexpected end"),
        ("[[1, 2], [3]]", 10, "a row of 1 below one of 2"),
        ("[1, [2, 3], ]", 0, "side by side"),
        (r"\begin{pmatrix} 1 & 2", 21, "unexpected end"),
        ("1; 2", 1, "unexpected ';'"),
    ],
)
def test_what_is_no_array_is_said_at_its_place(text: str, column: int, reason: str) -> None:
    with pytest.raises(FormulaError) as caught:
        read_formula(text, load("sessions/question.json"))
    assert reason in caught.value.reason
    assert caught.value.column == column


@pytest.mark.parametrize("text", ["[" * 4000 + "1, 2" + "]" * 4000, "[" * 9000, "[[1, 2]" * 1000, "(1, " * 2000])
def test_hostile_brackets_end_in_an_error(text: str) -> None:
    with pytest.raises(FormulaError):
        read_formula(text, load("sessions/question.json"))
