"""`maxent`, and `python -m maxent`: the command line."""

import signal
import sys


def run() -> int:
    """Run the command line.  While it is imported, and once all is done, Ctrl-C ends the process
    at once and in silence; in between, `maxent.cli.main` answers it."""
    handler = signal.getsignal(signal.SIGINT)  # may be to ignore it, under nohup
    quiet = signal.SIG_DFL if handler is signal.default_int_handler else handler
    signal.signal(signal.SIGINT, quiet)
    from maxent.cli import main

    signal.signal(signal.SIGINT, handler)
    try:
        return main()
    finally:
        signal.signal(signal.SIGINT, quiet)


if __name__ == "__main__":
    sys.exit(run())
