"""What a JSON decoder does not tell: nesting too deep, a name given twice, which value a character is in.

One pass over the text, before it is decoded. It knows brackets, strings and commas, nothing else, and never
fails on text that is not JSON: the decoder says that better. Runs of numbers are skipped at the speed of a
regular expression, so ten megabytes of weights cost a fraction of a second.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from bptt_tui.errors import SessionError

# The format needs 6 levels; a decoder gives up, in its own way, near a thousand.
MAX_DEPTH = 32

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_IN_OBJECT = re.compile(rf"{_STRING}|[{{}}\[\],]|[^\"{{}}\[\],]+", re.DOTALL)
_IN_LIST = re.compile(rf"{_STRING}|[{{}}\[\]]|[^\"{{}}\[\]]+", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*")


class _Open(Struct):
    """A bracket not yet closed: the names seen, or the index reached."""

    is_list: bool
    names: set[str] = field(default_factory=set)
    name: str | None = None
    name_due: bool = True
    index: int = 0


def check_structure(text: str) -> None:
    """Refuse text nested deeper than `MAX_DEPTH`, and objects with the same name twice, naming the place."""
    _walk(text, len(text))


def path_at(text: str, offset: int) -> str:
    """The JSON path of the value at `offset`: `parameters.w[1]`, or an empty string at the top."""
    return _path(_walk(text, offset))


def line_and_column(text: str, offset: int) -> str:
    """`line 3, column 14` of the character at `offset`, both counted from 1."""
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return f"line {line}, column {column}"


def join(path: str, name: str) -> str:
    """`path` extended by a field: `parameters.w`, or `parameters["a b"]` where the name is no plain word."""
    if not _NAME.fullmatch(name):
        import json

        return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
    return f"{path}.{name}" if path else name


def _walk(text: str, stop: int) -> list[_Open]:
    """The brackets open at `stop`."""
    stack: list[_Open] = []
    offset = 0
    while offset < stop:
        top = stack[-1] if stack else None
        match = (_IN_LIST if top is None or top.is_list else _IN_OBJECT).match(text, offset)
        if match is None or match.end() > stop:  # a string without its closing quote, or the run that holds `stop`
            if match is not None and top is not None and top.is_list:
                top.index += text.count(",", offset, stop) if text[offset] != '"' else 0
            break
        token = text[offset]
        if token in "{[":
            if len(stack) == MAX_DEPTH:
                raise SessionError(f"nested more than {MAX_DEPTH} levels deep", places=(line_and_column(text, offset),))
            stack.append(_Open(is_list=token == "["))
        elif token in "}]":
            if stack:
                stack.pop()
        elif top is not None and top.is_list:
            top.index += match.group().count(",") if token != '"' else 0
        elif top is not None:
            _in_object(text, offset, match.group(), stack)
        offset = match.end()
    return stack


def _in_object(text: str, offset: int, token: str, stack: list[_Open]) -> None:
    """A comma makes the next string a name; a name must be new."""
    top = stack[-1]
    if token == ",":
        top.name, top.name_due = None, True
    elif token[0] == '"' and top.name_due:
        name = _unquoted(token)
        top.name, top.name_due = name, False
        if name in top.names:
            raise SessionError(
                "this name is given twice",
                hint="keep one of the two",
                places=(_path(stack), line_and_column(text, offset)),
            )
        top.names.add(name)


def _unquoted(token: str) -> str:
    # "\u0061" and "a" are the same name; an escape that is wrong is left for the decoder to report.
    if "\\" not in token:
        return token[1:-1]
    import json  # for this alone; documents are decoded by msgspec

    try:
        return str(json.loads(token))
    except ValueError:
        return token[1:-1]


def _path(stack: list[_Open]) -> str:
    path = ""
    for level in stack:
        if level.is_list:
            path += f"[{level.index}]"
        elif level.name is not None:
            path = join(path, level.name)
    return path
