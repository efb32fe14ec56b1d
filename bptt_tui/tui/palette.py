"""Textual's palette (ctrl+p) with everything the debugger can do: its keys, all commands, and where gradients' signs
get their colours.

A command that takes something opens the command line with its name; any other is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from bptt_tui.debugger.commands import COMMANDS
from bptt_tui.tui.bindings import BINDING_TABLE
from bptt_tui.tui.debugger_screen import DebuggerScreen
from bptt_tui.tui.keynames import keymap_of, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Offer(NamedTuple):
    """An entry: its name, what is said of it, the texts it is found by, and the action of the screen."""

    name: str
    help: str
    action: str


def offers(keymap: Mapping[str, str] = MappingProxyType({})) -> Iterator[Offer]:
    """Keys first, by their labels; then the commands that no key gives, with what they take."""
    from bptt_tui.tui.colours import SCALES

    for row in BINDING_TABLE:
        yield Offer(row.label, f"{row.tooltip}  ({keys_of(row, keymap)[0]})", row.bound)
    by_key = {row.command for row in BINDING_TABLE}
    for command in COMMANDS.values():
        takes = command.usage.removeprefix(command.name).strip()
        if takes:
            yield Offer(command.usage, command.summary, f"prompt({command.name + ' '!r})")
        elif command.name not in by_key:
            yield Offer(command.name, command.summary, f"command({command.name!r})")
    for scale in SCALES.values():
        yield Offer(f"colours: {scale.name}", scale.about, f"app.colours({scale.name!r})")


class DebuggerCommands(Provider):
    """Offers every key's action and every command by name."""

    def _run(self, action: str) -> Callable[[], Any]:
        return partial(self.screen.run_action, action)

    @property
    def _offers(self) -> Iterator[Offer]:
        """The debugger's keys and commands are its screen's; another screen has none of them."""
        return offers(keymap_of(self.app)) if isinstance(self.screen, DebuggerScreen) else iter(())

    async def discover(self) -> Hits:
        for offer in self._offers:
            yield DiscoveryHit(
                Content(offer.name), self._run(offer.action), text=offer.name, help=_shown(Content(offer.help))
            )

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for offer in self._offers:
            text = f"{offer.name} ({offer.help})"
            score, offsets = matcher.fuzzy_search.match(query, text)
            if score > 0:
                name, help = Content(offer.name), Content(offer.help)
                for offset in offsets:
                    behind = offset - len(offer.name) - len(" (")
                    if behind < 0:
                        name = name.stylize(matcher.match_style, offset, offset + 1)
                    else:
                        help = help.stylize(matcher.match_style, behind, behind + 1)
                yield Hit(score, name, self._run(offer.action), text=text, help=_shown(help))


def _shown(text: Content) -> Any:
    """A text that the palette, which takes a `str` for markup, shows as it is: `find [TEXT]`."""
    return text
