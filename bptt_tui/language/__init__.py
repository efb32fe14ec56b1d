"""Text ↔ expression trees: read equations, print them as plain text, Unicode or LaTeX, with errors that point.

>>> from bptt_tui.language import parse_equation
>>> parse_equation("s = tanh(z)").target
's'
"""

from bptt_tui.language.expressions import Call, Equation, Expression, Name, Number, calls, names, operands, substitute
from bptt_tui.language.labels import label
from bptt_tui.language.parser import parse_equation, parse_expression
from bptt_tui.language.printer import Notation, Printer
from bptt_tui.language.sanitise import visible

__all__ = [
    "Call",
    "Equation",
    "Expression",
    "Name",
    "Notation",
    "Number",
    "Printer",
    "calls",
    "label",
    "names",
    "operands",
    "parse_equation",
    "parse_expression",
    "substitute",
    "visible",
]
