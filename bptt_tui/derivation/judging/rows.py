"""What an alignment gives: a row for every term and every contribution without one, and how much is explained by it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from bptt_tui.derivation.judging.edits import Edit, Measured
from bptt_tui.derivation.judging.samples import Stack
from bptt_tui.derivation.judging.truth import Part

# A term too many explains less than a slip in one, where both would do.
EXTRA = 2.5

Fault = Literal["", "edit", "missing", "extra", "twice", "path", "open"]


class Row(Struct, frozen=True):
    """A term and its contribution. `fault` is "" where they agree; "open" where no reason was found.

    `product` is None for a missing term, `part` None for one that stands for nothing. `due` is what the term should be,
    everything else being right.
    """

    product: Measured | None
    part: Part | None
    fault: Fault
    due: Stack | None = None
    edit: Edit | None = None
    through: str = ""
    # The product that the change is of, where it is not the term itself but the whole member.
    source: Measured | None = None


class Alignment(Struct, frozen=True):
    """All rows, in the order of the terms, missing ones last. `cells`: the contributions are told apart by loss too."""

    rows: tuple[Row, ...]
    cells: bool = False

    @property
    def found(self) -> bool:
        """Whether every wrong row has a reason. A term too many beside one that is missing may be the same one."""
        faults = {row.fault for row in self.rows}
        return "open" not in faults and not {"extra", "missing"} <= faults

    @property
    def plain(self) -> bool:
        """Whether no reason is a factor I ⊗ xᵀ, which in another layout is xᵀ."""
        return not any(row.edit and row.edit.due and "⊗" in row.edit.due.equality for row in self.rows)

    @property
    def cost(self) -> tuple[int, int, float]:
        """How good an explanation this is: rows without a reason, wrong rows, what the changes cost."""
        wrong = [row for row in self.rows if row.fault]
        return (
            sum(row.fault == "open" for row in wrong),
            len(wrong),
            sum(row.edit.cost if row.edit else EXTRA if row.fault == "extra" else 1.0 for row in wrong),
        )
