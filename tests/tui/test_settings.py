"""A user's settings: read strictly, remembered atomically, and printed so that they can be saved."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from opening import opened

from bptt_tui.tui.bindings import BINDING_TABLE
from bptt_tui.tui.settings import Settings, SettingsError, describe, load_settings, remember_theme, settings_path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def write(text: str) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(text, encoding="utf-8")


def test_without_a_file_nothing_is_set():
    """A first start needs no settings."""
    assert load_settings() == Settings()


def test_theme_and_keys_are_read():
    """The two things there are to set."""
    write('theme = "textual-light"\n[keymap]\n"step.next" = "j"\n')
    assert load_settings() == Settings("textual-light", {"step.next": "j"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colour = "red"', ": unknown field `colour`"),
        ("theme = 3", "Expected `str`, got `int` - at `$.theme`"),
        ("theme = ", "Invalid value"),
        ('[keymap]\n"step.nxt" = "j"', "there is no binding 'step.nxt'; did you mean 'step.next'?"),
        ('[keymap]\n"step.next" = ""', "names no key"),
        ("\x00", ""),
    ],
)
def test_a_mistake_names_the_file_and_the_place(text: str, said: str):
    """One line, with what would be right."""
    write(text)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).startswith(str(settings_path()))
    assert said in str(error.value)


def test_a_file_that_is_no_text_is_refused():
    """Bytes that are not UTF-8, and a directory in the file's place."""
    settings_path().parent.mkdir(parents=True)
    settings_path().write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError):
        load_settings()
    settings_path().unlink()
    settings_path().mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings()


def test_the_theme_chosen_last_is_remembered():
    """What the user wrote wins over what was remembered."""
    remember_theme("nord")
    assert load_settings().theme == "nord"
    write('theme = "gruvbox"')
    assert load_settings().theme == "gruvbox"
    assert not [path for path in settings_path().parent.iterdir() if path.suffix == ".tmp"]


def test_a_spoilt_memory_is_no_trouble():
    """The program's own file may be damaged; it then remembers nothing."""
    settings_path().parent.mkdir(parents=True)
    settings_path().with_name("remembered.json").write_text("{", encoding="utf-8")
    assert load_settings().theme == ""


def test_remembering_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The choice then holds for this time only."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(blocked))
    remember_theme("nord")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_settings().theme == ""


def test_what_is_printed_is_a_settings_file():
    """`bptt-tui config` prints every binding with its keys, and reads back as the same settings."""
    shown = describe(Settings("nord", {"step.next": "j"}))
    read = tomllib.loads(shown)
    assert read["theme"] == "nord"
    assert read["keymap"] == {row.id: row.keys for row in BINDING_TABLE} | {"step.next": "j"}


async def test_a_keymap_swaps_two_keys():
    """`n` rewinds and `p` goes on, where the user says so."""
    async with opened(at=5) as debugger:
        debugger.app.set_keymap({"step.next": "p", "step.rewind": "n"})
        await debugger.press("p", "p", "n")
        assert debugger.view.position == 6


async def test_a_theme_that_is_chosen_is_handed_on():
    """The app tells which theme was chosen; `run` remembers it."""
    chosen = []
    async with opened() as debugger:
        debugger.app.on_theme_chosen = chosen.append
        debugger.app.theme = "nord"
        await debugger.pilot.pause()
    assert chosen == ["nord"]
