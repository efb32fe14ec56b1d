"""The mistakes that people make in derivations, by name, and how each is said.

`SLIPS` is the table: a key, a title, and a sentence with the names of the formula put in. Which slip a wrong term shows
is decided in `diagnosis`.
"""

from __future__ import annotations

from typing import NamedTuple

from bptt_tui.derivation.judging.verdict import Slip


class Wording(NamedTuple):
    """How a slip is put: a title, and a sentence with the names of the formula left open."""

    title: str
    sentence: str


SLIPS: dict[str, Wording] = {
    "slope missing": Wording(
        "the slope f′ left out",
        "{where}the slope {due} is missing: {above} = {function}({below}), so it changes f′ times as much as {inside}",
    ),
    "slopes missing": Wording(
        "the slopes left out",
        "{where}the slopes {due} are missing: every step from {above} to {below} has a slope of its own",
    ),
    "weight missing": Wording(
        "the recurrent weight left out",
        "{where}{due} is missing: it belongs there, as the way by which {below} reaches the loss",
    ),
    "factor missing": Wording("a factor left out", "{where}the factor {due} is missing"),
    "factors missing": Wording("two factors left out", "{where}the factors {due} and {second} are missing"),
    "factor extra": Wording("a factor too many", "{where}the factor {written} does not belong"),
    "factors extra": Wording("two factors too many", "{where}the factors {written} and {second} do not belong"),
    "factor doubled": Wording("a factor taken twice", "{where}the factor {written} stands twice"),
    "factor wrong": Wording("a wrong factor", "{where}{written} stands where {due} belongs"),
    "other timestep": Wording(
        "a factor of another timestep", "{where}{written} is of another timestep: {due} belongs there"
    ),
    "index off by one": Wording(
        "an index off by one", "{where}{written} stands where {due} belongs: the index is off by {shift}"
    ),
    "weights missing": Wording(
        "the recurrent weights left out", "{where}the weight is missing at every step from {above} to {below}: {due}"
    ),
    "one step for all": Wording(
        "one step for all of them",
        "{where}the steps from {above} to {below} are not alike, each has its own slope: {due}",
    ),
    "steps shifted": Wording(
        "an index off by one",
        "{where}every step from {above} to {below} has the factors of the timestep {side} it: {due}",
    ),
    "steps transposed": Wording(
        "a matrix for its transpose",
        "{where}the weight should be transposed at every step from {above} to {below}: {due}",
    ),
    "steps turned": Wording(
        "the order of a product", "{where}the order is wrong at every step from {above} to {below}: {due}"
    ),
    "steps bare": Wording(
        "the slopes left out",
        "{where}the slopes {due} are missing, and the weight should be transposed, everywhere from {above} to {below}",
    ),
    "power": Wording("a power too high or too low", "{where}{written} stands where {due} belongs: the power is {side}"),
    "sign": Wording("the wrong sign", "{where}the sign is wrong"),
    "loss sign": Wording("the sign of ∂E/∂o", "{where}the sign of {due} is wrong"),
    "transposed": Wording("a matrix for its transpose", "{where}{written} should be transposed"),
    "order": Wording("the order of a product", "{where}the order is wrong: {written} and {second} are exchanged"),
    "outer product turned": Wording(
        "an outer product the wrong way round",
        "{where}the outer product is the wrong way round: the left side is {shape}, the shape of {whole}",
    ),
    "elementwise": Wording(
        "entry by entry for a matrix product", "{where}{written} and {second} are multiplied {manner}"
    ),
    "diagonal": Wording(
        "a vector for its diagonal matrix",
        "{where}{written} is a vector; as a factor of a matrix it stands on a diagonal, {due}",
    ),
    "softmax diagonal": Wording(
        "softmax's derivative taken as diagonal",
        "{where}{written} is only a diagonal: {due}, for every output of softmax depends on every logit",
    ),
    "softmax twice": Wording(
        "softmax counted twice",
        "{where}{gap} is {whole} already, the derivative of {function} included: {written} counts it twice",
    ),
    "slopes swapped": Wording(
        "the slope of another function",
        "{where}{written} is the slope of {other}, but {above} = {function}({below}): {due}",
    ),
    "slope at z": Wording(
        "the slope of the wrong thing",
        "{where}{written} takes the value before {function} for the one after it: {due}",
    ),
    "slope at s": Wording(
        "the slope taken of the wrong thing",
        "{where}{written} takes {function} of what {function} has given already: {due}",
    ),
    "slope for value": Wording(
        "a value for its slope", "{where}{written} is the value, where its slope belongs: {due}"
    ),
    "bias": Wording("a bias's derivative is 1", "{where}{written} does not belong: the derivative by a bias is 1"),
    "doubled": Wording("a multiple", "{where}the value is {ratio} what it should be"),
    "mean for sum": Wording("a mean for the sum", "{where}the terms are added up, not averaged: there is no 1/{count}"),
    "sum for mean": Wording(
        "a sum for the mean", "{where}the loss is the mean over {count} steps: 1/{count} is missing"
    ),
    "product of sums": Wording(
        "a product of sums for a sum of products",
        "a product of sums multiplies every timestep with every other: one sum over the whole product is meant",
    ),
    "only the last step": Wording(
        "the sum over time forgotten",
        "only the last timestep is there: {missing} {verb} missing{way}",
    ),
    "only the deepest path": Wording(
        "only the deepest path", "only the first timestep is there: {missing} {verb} missing"
    ),
    "initial state": Wording(
        "the initial state forgotten",
        "the term {missing} is missing: the initial value {initial} is not 0 in general",
    ),
    "term missing": Wording("a term left out", "the term {missing} is missing"),
    "path missing": Wording("a path left out", "{where}the paths through {due} are missing"),
    "term extra": Wording("a term too many", "{where}the term {written} does not belong"),
    "use twice": Wording("a use counted twice", "the term {written} is counted twice"),
    "total for immediate": Wording(
        "a total where the immediate partial is meant",
        "{written} is the total derivative, through all earlier timesteps, and a sum over time counts those again: "
        "{due} is meant",
    ),
    "immediate for total": Wording(
        "an immediate partial where the total is meant",
        "{written} leaves out the paths through earlier timesteps: the total is meant",
    ),
}


def slip(kind: str, **names: str) -> Slip:
    """A slip with its sentence filled in."""
    return Slip(kind, SLIPS[kind].sentence.format(**{"where": "", **names}))
