"""`python -m bptt_tui` is the command `bptt-tui`."""

from bptt_tui.cli import main

if __name__ == "__main__":
    main()
