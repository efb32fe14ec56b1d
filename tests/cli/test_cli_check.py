"""`bptt-tui check`: the verdict first, then why; exit 0 right, 1 not right, 2 unreadable."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from bptt_tui.cli.commands import complete_formula

Run = Callable[..., tuple[int, str, str]]

# What the learner wrote, as it was printed.
LEARNER = [
    r"\partial E/\partial u = \partial E/\partial u_1 + \partial E/\partial u_0",
    r"\partial E/\partial u_1 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1"
    r" * \partial s_1/\partial z_1 * \partial z_1/\partial a_1 * \partial a_1/\partial u_1",
    r"\partial E/\partial u_0 = \partial E/\partial o * \partial o/\partial q * \partial q/\partial s_1"
    r" * \partial s_1/\partial z_1 * \partial z_1/\partial b_1 * \partial b_1/\partial s_0 * \partial s_0/dz_0"
    r" * \partial z_0/\partial a_0 * \partial a_0/\partial u_0",
    r"\partial E/\partial u = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1"
    r" * (x_1 + w_1 * \partial s_0/\partial z_0 * x_0)",
    r"\partial E/\partial w = \partial E/\partial o * \partial o/\partial q * v_1 * \partial s_1/\partial z_1"
    r" * (s_0 + w_1 * \partial s_0/\partial z_0 * s_{-1})",
]
# What the answer wrote.
ANSWER = [
    rf"\dfrac{{\partial{{L}}}}{{\partial{{{p}}}}}=\sum_t \dfrac{{\partial{{L}}}}{{\partial{{{p}_t}}}} = "
    rf"\dfrac{{\partial L}}{{\partial o}} \dfrac{{\partial o}}{{\partial s_1}} \dfrac{{\partial s_1}}{{\partial {p}_1}}"
    rf"+\dfrac{{\partial L}}{{\partial o}} \dfrac{{\partial o}}{{\partial s_1}}"
    rf"\dfrac{{\partial s_1}}{{\partial s_0}}\dfrac{{\partial s_0}}{{\partial {p}_0}}"
    for p in "uw"
]
WRONG = "dE/dw = dE/ds_1 * ds_1/dz_1 * s_0"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], None]:
    """Put a text on standard input."""

    def give(text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return give


@pytest.mark.parametrize("session", ["question", "question-sigmoid"])
@pytest.mark.parametrize("number", range(5))
def test_the_five_of_the_learner_are_right(run: Run, session: str, number: int) -> None:
    """With tanh and with sigmoid."""
    status, out, err = run("check", session, LEARNER[number])
    assert (status, err) == (0, "")
    assert out.startswith("✓ right: ")
    assert "✗" not in out and "missing" not in out


@pytest.mark.parametrize("number", range(2))
def test_the_two_of_the_answer_are_right_and_the_reading_is_named(run: Run, number: int) -> None:
    """∂s₁/∂u₁ is the use at t = 1 alone, with s₀ held."""
    status, out, _ = run("check", "question", ANSWER[number])
    assert status == 0
    assert out.startswith("✓ right: ")
    assert f"reading: ∂s₁/∂{'uw'[number]}₁ with s₀ held" in out


def test_the_comment_under_the_answer_is_wrong(run: Run) -> None:
    """∂s₁/∂s₀ = w leaves the slope out, and that is said."""
    status, out, _ = run("check", "question", r"\partial s_1/\partial s_0 = w")
    assert status == 1
    assert out.startswith("✗ wrong: ")
    assert "○ ∂s₁/∂z₁ = 1 − s₁² is missing" in out


def test_what_is_wrong_is_shown_beside_what_is_due(run: Run) -> None:
    """Verdict, formula, how it was read, a row for every contribution, the sum."""
    status, out, _ = run("check", "question", WRONG)
    lines = out.splitlines()
    assert status == 1
    assert lines[0].startswith("✗ wrong: ") and WRONG in lines
    assert "  read as: ∂E/∂w = ∂E/∂s₁·∂s₁/∂z₁·s₀" in lines
    assert ["✓", "∂E/∂w₁", "-0.555232", "-0.555232", "∂E/∂s₁·∂s₁/∂z₁·s₀"] in [line.split() for line in lines]
    assert ["○", "∂E/∂w₀", "-0.138979", "–"] in [line.split() for line in lines]
    assert ["Σ", "∂E/∂w", "-0.694212", "-0.555232"] in [line.split() for line in lines]


def test_a_coincidence_and_shapes_are_not_right_either(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Exit 1, each with its own word."""
    from bptt_tui.session import load

    path = tmp_path_factory.mktemp("check") / "zero.json"
    load("question").replace(initial={"s": 0.0}, expected=None).save(path)
    status, out, _ = run("check", str(path), WRONG)
    assert status == 1 and out.startswith("≈ coincidence: ") and "s₋₁ = 0" in out
    status, out, _ = run("check", "vectors", "dE/dU_1 = dE/dz_1 @ x_1")
    assert status == 1 and out.startswith("⊠ shapes: ")


@pytest.mark.parametrize(
    ("formula", "line", "caret"),
    [
        ("dE/dw = * w", "column 9: unexpected '*'", "          ^"),
        ("dE/dw =", "column 8: nothing follows the last '='", "         ^"),
        ("dE/dw = foo", "column 9: there is no 'foo' in the network", "          ^"),
    ],
)
def test_an_unreadable_formula_is_exit_2_with_its_place(run: Run, formula: str, line: str, caret: str) -> None:
    """One line with place and reason, then the formula with a caret; nothing on stdout."""
    status, out, err = run("check", "question", formula)
    first, shown, under = err.splitlines()
    assert (status, out) == (2, "")
    assert first.startswith(f"bptt-tui: formula: {line}")
    assert (shown, under) == (f"  {formula}", caret)


def test_what_else_cannot_be_used_is_exit_2(run: Run) -> None:
    for arguments in (("nowhere.json", WRONG), ("question", ""), ("question",), ("question", "dE/dw", "=", "w")):
        status, out, err = run("check", *arguments)
        assert (status, out) == (2, "")
        assert err.startswith("bptt-tui: ") and err.count("\n") == 1
    status, out, err = run("check", "question", "dE/dw = " + "w * " * 6000 + "w")
    assert (status, out) == (2, "")
    assert "at most 20000 characters" in err and all(len(line) < 200 for line in err.splitlines())


def test_a_formula_that_begins_with_a_minus_is_given_behind_two(run: Run) -> None:
    status, _, err = run("check", "question", "--", "-dE/dw = w")
    assert status == 2 and "the left side -dE/dw is not a partial" in err
    status, _, err = run("check", "question", "-dE/dw = w")
    assert status == 2 and "no such option" in err


def test_control_characters_do_not_reach_the_terminal(run: Run) -> None:
    for formula in ("dE/dw = \x1b]0;x\x07", "dE/dw\u202e = w"):
        status, out, err = run("check", "question", formula)
        assert status == 2 and "\x1b" not in out + err and "\u202e" not in out + err
        assert "\\x1b" in err or "\\u202e" in err


def test_formulas_from_standard_input(run: Run, given: Callable[[str], None]) -> None:
    """One a line; remarks and empty lines are passed over. 1 when one is not right, 2 when one cannot be read."""
    given("# of the learner\n" + "\n\n".join(LEARNER) + "\n")
    status, out, err = run("check", "question", "-")
    assert (status, err) == (0, "")
    assert out.count("✓ right: ") == 5
    given(f"{LEARNER[0]}\n{WRONG}\n")
    status, out, _ = run("check", "question", "-")
    assert status == 1 and "✓ right: " in out and "✗ wrong: " in out
    given(f"{WRONG}\ndE/dw = * w\n{LEARNER[0]}")
    status, out, err = run("check", "question", "-")
    assert status == 2 and "✗ wrong: " in out and "✓ right: " in out
    assert err.splitlines()[0].startswith("bptt-tui: -: line 2: column 9: unexpected '*'")


def test_standard_input_that_holds_no_formula(run: Run, given: Callable[[str | bytes], None]) -> None:
    for text, said in (("", "there is no formula to check"), (b"\xff\xfe", "not UTF-8")):
        given(text)
        status, out, err = run("check", "question", "-")
        assert (status, out) == (2, "") and said in err


def test_as_json(run: Run, given: Callable[[str], None]) -> None:
    """One object for one formula, a list for standard input; exit status as ever."""
    status, out, _ = run("check", "question", WRONG, "--format", "json")
    document = json.loads(out)
    assert status == 1
    assert (document["outcome"], document["holds"], document["formula"]) == ("wrong", False, WRONG)
    terms = {term["of"]: term for term in document["members"][0]["terms"]}
    assert terms["∂E/∂w₁"]["outcome"] == "right" and terms["∂E/∂w₀"]["outcome"] == "missing"
    assert terms["∂E/∂w₀"]["due"] == pytest.approx(-0.13897948517449155, rel=1e-12)
    given(f"{LEARNER[0]}\ndE/dw = * w")
    status, out, _ = run("check", "question", "--format", "json", "-")
    right, unreadable = json.loads(out)
    assert status == 2 and right["holds"]
    assert (unreadable["outcome"], unreadable["column"]) == ("unreadable", 9)
    assert run("check", "question", "dE/dw = * w", "--format", "json")[:2] == (2, "")


def test_the_left_sides_complete() -> None:
    """In a shell: the parameters of the session that was named."""
    context = SimpleNamespace(params={"session": "question"})
    found = complete_formula(context, None, "dE/d")  # type: ignore[arg-type]
    assert [item.value for item in found] == ["dE/du", "dE/dw", "dE/dv"]
    context.params["session"] = "nowhere.json"
    assert complete_formula(context, None, "") == []  # type: ignore[arg-type]
