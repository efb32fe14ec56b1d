"""Reading equations: the grammar, and errors that point at the character and say what was expected."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

from bptt_tui.calculus.differentiation import differentiate, jacobian_value
from bptt_tui.calculus.operations import NOTATIONS
from bptt_tui.errors import EquationError
from bptt_tui.language import Call, Equation, Name, Number, Printer, parse_equation, parse_expression, substitute

PLAIN = Printer(NOTATIONS, "plain")


def a(name, offset=None):
    return Name(name, offset)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b - c", Call("sub", (Call("add", (a("a"), a("b"))), a("c")))),
        ("a / b * c", Call("mul", (Call("div", (a("a"), a("b"))), a("c")))),
        ("a + b * c", Call("add", (a("a"), Call("mul", (a("b"), a("c")))))),
        ("a ** b ** c", Call("power", (a("a"), Call("power", (a("b"), a("c")))))),
        ("a ^ 2", Call("power", (a("a"), Number(2.0)))),
        ("-a ** 2", Call("neg", (Call("power", (a("a"), Number(2.0))),))),
        ("a ** -2", Call("power", (a("a"), Number(-2.0)))),
        ("-2", Number(-2.0)),
        ("a - -b", Call("sub", (a("a"), Call("neg", (a("b"),))))),
        ("W @ x[t] * 2", Call("mul", (Call("matmul", (a("W"), a("x", 0))), Number(2.0)))),
        ("s[t-1] + x[ t + 2 ]", Call("add", (a("s", -1), a("x", 2)))),
        ("concat(a, b, 1e-3)", Call("concat", (a("a"), a("b"), Number(0.001)))),
        ("((a))", a("a")),
        (".5 + 2.", Call("add", (Number(0.5), Number(2.0)))),
        ("σ_1", a("σ_1")),
    ],
)
def test_the_grammar(text, tree):
    """Precedence, grouping, indices and numbers of every form."""
    assert parse_expression(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 0, ["end of the line", "starts with the name it defines"]),
        ("s", 1, ["end of the line", "expected '=' after s"]),
        ("s tanh(z)", 2, ["'tanh'", "expected '=' after s"]),
        ("= 3", 0, ["'='", "starts with the name"]),
        ("s[t] = z", 1, ["the left side is a plain name", "write s ="]),
        ("s = ", 4, ["end of the line", "expected a name, a number, a function or '('"]),
        ("s = tanh(z", 10, ["end of the line", "close the '(' in column 9"]),
        ("s = (z", 6, ["end of the line", "close the '(' in column 5"]),
        ("s = z)", 5, ["')'", "expected an operator or the end of the line"]),
        ("s = 2 z", 6, ["an operator is missing before 'z'", "write 2 * z"]),
        ("s = 2(z)", 5, ["an operator is missing before '('"]),
        ("s = a ** ", 9, ["end of the line"]),
        ("s = tanh()", 9, ["tanh() needs an argument"]),
        ("s = x[1]", 6, ["'1'", "an index is [t], [t-1] or [t+1]"]),
        ("s = x[t-]", 8, ["']'", "an index is"]),
        ("s = x[t-1.5]", 8, ["1.5", "whole number of timesteps"]),
        ("s = x[t-99999999999]", 8, ["whole number of timesteps"]),
        ("s = x[t", 7, ["end of the line", "an index is"]),
        ("s = a & b", 6, ["unexpected character '&'"]),
        ("s = 'a'", 4, ["unexpected character"]),
        ("s = 1e999", 4, ["1e999 is too large"]),
        ("__import__('os').system('ls')", 11, ["unexpected character", "expected a name, a number"]),
        ("__import__(os)", 10, ["'('", "expected '=' after __import__"]),
        ("s = __import__('os')", 15, ['unexpected character "\'"']),
        ("s = a\x1b[31m", 5, ["unexpected character '\\x1b'"]),
        ("s = a\nb", 6, ["an operator is missing"]),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text, column, words):
    """The character, what stood there and what would be right; on one line."""
    with pytest.raises(EquationError) as caught:
        parse_equation(text)
    assert caught.value.column == column
    message = str(caught.value)
    assert message.startswith(f"column {column + 1}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_the_caret_stands_under_the_character():
    """Two lines: the equation, and a caret below what is wrong."""
    with pytest.raises(EquationError) as caught:
        parse_equation("s = 2 z")
    assert caught.value.caret() == "s = 2 z\n      ^"


BOMBS = {
    "parentheses": "s = " + "(" * 3000 + "z" + ")" * 900,
    "closed parentheses": "s = " + "(" * 1900 + "z" + ")" * 1900,
    "calls": "s = " + "tanh(" * 700,
    "minus signs": "s = " + "-" * 3900 + "z",
    "powers": "s = " + "z**" * 1200 + "z",
    "a long sum": "s = " + "z+" * 1900 + "z",
    "a long product": "s = " + "z*" * 1900 + "z",
    "sums in parentheses": "s = " + "(" * 60 + "z" + ("+1" * 30 + ")") * 60,
    "long text": "s = " + "z" * 100_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_depth_bombs_are_refused(bomb):
    """No recursion limit is met: what is too deep or too long is said to be so."""
    with pytest.raises(EquationError, match=r"more than \d+ operations deep|characters") as caught:
        parse_equation(BOMBS[bomb])
    assert "split it in several equations" in str(caught.value)


def nested(depth: int, opening: str, closing: str) -> str:
    return "s = " + opening * depth + "z" + closing * depth


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ("tanh(", ")"), ("-(", ")"), ("2**(", ")"), ("(1+", ")"), ("w*(", ")")]
)
def test_the_deepest_that_is_read_can_be_used(opening, closing):
    """An equation just inside the limit is also printed, differentiated and traced, not only read."""
    from bptt_tui.trace import Network

    depth = 1
    while readable(nested(depth + 1, opening, closing)):
        depth += 1
    text = nested(depth, opening, closing)
    assert depth >= 20
    assert parse_expression(PLAIN.print(parse_equation(text).expression)) == parse_equation(text).expression
    parameters = {"w": 0.5} if "w" in text else {}
    trace = Network([text, "E = s"]).trace(parameters=parameters, inputs={"z": [0.1]})
    assert trace.loss is not None
    equation, z = trace.unrolled.network.equations[0], trace.unrolled.network.reads[0][-1]
    assert trace.jacobian(0, 0, z).shape == (1, 1)
    formula = differentiate(equation.expression, z, Name("s", 0), trace.unrolled.shape_of)
    value = jacobian_value(formula, lambda name: trace.value(name.name, 0), 1, 1)
    np.testing.assert_allclose(value, trace.jacobian(0, 0, z), rtol=1e-10)
    assert all(Printer(NOTATIONS, style).print(formula) for style in ("plain", "unicode", "latex"))


def readable(text):
    try:
        parse_equation(text)
    except EquationError:
        return False
    return True


ALPHABET = st.sampled_from(
    [*list("stuvwxyzE0123456789.=+-*/@^()[], \t"), "**", "[t-1]", "tanh(", "σ", "é", "\x00", "²", "٣", "e"]
)


@given(st.one_of(st.text(), st.lists(ALPHABET, max_size=40).map("".join)))
@example("s = ٣")
@example("s = x²")
@settings(max_examples=500)
def test_any_text_is_read_or_pointed_at(text):
    """Whatever is typed gives an equation, or an error with a column inside the text."""
    try:
        assert isinstance(parse_equation(text), Equation)
    except EquationError as error:
        assert 0 <= error.column <= len(text)
        assert error.hint or error.reason


NAMES = st.sampled_from(["s", "x", "W", "b_h", "σ", "t0", "theta"])
LEAVES = st.one_of(
    st.builds(Name, NAMES, st.sampled_from([None, 0, -1, -2, 1])),
    st.floats(min_value=0, allow_infinity=False).map(Number),
    st.floats(max_value=0, exclude_max=True, allow_infinity=False).map(Number),
    st.sampled_from([0.0, 1.0, 2.0, 1e15, 1e16, 1e22, 5e-324, 0.1]).map(Number),
)
UNARY = ["neg", "tanh", "sigmoid", "relu", "exp", "log", "sqrt", "sum", "softmax"]
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "power",
    "matmul",
    "dot",
    "cross_entropy",
    "squared_error",
    "binary_cross_entropy",
]


def grow(children):
    return st.one_of(
        st.builds(Call, st.sampled_from(UNARY), st.tuples(children)),
        st.builds(Call, st.sampled_from(BINARY), st.tuples(children, children)),
        st.builds(Call, st.just("concat"), st.lists(children, min_size=1, max_size=3).map(tuple)),
    )


def as_read(expression):
    """A tree as the parser makes it: the minus of a positive number belongs to the number."""
    if not isinstance(expression, Call):
        return expression
    arguments = tuple(as_read(argument) for argument in expression.arguments)
    if expression.operation == "neg" and isinstance(arguments[0], Number) and arguments[0].value > 0:
        return Number(-arguments[0].value)
    return Call(expression.operation, arguments)


@given(st.recursive(LEAVES, grow, max_leaves=25))
@settings(max_examples=500)
def test_what_is_printed_reads_back(expression):
    """print(parse(print(x))) is x: parentheses stand where they are needed."""
    text = PLAIN.print(expression)
    assert parse_expression(text) == as_read(expression)


@given(st.lists(ALPHABET, max_size=40).map("".join))
@settings(max_examples=500)
def test_what_is_read_prints_and_reads_back(text):
    """parse(print(parse(text))) is parse(text)."""
    try:
        expression = parse_expression(text)
    except EquationError:
        return
    from bptt_tui.calculus.operations import OPERATIONS

    def known(tree):
        return not isinstance(tree, Call) or (tree.operation in OPERATIONS and all(map(known, tree.arguments)))

    if known(expression):
        assert parse_expression(PLAIN.print(expression)) == expression


def test_places_take_no_part_in_comparison():
    """Two equal expressions are equal wherever they stand, and every one knows where it does."""
    first, second = parse_expression("a + tanh(b)"), parse_expression("  a+tanh( b )")
    assert first == second
    assert (first.arguments[1].start, first.arguments[1].end) == (4, 11)


def test_substitution_keeps_places():
    """Replacing names leaves the rest where it was, so that errors still point."""
    tree = substitute(parse_expression("a + b"), lambda name: Name(name.name * 2, 0, name.start, name.end))
    assert tree == parse_expression("aa[t] + bb[t]")
    assert tree.arguments[1].start == 4
