"""`python -m incident_actions COMMAND`: the program behind the action and the shell command.

It is loaded before everything else, so that it can answer Ctrl-C and a closed pipe in one line
each, also while the rest is still being loaded.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

INTERRUPTED = 128 + signal.SIGINT
"""The exit code after Ctrl-C, as shells know it."""
PIPE_CLOSED = 128 + 13
"""The exit code when nobody reads the output any more; 13 is SIGPIPE, which Windows lacks."""


def run() -> int:
    """Run one command of `sys.argv`; gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal's locale may be plain ASCII
            stream.reconfigure(encoding="utf-8", errors="replace")
    gc.disable()  # what is loaded stays; to look for garbage in it takes a fifth of the start
    try:
        from incident_actions.cli.main import main

        gc.freeze()
        gc.enable()
        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\nInterrupted. Call the command again to go on.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python would try to write the rest again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return code


if __name__ == "__main__":
    sys.exit(run())
