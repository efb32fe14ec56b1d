"""Formulas as people write them: what is read, and where an unreadable one points."""

from __future__ import annotations

import pytest
from formula_shapes import sketch
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt_tui.derivation.formulas.reader import read, read_formula
from bptt_tui.derivation.formulas.scope import Scope
from bptt_tui.errors import FormulaError
from bptt_tui.session import load

QUESTION = load("question")
SCOPES = {name: Scope.of(load(name)) for name in ("question", "vectors", "many-to-many", "lstm")}

PARTIAL_U0 = (
    "∂E[1]/∂o[1] ∂o[1]/∂q[1] ∂q[1]/∂s[1] ∂s[1]/∂z[1] ∂z[1]/∂b[1] ∂b[1]/∂s[0] ∂s[0]/∂z[0] ∂z[0]/∂a[0] ∂a[0]/∂u[0]"
)


def sketches(text: str, session: str = "question") -> list[str]:
    return [sketch(member) for member in read(text, load(session)).members]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (
            r"\partial E/\partial u = \partial E/\partial u_1 + \partial E/\partial u_0",
            ["∂E[1]/∂u", "(∂E[1]/∂u[1] + ∂E[1]/∂u[0])"],
        ),
        (
            r"\partial E/\partial u_1 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1"
            r" * \partial s_1/\partial z_1 * \partial z_1/\partial a_1 * \partial a_1/\partial u_1",
            ["∂E[1]/∂u[1]", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] ∂q[1]/∂s[1] ∂s[1]/∂z[1] ∂z[1]/∂a[1] ∂a[1]/∂u[1])"],
        ),
        (
            r"\partial E/\partial u_0 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1"
            r" * \partial s_1/\partial z_1 * \partial z_1/\partial b_1 * \partial b_1/\partial s_0"
            r" * \partial s_0/dz_0 * \partial z_0/\partial a_0 * \partial a_0/\partial u_0",
            ["∂E[1]/∂u[0]", f"({PARTIAL_U0})"],
        ),
        (
            r"\partial E/\partial u = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1"
            r" * (x_1 + w_1 * \partial s_0/\partial z_0 * x_0)",
            ["∂E[1]/∂u", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] v[1] ∂s[1]/∂z[1] (x[1] + (w[1] ∂s[0]/∂z[0] x[0])))"],
        ),
        (
            r"\partial E/\partial w = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1"
            r" * (s_0 + w_1 * \partial s_0/\partial z_0 * s_{-1})",
            ["∂E[1]/∂w", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] v[1] ∂s[1]/∂z[1] (s[0] + (w[1] ∂s[0]/∂z[0] s[-1])))"],
        ),
        (
            r"\dfrac{\partial{L}}{\partial{u}}=\sum_t \dfrac{\partial{L}}{\partial{u_t}} = "
            r"\dfrac{\partial L}{\partial o}"
            r" \dfrac{\partial o}{\partial s_1} \dfrac{\partial s_1}{\partial u_1}+\dfrac{\partial L}{\partial o}"
            r" \dfrac{\partial o}{\partial s_1}\dfrac{\partial s_1}{\partial s_0}\dfrac{\partial s_0}{\partial u_0}",
            [
                "∂E[1]/∂u",
                "Σ[t]∂E[1]/∂u[t]",
                "((∂E[1]/∂o[1] ∂o[1]/∂s[1] ∂s[1]/∂u[1]) + "
                "(∂E[1]/∂o[1] ∂o[1]/∂s[1] ∂s[1]/∂s[0] ∂s[0]/∂u[0]))",
            ],
        ),
        ("dE/du = dE/do * do/dq * v * ds1/dz1 * (x1 + w*ds0/dz0*x0)",
         ["∂E[1]/∂u", "(∂E[1]/∂o[1] ∂o[1]/∂q[1] v ∂s[1]/∂z[1] (x[1] + (w ∂s[0]/∂z[0] x[0])))"]),
        ("∂s₁/∂s₀ = w", ["∂s[1]/∂s[0]", "w"]),
        ("∂s₁/∂s₀ = f′(z₁)·w", ["∂s[1]/∂s[0]", "(tanh'(z[1]) w)"]),
    ],
)  # fmt: skip
def test_the_formulas_of_the_question_and_its_answer(text: str, members: list[str]) -> None:
    """Exactly as printed there, mixed ∂ and d, with and without subscripts."""
    assert sketches(text) == members


def test_spans_are_places_in_the_text() -> None:
    """Every part knows the characters it was read from."""
    text = r"\frac{dE}{du} = \partial E/\partial o \left( s_{-1} + 2 \right)"
    left, right = read(text, QUESTION).members
    assert text[slice(*left.span)] == r"\frac{dE}{du}"
    first, group = right.factors
    assert text[slice(*first.span)] == r"\partial E/\partial o"
    assert text[slice(*first.above.span)] == "E"
    assert [text[slice(*term.span)] for term in group.terms] == ["s_{-1}", "2"]


@pytest.mark.parametrize(
    "text",
    [
        "dE/ds1", "∂E/∂s_1", "∂E/∂s₁", "∂E / ∂ s[1]", "(∂E/∂s_1)", "d E/d s_1", r"\partial E/\partial s_1",
        r"\partial E / d s_{1}", r"\frac{\partial E}{\partial s_1}", r"\dfrac{\partial{E}}{\partial{s_1}}",
        r"\tfrac{dE}{ds_1}", r"\frac{\mathrm{d}E}{\mathrm{d}s_{1}}", r"$\frac{d L}{d s_1}$", "dJ/ds_1", "dloss/ds_1",
        r"\frac{\partial\mathcal{L}}{\partial s_{1}}", r"\left(\frac{dE}{ds_1}\right)", "∂E/∂s(1)", "∂E/∂s_{ 1 }",
        r"\nabla_{s_1} E", "∇_{s_1} L", r"\nabla_{s^{(1)}} \mathcal{L}", "∂E/∂s^{(1)}", "dE/ds^{<1>}",
        r"\partial E/\partial s^{\langle 1 \rangle}", r"\frac{\partial E}{\partial s^{\left(1\right)}}",
        "∂E／∂s＿1".replace("＿", "_"), "dE(1)/ds(1)", "{∂E/∂s_{T-1}}", "dE\u00a0/\u2009ds\u200b_1",
    ],
)  # fmt: skip
def test_one_partial_in_many_spellings(text: str) -> None:
    """Whatever the loss is called and however the fraction is set."""
    assert sketch(read_formula(text, QUESTION)) == "∂E[1]/∂s[1]"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("s_{-1} + s[-1] + s_{−1} + s₋₁", "(s[-1] + s[-1] + s[-1] + s[-1])"),
        ("w_1 + w[1] + w₁ + w1", "(w[1] + w[1] + w[1] + w[1])"),
        ("2x_1", "(2 x[1])"),
        ("s^{(1)} + s^{<0>} + s^{(1)}^2", "(s[1] + s[0] + s[1]^2)"),
        (r"s^{(1)\top} v", "(s[1]ᵀ v)"),
        ("s_1^{(2)}", "s[1]^2"),
        ("np.tanh(z_1) + np.dot(v, s_1) + v.T.dot(v)", "(tanh(z[1]) + (v @ s[1]) + (vᵀ @ v))"),
        ("prod_{1 ≥ i > 0} w_i", "∏[i=1…1]w[i]"),
        (r"\sum_{1 \ge t \geq 0} u_t", "Σ[t=0…1]u[t]"),
        ("Σ_t s^{(t)} s^{t-1} + Σ_t s^t", "(Σ[t](s[t] s[t-1]) + Σ[t]s[t])"),
        ("Σ_k w^{1-k} x_k", "Σ[k](w^(1 + -#k) x[k])"),
        ("ws_0", "(w s[0])"),
        ("x_0x_1", "(x[0] x[1])"),
        ("w s_0", "(w s[0])"),
        ("(w)(s_0)", "(w s[0])"),
        ("w(1 - s_1)", "(w (1 + -s[1]))"),
        ("s_1(1-s_1)", "(s[1] (1 + -s[1]))"),
        ("s(1)(1-s(1))", "(s[1] (1 + -s[1]))"),
        ("1 - s1**2", "(1 + -s[1]^2)"),
        ("(1 - s_1²)", "(1 + -s[1]^2)"),
        ("1-s_1^{2}", "(1 + -s[1]^2)"),
        ("1 - s^2_1", "(1 + -s[1]^2)"),
        ("-w·s_0", "-(w s[0])"),
        ("w * -s_0", "(w -s[0])"),
        ("x_1^-1", "x[1]^-1"),
        ("x_1⁻¹", "x[1]^-1"),
        ("2.5e-3 x_1", "(0.0025 x[1])"),
        (r"2 \cdot 10^{-3} x_1", "(0.002 x[1])"),
        ("½ x_1", "(0.5 x[1])"),
        (r"w\,x_1 \times x_0 \cdot w", "(w x[1] x[0] w)"),
        ("x_1/x_0/w", "((x[1] / x[0]) / w)"),
        ("x_1/x_0 · w", "((x[1] / x[0]) w)"),
        ("-1/o_y", "-(1 / o[1]⟨y⟩)"),
        ("-y/o", "-(y / o[1])"),
        ("o[y] + o_y + v[0] + v_{1}", "(o[1]⟨y⟩ + o[1]⟨y⟩ + v⟨0⟩ + v[1])"),
        ("v^T + v.T + v' + vᵀ + v^{\\top} + v^{\\mathsf{T}}", "(vᵀ + vᵀ + vᵀ + vᵀ + vᵀ + vᵀ)"),
        ("f'(z_1) f(z_0)", "(tanh'(z[1]) tanh(z[0]))"),
        (r"\tanh'(z_1) \tanh z_0", "(tanh'(z[1]) tanh(z[0]))"),
        ("tanh^2(z_1)", "tanh(z[1])^2"),
        (r"\sigma'(z_1) + σ(z_1)", "(sigmoid'(z[1]) + sigmoid(z[1]))"),
        ("ln(o_y)", "log(o[1]⟨y⟩)"),
        (r"\operatorname{diag}(o) - o o^T", "(diag(o[1]) + -(o[1] o[1]ᵀ))"),
        ("o ⊗ v + outer(o, v)", "(outer(o[1], v) + outer(o[1], v))"),
        ("o ⊙ v · x_1 ∘ o", "(o[1] ⊙ (v x[1]) ⊙ o[1])"),
        (r"o - 1_y + e_y + onehot(y) + \mathbf{1}_y", "(o[1] + -onehot(y) + onehot(y) + onehot(y) + onehot(y))"),
        (r"I v + \mathbf 1", "((eye() v) + ones())"),
        ("dE/do @ do/dq @ v", "(∂E[1]/∂o[1] @ ∂o[1]/∂q[1] @ v)"),
        ("∂E/∂o ∂o/∂s_1", "(∂E[1]/∂o[1] ∂o[1]/∂s[1])"),
        ("dE/do/2", "(∂E[1]/∂o[1] / 2)"),
        ("diag(o)/(dE/dq)", "(diag(o[1]) / ∂E[1]/∂q[1])"),
        (r"\frac{dE}{2}", None),
        (r"\frac{x_1}{2}\frac{x_0}{w}", "((x[1] / 2) (x[0] / w))"),
        ("[x_1 + {w}] (x_0)", "((x[1] + w) x[0])"),
    ],
)
def test_values_and_signs(text: str, meaning: str | None) -> None:
    """Indices, juxtaposition, powers, transposes, functions: what they mean in the question's network."""
    if meaning is None:
        with pytest.raises(FormulaError):
            read_formula(text, QUESTION)
    else:
        assert sketch(read_formula(text, QUESTION)) == meaning


@pytest.mark.parametrize(
    ("session", "text", "meaning"),
    [
        ("question", "Σ_t ∂E/∂u_t", "Σ[t]∂E[1]/∂u[t]"),
        ("question", "Σₜ ∂E/∂u[t]", "Σ[t]∂E[1]/∂u[t]"),
        ("question", "sum_t dE/du_t", "Σ[t]∂E[1]/∂u[t]"),
        ("question", r"\sum_{t=0}^{1}\frac{dE}{du_t}", "Σ[t=0…1]∂E[1]/∂u[t]"),
        ("question", r"\sum\limits_{t=0}^{T-1} dE/du_t", "Σ[t=0…1]∂E[1]/∂u[t]"),
        ("question", "Σ_{0≤k<2} dE/du_k", None),
        ("question", "sum_{t=0..1} dE/du_t", "Σ[t=0…1]∂E[1]/∂u[t]"),
        ("question", "w Σ_t s_t x_t + w", "((w Σ[t](s[t] x[t])) + w)"),
        ("question", "Σ_t (s_t + w) x_t", "Σ[t]((s[t] + w) x[t])"),
        ("question", "Σ_t s_{t-1} s[t−1] sₜ₋₁", "Σ[t](s[t-1] s[t-1] s[t-1])"),
        ("question", "Σ_{t'} s_{t'} s_{t' - 1}", "Σ[t'](s[t'] s[t'-1])"),
        ("many-to-many", r"\sum_t \sum_{k=0}^{t} s_t s_k", "Σ[t]Σ[k=0…t](s[t] s[k])"),
        ("many-to-many", "Σ_t Σ_{k≤t} s_t s_k", "Σ[t]Σ[k=…t](s[t] s[k])"),
        ("many-to-many", "Σ_{t,k} s_t s_k", "Σ[t]Σ[k](s[t] s[k])"),
        (
            "many-to-many",
            r"\sum_t \sum_{k=0}^{t} \left(\prod_{j=k+1}^{t} \frac{\partial s_j}{\partial s_{j-1}}\right)"
            r" \frac{\partial^{+} s_k}{\partial w}",
            "Σ[t]Σ[k=0…t](∏[j=k+1…t]∂s[j]/∂s[j-1] ∂⁺s[k]/∂w)",
        ),
        # A Π without brackets ends before the first factor that is at other timesteps only.
        (
            "many-to-many",
            "s_2 Π_{j=1}^2 ds_j/ds_{j-1} ds_0/dw",
            "(s[2] ∏[j=1…2]∂s[j]/∂s[j-1] ∂s[0]/∂w)",
        ),
        ("many-to-many", "Π_{j=1}^2 w (1-s_j^2) v x_0", "(∏[j=1…2](w (1 + -s[j]^2) v) x[0])"),
        ("many-to-many", "Π_{j=1}^2 (1-s_j^2) x_0 s_j w", "∏[j=1…2]((1 + -s[j]^2) x[0] s[j] w)"),
        ("many-to-many", "Π_{j=1}^2 (s_j x_0)", "∏[j=1…2](s[j] x[0])"),
        ("many-to-many", "x_0 Π_{j=1}^2 s_j ⊙ x_1", "(x[0] (∏[j=1…2]s[j] ⊙ x[1]))"),
        ("many-to-many", "∂⁺s_1/∂w + ds_1/dw + ∂s_1/∂w", "(∂⁺s[1]/∂w + ds[1]/dw + ∂s[1]/∂w)"),
        ("many-to-many", "ds_1/dw + ∂s_1/∂w", "(∂s[1]/∂w + ∂s[1]/∂w)"),
        ("many-to-many", "dE/dw + dE_1/dw", "(∂E/∂w + ∂E[1]/∂w)"),
        ("many-to-many", "-1/o_1[y_1]", "-(1 / o[1]⟨y[1]⟩)"),
        ("min-char-rnn", r"\frac{\partial L}{\partial W_{xh}} + dL/d\mathrm{Wxh}", "(∂loss/∂Wxh + ∂loss/∂Wxh)"),
        ("min-char-rnn", "∂L/∂b_h + p_1 - e_{target_1}", "(∂loss/∂bh + p[1] + -onehot(target[1]))"),
        ("lstm", "f_1 ⊙ c_0 + h[1][0]", "((f[1] ⊙ c[0]) + h[1]⟨0⟩)"),
        ("lstm", "∂h_1/∂f_1 dE/dWf^T", "(∂h[1]/∂f[1] ∂E[4]/∂Wfᵀ)"),
    ],
)
def test_sums_over_time_and_other_networks(session: str, text: str, meaning: str | None) -> None:
    """Bounds, where a sum ends, and names of several letters. A sum is over all that follows in its term."""
    found = sketch(read_formula(text, load(session)))
    assert found == (meaning or "Σ[k=0…1]∂E[1]/∂u[k]")


def test_names_that_look_like_something_else() -> None:
    """A node called dz is a node where a differential makes no sense; an alias gives way to the network's own name."""
    base = load("question")
    session = base.replace(
        equations=("dz = u * x[t] + w * s[t-1]", "s = tanh(dz)", "L = squared_error(s, y)"),
        parameters={"u": 0.8, "w": 0.6}, expected=None,
    )  # fmt: skip
    for text, meaning in [
        ("dL/ddz_1", "∂L[1]/∂dz[1]"),
        ("dz_1/ds_1", "(dz[1] / ds[1])"),
        ("∂E/∂dz_1 dz_1", "(∂L[1]/∂dz[1] dz[1])"),
    ]:
        try:
            assert sketch(read_formula(text, session)) == meaning
        except FormulaError as error:
            assert text == "dz_1/ds_1" and "'z'" in error.reason


def test_layout_is_dropped() -> None:
    """Dollars, displays, alignments, full stops; equalities of every spelling."""
    text = (
        r"\[ \begin{align*} \frac{dE}{du} &= \frac{dE}{du_1} \\ &\quad + \frac{dE}{du_0} \\ &\equiv 1. \end{align*} \]"
    )
    assert sketches(text) == ["∂E[1]/∂u", "(∂E[1]/∂u[1] + ∂E[1]/∂u[0])", "1"]
    assert sketches("dE/du := 1 == 2,") == ["∂E[1]/∂u", "1", "2"]


@pytest.mark.parametrize(
    ("text", "caret", "reason", "hint"),
    [
        ("", 0, "there is no formula", "write one"),
        ("w = 3", 0, "the left side w is a parameter and given", "such as ∂E/∂u = ∂E/∂u_1 + ∂E/∂u_0"),
        ("s_{-1} = 0.3", 0, "the left side s_{-1} is an initial value and given", "judged is what is computed"),
        ("2 = w", 0, "the left side 2 is not a partial", "or one value, as in a[1] = …"),
        ("w·dE/du = 3", 0, "the left side w·dE/du is not a partial", "expected what is derived"),
        ("dE/du", 5, "expected '='", "as in"),
        ("dE/du =", 7, "nothing follows the last '='", "what the left side equals"),
        ("dE/du ≈ dE/du_0", 6, "'≈' stands before a number", "write '='"),
        ("dE/du ≈", 7, "nothing follows the last '≈'", "what the left side equals"),
        ("dE/du = 2 * ≈ 3", 12, "'≈' cannot be judged", "write '='"),
        ("dE/du = dE/ds_2", 14, "there is no s[2]", "the last timestep is 1"),
        ("dE/du = s_{-2}", 11, "there is no s[-2]", "its initial value is s[-1]"),
        ("dE/du = w_5", 10, "w is not used at t = 5", "the last timestep is 1"),
        ("dE/dv = v_0 - o_5", 16, "there is no o[5]", ""),
        ("dE/du = s", 8, "which s?", "it exists at t = 0 and 1"),
        ("dE/du = (s_1", 12, "unexpected end of the formula", "expected ')' to close the '(' in column 9"),
        ("dE/du = [s_1)", 12, "unexpected ')'", "expected ']'"),
        ("dE/du = s_1)", 11, "this ')' closes nothing", ""),
        ("dE/du = foo", 8, "there is no 'foo' in the network", "the names are"),
        ("dE/du = tanhh(z_1)", 8, "there is no 'tanhh'", "did you mean 'tanh'?"),
        ("dE/du = s_t", 10, "t is not a timestep here", "Σ_t"),
        ("dE/du = t", 8, "there is no 't'", "a timestep stands in an index"),
        ("dE/dy = 3", 4, "y is a constant", ""),
        ("du/dE = 3", 1, "u is a parameter", "expected a node above"),
        ("dE/du = 1e999", 8, "the number 1e999 is too large", ""),
        ("dE/du = Σ dE/du_t", 8, "Σ over what?", "Σ_t"),
        ("dE/du = Σ_{t=0}^{5} s_t", 17, "there is no timestep 5", "the timesteps are 0 … 1"),
        ("dE/du = Σ_t Σ_t s_t", 14, "t is the variable of a sum around this one", "another letter"),
        (r"dE/du = \fracc{1}{2}", 8, r"there is no command \fracc", r"did you mean \frac?"),
        ("dE/du = x_1/w x_0", 14, "is 'x_0' below the fraction line or beside", "write"),
        ("dE/du = ∂E/u", 11, "unexpected 'u'", "as in ∂E/∂u"),
        ("dE/du = ∂²E/∂u²", 9, "higher derivatives are not read", ""),
        ("dE/du = dE/do[y]", 14, "a partial by or of one entry of o", "brackets"),
        ("dE/du = s_1 § 2", 12, "unexpected character '§'", "expected a name"),
        ("dE/du = dE/du_1 + …", 18, "'…' leaves open what is meant", ""),
        ("dE/du = tanh(s_1, s_0)", 8, "tanh takes one argument, not 2", ""),
        ("dE/du = softmax'(q)", 15, "softmax has no slope", ""),
        ("dE/du = s_{", 10, "this '{' is never closed", ""),
        ("dE/du = |s_1|", 8, "unexpected '|'", ""),
        ("dE/du = q_5", 10, "there is no q", ""),
    ],
)  # fmt: skip
def test_an_unreadable_formula_points_at_the_character(text: str, caret: int, reason: str, hint: str) -> None:
    """The column is the original text's, and the error says what would be right."""
    with pytest.raises(FormulaError) as caught:
        read(text, QUESTION)
    error = caught.value
    assert reason in error.reason and hint in error.hint
    assert (error.text, error.column) == (text, caret)


def test_two_readings_are_both_named() -> None:
    """Where h_1 is a name of its own and h exists at t = 1 too."""
    session = load("question").replace(
        equations=("h = tanh(u * x[t] + w * h[t-1])", "h1 = v * h", "E = squared_error(h1, y)"),
        parameters={"u": 0.8, "w": 0.6, "v": 1.0}, initial={"h": 0.1}, expected=None,
    )  # fmt: skip
    assert sketch(read_formula("h1 + h[1]", session)) == "(h1[1] + h[1])"
    with pytest.raises(FormulaError, match=r"h_\{1\} can be h\[1\] or h1\[1\]"):
        read_formula("h_{1}", session)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000, "dE/du=" + "(" * 9000, "dE/du=" + "[s_1" * 2000, "dE/du=1" + "/1" * 4000, "x" + "^1" * 4000,
        "dE/du=s_1" + "'" * 9000, "dE/du=" + "s_{" * 3000, "dE/du=" + "\\frac{" * 1500, "dE/du=" + "tanh " * 1900 + "1",
        "dE/du=" + "\\frac{dE/do}{" * 600, "dE/du=" + "Σ_t " * 2000, "dE/du=" + "us" * 90, "dE/du=" + "d" * 9000,
        "dE/du=" + "∂(" * 4000, "dE/du=" + "w[" * 4500, "dE/du=" + "e_{" * 2500 + "}" * 2400, "dE/du=s_" + "9" * 9000,
        "dE/du=" + "9" * 9000, "_" * 9999, "\\" * 9999, "dE/du=" + "\\mathrm{" * 1200,
    ],
)  # fmt: skip
def test_hostile_texts_return_at_once(text: str) -> None:
    """Depth and length end in an error, never in Python's stack; the error is short."""
    with pytest.raises(FormulaError) as caught:
        read(text, QUESTION)
    assert len(caught.value.reason) < 200


_PIECES = (
    r"dE / du ∂ ∂⁺ E u _1 _{ } _{t} [ ] ( ) { } 1 2. e 1e t - + * ** ^ ^T ' ′ .T ᵀ ² ⁻ ⁻¹ = == := ≈ \frac \partial "
    r"\left( \sum_t Σ ∏_{k=1}^{t} {t=0} ^{1} s s_1 s1 z q o w ws_0 x tanh f softmax diag outer( , ⊗ ⊙ @ 1_y "
    r"e_y I \mathrm{ \ $ & \begin{align} … .. ≤ | ₁ ₜ ₋₁ _ __ d y # \text{ \_ \prime \tag{1} sum_ prod_t sum_{k<=t} "
    r"√ _{s_{t}} [y] [0] ½ :"
).split(" ")


@settings(max_examples=600)
@given(st.sampled_from(["question", "vectors", "many-to-many", "lstm"]), st.lists(st.sampled_from(_PIECES)), st.text())
def test_any_text_reads_or_raises(session: str, pieces: list[str], anything: str) -> None:
    """Whatever is typed: a statement, or a FormulaError with a column inside the text."""
    for text in ("".join(pieces), "dE/du = " + "".join(pieces), anything, " ".join(pieces) + anything):
        try:
            read(text, SCOPES[session])
        except FormulaError as error:
            assert error.text == text and 0 <= error.column <= len(text)
