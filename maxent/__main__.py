"""`python -m maxent`: the command line."""

import sys

from maxent.cli import main

if __name__ == "__main__":
    sys.exit(main())
