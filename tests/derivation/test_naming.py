"""How nodes, uses, totals and partials are called."""

from __future__ import annotations

from bptt_tui.derivation.naming import Naming
from bptt_tui.language import Name
from bptt_tui.session import load


def test_a_node_that_exists_once_needs_no_index() -> None:
    """q, o and E in a many-to-one network, as on paper; s₁ and u₁ keep theirs."""
    naming = Naming(load("question").trace().unrolled)
    assert [naming.node(name, 1) for name in ("s", "z", "q", "o", "E")] == ["s₁", "z₁", "q", "o", "E"]
    assert (naming.use("u", 1), naming.use("v", 1), naming.total()) == ("u₁", "v₁", "E")
    assert naming.node("s", -1) == "s₋₁"
    assert naming.partial(naming.total(), naming.node("s", 0)) == "∂E/∂s₀"


def test_with_a_loss_at_every_step_each_has_its_index_and_the_total_none() -> None:
    """E₁ is one loss, E their total."""
    naming = Naming(load("many-to-many").trace().unrolled)
    assert (naming.node("E", 1), naming.node("q", 0), naming.total()) == ("E₁", "q₀", "E")


def test_styles() -> None:
    """The same name in plain text, Unicode and LaTeX."""
    naming = Naming(load("question").trace().unrolled)
    assert [naming.node("s", 1, style) for style in ("plain", "unicode", "latex")] == ["s[1]", "s₁", "s_{1}"]


def test_an_equations_names_at_a_timestep() -> None:
    """s[t-1] in the equation at t = 1 is s₀; parameters and constants stay bare."""
    leaf = Naming(load("question").trace().unrolled).leaf(1)
    assert [leaf(name) for name in (Name("s", -1), Name("s", -2), Name("x", 0), Name("x"), Name("w"), Name("y"))] == [
        "s₀", "s₋₁", "x₁", "x₁", "w", "y",
    ]  # fmt: skip


def test_a_node_that_exists_once_but_is_read_earlier_keeps_its_index() -> None:
    """One timestep of s and its initial value: s₀ and s₋₁ must not look the same."""
    session = load("question").replace(inputs={"x": [0.5]}, expected=None)
    naming = Naming(session.trace().unrolled)
    assert (naming.node("s", 0), naming.node("s", -1), naming.node("z", 0)) == ("s₀", "s₋₁", "z")
