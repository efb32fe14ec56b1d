"""The commands of the binding table in Textual's palette (ctrl+p)."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from bptt_tui.tui.bindings import BINDING_TABLE, KeyRow
from bptt_tui.tui.debugger_screen import DebuggerScreen


class DebuggerCommands(Provider):
    """Offers every key's action by name."""

    @property
    def _rows(self) -> tuple[KeyRow, ...]:
        """The debugger's keys are its screen's; another screen has none of them."""
        return BINDING_TABLE if isinstance(self.screen, DebuggerScreen) else ()

    async def discover(self) -> Hits:
        for row in self._rows:
            yield DiscoveryHit(row.label, partial(self.screen.run_action, row.bound), help=row.tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for row in self._rows:
            text = f"{row.label} ({row.tooltip})"
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self.screen.run_action, row.bound), help=row.tooltip)
