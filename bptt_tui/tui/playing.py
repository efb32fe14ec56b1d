"""Playing on the debugger's screen: a replay or plain steps by the clock, scrubbing, taking over and resuming."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from bptt_tui.debugger.view import View
from bptt_tui.errors import BpttError
from bptt_tui.tui.commanding import Commanding
from bptt_tui.tui.player import Player

if TYPE_CHECKING:
    from bptt_tui.tui.playbar import PlayBar


class Playing(Commanding):
    """The keys and the bar of a replay."""

    _clock: Timer | None = None

    def playing_changed(self) -> None:
        """Show the state on header and bar."""
        raise NotImplementedError

    def start_replay(self) -> None:
        """From the beginning; without a recording there is nothing to replay."""
        replay = self.player.replay
        if replay is not None and not replay.recording:
            self.player.replay = None
            self.say(f"this session has no recording; {self.key('play.toggle')} plays it step by step")
        elif replay is not None:
            self.set_to_work("replay", lambda: self.player.begin(self.debugger), self._begun, beside=self.is_long)
        self.playing_changed()

    def _begun(self, answer: View | BpttError) -> bool:
        if isinstance(answer, BpttError):
            return self._held_up(answer)
        self.show(answer)
        self._play()
        return True

    def _held_up(self, error: BpttError) -> bool:
        """A replay stops at what cannot be carried out, or was stopped."""
        self.pause()
        self.show(self.debugger.view)
        self.say(str(error), error=True)
        return False

    @property
    def _over(self) -> str:
        return f"the replay is over; {self.key('play.back')} goes back in it, any command explores from here"

    # --- keys ------------------------------------------------------------------------------------------------------

    def action_play(self) -> None:
        """Play, pause, or resume what was taken over."""
        player = self.player
        if player.playing:
            self.pause()
            self.say(f"paused; {self.key('play.toggle')} goes on")
        elif player.replay is not None and player.exploring:
            self.show(player.replay.resume(self.debugger))
            self.say(f"resumed at {player.place}")
            self._play()
        elif player.finished:
            self.say(self._over)
        else:
            self._play()

    def action_replay(self) -> None:
        """Replay the lesson, or what has been recorded so far, from its beginning."""
        replay = self.player.replay
        self.pause()
        if replay is None:
            self.player = Player(self.debugger.recording, self.player.speed)
            if not self.player.replay or not self.player.replay.recording:
                self.player = Player(None, self.player.speed)
                self.say("nothing has been recorded yet")
                return
        self.start_replay()

    def action_record(self) -> None:
        """Go on recording from here: what is done now becomes the end of the lesson."""
        player = self.player
        self.pause()
        if player.replay is None:
            self.say(f"every command is recorded already; {self.key('session.save')} saves the recording")
            return
        place = player.replay.index
        if player.exploring:
            player.replay.resume(self.debugger)
        player.replay.take_over(self.debugger, record=True)
        player.replay = None
        self.show(self.debugger.view)
        saves = f"{self.key('session.save')} saves it"
        self.say(f"recording from here: the lesson goes on after {place} commands; {saves}")

    def action_scrub(self, steps: int) -> None:
        """So many commands on in the replay, or back."""
        replay = self.player.replay
        if replay is None:
            self.say(f"nothing is replayed; {self.key('play.replay')} replays what has been recorded")
        else:
            self._scrub_to(replay.index + steps)

    def action_speed(self, steps: int) -> None:
        """Faster or slower."""
        self.player.change_speed(steps)
        if self.player.playing:
            self._wait()
        self.playing_changed()
        self.say(f"speed ×{self.player.speed:g}")

    def action_chapter(self, step: int) -> None:
        """To the next chapter or the one before: of the replay where one plays, of the session otherwise."""
        replay = self.player.replay
        if replay is None or replay.exploring:
            self.action_command("chapter next" if step > 0 else "chapter previous")
            return
        places = sorted(index for index, _ in self.player.starts(self.debugger.state.chapters))
        found = [at for at in places if (at > replay.index if step > 0 else at < replay.index)]
        if found:
            self._scrub_to(found[0] if step > 0 else found[-1])
        else:
            self.say(f"there is no {'later' if step > 0 else 'earlier'} chapter in this replay")

    def go_to_position(self, position: int) -> None:
        replay = self.player.replay
        index = None if replay is None or replay.exploring else replay.first_at(position)
        if index is None:
            self.action_command(f"goto {position}")
        else:
            self._scrub_to(index)

    def on_play_bar_sought(self, event: PlayBar.Sought) -> None:
        self._scrub_to(event.index)

    # --- the clock -------------------------------------------------------------------------------------------------

    def _scrub_to(self, index: int) -> None:
        """Stand as after so many commands; a replay that was left is resumed by it."""
        replay = self.player.replay
        assert replay is not None
        if self.runs_long:
            self.say(self.goes_on)
            return
        playing = self.player.playing
        self.pause()

        def scrub() -> View:
            if replay.exploring:
                replay.resume(self.debugger)
            return replay.scrub(self.debugger, index)

        def scrubbed(answer: View | BpttError) -> bool:
            if isinstance(answer, BpttError):
                return self._held_up(answer)
            self.show(answer)
            if playing and not replay.finished:
                self._play()
            return True

        self.set_to_work("scrub", scrub, scrubbed, beside=self.is_long)

    def _play(self) -> None:
        self.player.playing = True
        self._wait()

    def pause(self) -> None:
        """Stop what plays."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        if self.player.playing:
            self.player.playing = False
            self.playing_changed()

    def _wait(self) -> None:
        """Set the clock for the next command, or stop where there is none."""
        if self._clock is not None:
            self._clock.stop()
        replayed, at_end = self.player.replay is not None, self.debugger.cursor.position >= self.debugger.last
        if self.player.finished or (not replayed and at_end):
            self.pause()
            self.say(self._over if replayed else f"{_END}; every key works as usual")
        else:
            self.playing_changed()
            self._clock = self.set_timer(self.player.wait(), self._tick)

    def _tick(self) -> None:
        if not self.player.playing:
            return
        replay = self.player.replay
        said = "next" if replay is None else replay.command or ""
        self.set_to_work(said, lambda: self.player.give(self.debugger), self._given, beside=self.is_long)

    def _given(self, answer: View | BpttError) -> bool:
        if isinstance(answer, BpttError):
            return self._held_up(answer)
        self.show(answer)
        self._wait()
        return True


_END = "the end: every contribution is taken"
