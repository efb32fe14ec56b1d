"""How often a planted mistake is found, placed and named, and whether a true derivation is ever called wrong.

    python tests/benchmarks/planted.py --networks 20 --show 3

From every network come true derivations in several dialects, and from each of those mistakes in one factor: dropped,
doubled, exchanged with its neighbour, transposed, or shifted by one timestep. A change that makes no difference at
random draws of all values is no mistake and is left out; one that only takes a row for a column, or is true in another
layout of gradients, is counted apart ("layout"). The judge is asked about all of them:

    judged right       mistakes called right: must be none
    located            the wrong term is called wrong, and no other
    named              a slip with the mistake's name is among those told
    judged wrong       true derivations not called right: must be none
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.derivations import Derivation, Known, derivations
from benchmarks.learners import random_session

from bptt_tui.derivation.formulas import tree as f
from bptt_tui.derivation.formulas.parts import bare, children
from bptt_tui.derivation.formulas.reader import read
from bptt_tui.errors import FormulaError
from bptt_tui.language.labels import Style
from bptt_tui.session import Session, load

BUNDLED = (
    "question", "question-sigmoid", "answer", "product-slip", "many-to-many", "vectors", "lesson-sum", "lesson-softmax",
    "two-layers",
)  # fmt: skip
STYLES: tuple[Style, ...] = ("unicode", "plain", "latex")
# Slips that name a mistake. A change of one factor can often be told in more than one right way.
NAMES: dict[str, frozenset[str]] = {
    "drop": frozenset(
        "factor missing,slope missing,weight missing,total for immediate,elementwise,softmax diagonal,softmax twice,"
        "factor wrong,outer product turned".split(",")
    ),
    "double": frozenset("factor doubled,factor extra,softmax twice,use twice".split(",")),
    "swap": frozenset("order,transposed,outer product turned,factor wrong".split(",")),
    "transpose": frozenset("transposed,order,outer product turned".split(",")),
    "shift": frozenset("index off by one,other timestep,factor wrong".split(",")),
}
Path = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A formula as text, and the truth about it: `kind` is "" for a true one, `branch` the place of the wrong term.

    `branch` is None where the change is in a factor that all terms share; `names` are the slips that would be right.
    """

    session: Session
    text: str
    dialect: str
    kind: str = ""
    branch: tuple[int, int] | None = None
    names: frozenset[str] = frozenset()


# --- planting --------------------------------------------------------------------------------------------------------


def part_at(formula: f.Formula, path: Path) -> f.Formula:
    for step in path:
        formula = children(formula)[step]
    return formula


def with_part(formula: f.Formula, path: Path, part: f.Formula) -> f.Formula:
    """The formula with another part at a path."""
    if not path:
        return part
    own = list(children(formula))
    own[path[0]] = with_part(own[path[0]], path[1:], part)
    return _of_parts(formula, own)


def _of_parts(formula: f.Formula, parts: list[f.Formula]) -> f.Formula:
    match formula:
        case f.Add():
            return f.Add(terms=tuple(parts))
        case f.Multiply(joins=joins):
            return f.Multiply(factors=tuple(parts), joins=joins)
        case f.Negate():
            return f.Negate(operand=parts[0])
        case f.Transpose():
            return f.Transpose(operand=parts[0])
        case f.Sum(variable=variable, first=first, last=last):
            return f.Sum(variable=variable, body=parts[0], first=first, last=last)
        case f.Call(function=function):
            return f.Call(function=function, arguments=tuple(parts))
        case f.Divide():
            return f.Divide(top=parts[0], bottom=parts[1])
        case f.Partial(reading=reading):
            above, below = parts
            assert isinstance(above, f.Value) and isinstance(below, f.Value)
            return f.Partial(above=above, below=below, reading=reading)
        case f.Power():
            return f.Power(base=parts[0], exponent=parts[1])
    raise AssertionError(formula)


def one_thing(formula: f.Formula) -> bool:
    """Whether a sum is one factor, 1 − s² or diag(o) − o·oᵀ, not several terms of a derivation."""
    return isinstance(formula, f.Add) and any(isinstance(t, f.Number | f.Call) for t in formula.terms)


def products(formula: f.Formula, path: Path = ()) -> Iterator[Path]:
    """The paths to the products whose factors are links of chains."""
    if isinstance(formula, f.Multiply) and "elementwise" not in formula.joins:
        yield path
    if one_thing(formula) or isinstance(formula, f.Divide | f.Power):
        return
    for step, part in enumerate(children(formula)):
        if isinstance(part, f.Add | f.Multiply | f.Negate | f.Transpose | f.Sum) or (
            isinstance(part, f.Call) and part.function == "outer"
        ):
            yield from products(part, (*path, step))


def branch_of(formula: f.Formula, path: Path) -> Path | None:
    """The path to the innermost term of a sum that holds what is at `path`; None where all terms share it."""
    found: Path | None = None
    part = formula
    for place, step in enumerate(path):
        if isinstance(part, f.Add) and not one_thing(part):
            found = path[: place + 1]
        part = children(part)[step]
    return found


def dropped(product: f.Multiply, place: int, _rng: np.random.Generator) -> f.Formula | None:
    rest = [*product.factors[:place], *product.factors[place + 1 :]]
    return rest[0] if len(rest) == 1 else f.Multiply(factors=tuple(rest), joins=product.joins[1:])


def doubled(product: f.Multiply, place: int, _rng: np.random.Generator) -> f.Formula | None:
    factors = (*product.factors[: place + 1], *product.factors[place:])
    return f.Multiply(factors=factors, joins=(*product.joins, "as it fits"))


def swapped(product: f.Multiply, place: int, _rng: np.random.Generator) -> f.Formula | None:
    factors = list(product.factors)
    if place + 1 >= len(factors):
        return None
    factors[place : place + 2] = factors[place + 1], factors[place]
    return f.Multiply(factors=tuple(factors), joins=product.joins)


def transposed(product: f.Multiply, place: int, _rng: np.random.Generator) -> f.Formula | None:
    factors = list(product.factors)
    factor = factors[place]
    factors[place] = factor.operand if isinstance(factor, f.Transpose) else f.Transpose(operand=factor)
    return f.Multiply(factors=tuple(factors), joins=product.joins)


def shifted(product: f.Multiply, place: int, rng: np.random.Generator) -> f.Formula | None:
    """One index of the factor, one timestep off; both of a partial's where there are two."""
    by = int(rng.choice([-1, 1]))
    factor = product.factors[place]

    def move(value: f.Value) -> f.Value:
        if value.t is None:
            return value
        return f.Value(name=value.name, t=f.Moment(value.t.offset + by, value.t.variable))

    def everywhere(part: f.Formula) -> f.Formula:
        if isinstance(part, f.Value):
            return move(part)
        return _of_parts(part, list(map(everywhere, children(part)))) if children(part) else part

    if isinstance(factor, f.Partial):
        both = int(rng.integers(3))
        above = move(factor.above) if both != 1 else factor.above
        below = move(factor.below) if both != 2 else factor.below
        changed: f.Formula = f.Partial(above=above, below=below, reading=factor.reading)
    else:
        changed = everywhere(factor)
    if changed == factor:
        return None
    factors = [*product.factors[:place], changed, *product.factors[place + 1 :]]
    return f.Multiply(factors=tuple(factors), joins=product.joins)


PLANTS: dict[str, Callable[[f.Multiply, int, np.random.Generator], f.Formula | None]] = {
    "drop": dropped,
    "double": doubled,
    "swap": swapped,
    "transpose": transposed,
    "shift": shifted,
}


def planted(known: Known, derivation: Derivation, rng: np.random.Generator, tries: int = 4) -> Iterator[Case]:
    """Mistakes in a derivation, at most one of every kind."""
    paths = list(products(derivation.member))
    if not paths:
        return
    for kind, plant in PLANTS.items():
        for _ in range(tries):
            path = paths[int(rng.integers(len(paths)))]
            product = part_at(derivation.member, path)
            assert isinstance(product, f.Multiply)
            place = int(rng.integers(len(product.factors)))
            factor = product.factors[place]
            if isinstance(factor, f.Add) and not one_thing(factor):
                continue  # terms in a bracket are not one factor
            changed = plant(product, place, rng)
            if changed is None:
                continue
            member = with_part(derivation.member, path, changed)
            case = written(known, derivation, member, rng, kind, branch_of(member, path))
            if case is not None:
                yield case
                break


def written(
    known: Known,
    derivation: Derivation,
    member: f.Formula,
    rng: np.random.Generator,
    kind: str = "",
    branch: Path | None = None,
) -> Case | None:
    """The case of a member; None where it cannot be read, or where it is no mistake though it should be one."""
    writer = known.writer(STYLES[int(rng.integers(len(STYLES)))])
    text = " = ".join(writer.write(formula, marked=_marked(member)) for formula in (derivation.left, member))
    try:
        statement = read(text, known.scope)
    except FormulaError:
        return None  # there is no such timestep
    if bare(statement.members[1]) != bare(member):
        return None  # what was meant as a timestep reads as an entry: o₀
    if kind and known.holds(derivation.left, member):
        return None
    if kind and known.holds_loosely(derivation.left, member):
        kind = "layout"
    span = None if branch is None else part_at(statement.members[1], branch).span
    return Case(known.session, text, derivation.dialect, kind, span, NAMES.get(kind, frozenset()))


def _marked(formula: f.Formula) -> bool:
    return (isinstance(formula, f.Partial) and bool(formula.reading)) or any(map(_marked, children(formula)))


def sessions(networks: int) -> Iterator[Session]:
    """The bundled networks, then random ones."""
    for name in BUNDLED:
        yield load(name)
    for seed in range(networks):
        yield random_session(seed, vectors=False)
        yield random_session(seed, vectors=True)


def cases(networks: int, seed: int = 0) -> Iterator[Case]:
    """True derivations and planted mistakes, network by network."""
    for number, session in enumerate(sessions(networks)):
        rng = np.random.default_rng([seed, number])
        known = Known(session)
        for derivation in derivations(session, int(rng.integers(2**31)), known):
            true = written(known, derivation, derivation.member, rng)
            assert true is not None
            yield true
            yield from planted(known, derivation, rng)


# --- judging ---------------------------------------------------------------------------------------------------------


def located(case: Case, verdict: Any) -> bool:
    """Whether the term with the mistake is called wrong, and every other right."""
    terms = [term for term in verdict.members[-1].terms if term.span is not None]
    wrong = [term for term in terms if term.outcome != "right"]
    if case.branch is None:
        return bool(wrong) and len(wrong) == len(terms)
    start, end = case.branch
    inside = [term.span[0] < end and term.span[1] > start for term in wrong]
    others = [term for term in terms if term.outcome == "right" and start <= term.span[0] and term.span[1] <= end]
    return bool(wrong) and all(inside) and not others


def named(case: Case, verdict: Any) -> bool:
    """Whether a slip of the mistake's name is told."""
    return any(slip.kind in case.names for member in verdict.members for slip in member.slips)


def measure(networks: int, show: int, seed: int) -> bool:
    """Judge everything and print the figures; whether nothing was judged the wrong way round."""
    from bptt_tui.derivation.judging.judge import judge

    counts: dict[str, Counter[str]] = defaultdict(Counter)
    shown: Counter[str] = Counter()
    began = time.perf_counter()

    def tell(what: str, case: Case, verdict: Any) -> None:
        shown[what] += 1
        if shown[what] <= show:
            print(f"{what}: {case.session.name} · {case.dialect} · {case.kind or 'true'}\n    {case.text}")
            print(f"    {getattr(verdict, 'sentence', verdict)}")
            print(f"    slips: {', '.join(s.kind for m in getattr(verdict, 'members', ()) for s in m.slips) or 'none'}")

    for case in cases(networks, seed):
        kind = case.kind or "true"
        for key in (kind, f"  {case.dialect}") if not case.kind else (kind,):
            counts[key]["all"] += 1
        try:
            verdict = judge(case.session, case.text)
        except FormulaError as error:
            # A timestep that does not exist, found inside a sum; a true formula must not be refused.
            counts[kind]["refused"] += 1
            counts[kind]["all"] -= bool(case.kind)
            tell("refused", case, error)
            continue
        except Exception as error:
            counts[kind]["failed"] += 1
            tell("failed", case, repr(error))
            continue
        if not case.kind:
            for key in (kind, f"  {case.dialect}"):
                counts[key]["right"] += verdict.outcome == "right"
            if verdict.outcome != "right":
                tell("judged wrong", case, verdict)
            continue
        if verdict.outcome == "right":
            counts[kind]["right"] += 1
            if kind != "layout":
                tell("judged right", case, verdict)
        if verdict.outcome == "right" or kind == "layout":
            continue
        for figure, test in (("located", located), ("named", named)):
            holds = test(case, verdict)
            counts[kind][figure] += holds
            if not holds:
                tell(f"not {figure}", case, verdict)
    return _printed(counts, time.perf_counter() - began)


def _printed(counts: dict[str, Counter[str]], seconds: float) -> bool:
    true = counts["true"]
    print(f"\ntrue derivations       {true['all']:6d}   judged wrong {true['all'] - true['right']}")
    for key in sorted(key for key in counts if key.startswith("  ")):
        print(f"{key:22} {counts[key]['all']:6d}   judged wrong {counts[key]['all'] - counts[key]['right']}")
    total: Counter[str] = sum((counts[kind] for kind in PLANTS), Counter())
    print(f"{'layout':22} {counts['layout']['all']:6d}   judged right {counts['layout']['right']}")
    for kind, count in [*((kind, counts[kind]) for kind in PLANTS), ("planted mistakes", total)]:
        whole = max(count["all"], 1)
        print(
            f"{kind:22} {count['all']:6d}   judged right {count['right']}   "
            f"located {100 * count['located'] / whole:5.1f} %   named {100 * count['named'] / whole:5.1f} %   "
            f"refused {count['refused']}   failed {count['failed']}"
        )
    print(f"{seconds:.0f} s, {1000 * seconds / max(true['all'] + total['all'], 1):.1f} ms each, planting included")
    return true["all"] == true["right"] and not total["right"] and not total["failed"]


def main() -> int:
    """0 where no mistake was judged right and nothing true wrong."""
    parser = argparse.ArgumentParser(description="how planted mistakes are judged")
    parser.add_argument("--networks", type=int, default=20, help="random networks of either kind")
    parser.add_argument("--show", type=int, default=0, help="how many of each failure to print")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    return 0 if measure(given.networks, given.show, given.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
