"""A user's own keys and theme, from their configuration directory.

`settings.toml` is written by the user:

    theme = "textual-light"
    colours = "yellow-violet"   # of a gradient's sign; ctrl+p lists them

    [keymap]                    # ids as `bptt-tui config` and the help list them
    "step.next" = "n,right"
    "step.rewind" = "backspace"

`remembered.json` beside it is written by the program: the theme and the colours chosen last. What the user wrote wins.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec
from platformdirs import user_config_path

from bptt_tui.errors import BpttError
from bptt_tui.network.network import did_you_mean
from bptt_tui.tui.bindings import BINDING_TABLE
from bptt_tui.tui.colours import SCALES

SIZE_LIMIT = 1 << 20


class SettingsError(BpttError):
    """A settings file that cannot be read or used."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a user can set. `keymap` gives the keys of a binding's id, separated by commas, as Textual names them."""

    theme: str = ""
    keymap: dict[str, str] = {}
    colours: str = ""


class _Remembered(msgspec.Struct, frozen=True):
    theme: str = ""
    colours: str = ""


def settings_path() -> Path:
    """Where a user's settings are read from; XDG_CONFIG_HOME is respected."""
    return user_config_path("bptt-tui") / "settings.toml"


def load_settings() -> Settings:
    """The user's settings; none where there is no file. Raises SettingsError with file and place."""
    path = settings_path()
    try:
        data = _read(path)
        settings = msgspec.toml.decode(data, type=Settings) if data else Settings()
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error).removeprefix("Object contains ")  # unknown field `key`
        raise SettingsError(reason, places=(str(path),), hint="bptt-tui config shows what can be set") from None
    _check(settings, path)
    chosen = _remembered()
    return msgspec.structs.replace(
        settings, theme=settings.theme or chosen.theme, colours=settings.colours or chosen.colours
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", places=(str(path),)) from None
    if len(data) > SIZE_LIMIT:
        raise SettingsError("is larger than 1 MB", places=(str(path),), hint="settings are a few lines of TOML")
    return data


def _check(settings: Settings, path: Path) -> None:
    if settings.colours and settings.colours not in SCALES:
        hint = did_you_mean(settings.colours, list(SCALES)) or f"there are {', '.join(SCALES)}"
        raise SettingsError(f"there are no colours {settings.colours!r}", places=(str(path), "colours"), hint=hint)
    known = [row.id for row in BINDING_TABLE]
    for name, keys in settings.keymap.items():
        place = (str(path), f"keymap.{name}")
        if name not in known:
            hint = did_you_mean(name, known) or "bptt-tui config lists the ids"
            raise SettingsError(f"there is no binding {name!r}", places=place, hint=hint)
        if not all(key.strip() for key in keys.split(",")):
            raise SettingsError(f"{keys!r} names no key", places=place, hint='write keys as in "n,right"')


def _remembered() -> _Remembered:
    """What was chosen last; a file that cannot be read is no choice."""
    try:
        found = msgspec.json.decode(_read(settings_path().with_name("remembered.json")) or b"{}", type=_Remembered)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, SettingsError):
        return _Remembered()
    return found if found.colours in ("", *SCALES) else msgspec.structs.replace(found, colours="")


def remember_theme(name: str) -> None:
    """Keep a theme for the next time."""
    _remember(msgspec.structs.replace(_remembered(), theme=name))


def remember_colours(name: str) -> None:
    """Keep a scale of sign colours for the next time."""
    _remember(msgspec.structs.replace(_remembered(), colours=name))


def _remember(chosen: _Remembered) -> None:
    """Where nothing can be written the choice holds for this time only."""
    path = settings_path().with_name("remembered.json")
    temporary = path.with_name(f".remembered-{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(chosen))
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def describe(settings: Settings) -> str:
    """The settings in force as a settings file: what `bptt-tui config` prints, ready to be saved and changed."""
    lines = [f"# {settings_path()}", f"theme = {_quoted(settings.theme)}"]
    scales = ", ".join(SCALES)
    lines += [f"colours = {_quoted(settings.colours)}  # {scales}", "", "[keymap]"]
    width = max(len(_quoted(row.id)) for row in BINDING_TABLE)
    keys = {row.id: settings.keymap.get(row.id, row.keys) for row in BINDING_TABLE}
    values = max(len(_quoted(value)) for value in keys.values())
    for row in BINDING_TABLE:
        lines.append(f"{_quoted(row.id).ljust(width)} = {_quoted(keys[row.id]).ljust(values)}  # {row.tooltip}")
    return "\n".join(lines)


def _quoted(text: Any) -> str:
    """A TOML string."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
