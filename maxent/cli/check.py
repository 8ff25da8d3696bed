"""`maxent check FILE`: prove the statement of a certificate again, from the file alone."""

from __future__ import annotations

from argparse import Namespace

from maxent.cli.arguments import Parser
from maxent.cli.exit_codes import DONE, NOT_PASSED

DESCRIPTION = """\
Prove the statement of a certificate again, from the file alone.

Certificates are written by maxent solve ... --certificate FILE.  The exit code is 0 if this one
is valid, 1 if not, 2 if the file is no certificate."""
EXAMPLES = """\
  maxent check proof.json
  maxent check ./proofs/four-rooms.json
  maxent check /tmp/received.json"""


def add_options(parser: Parser) -> None:
    """What the command takes."""
    parser.place(
        "file", "FILE", "A certificate, written with --certificate or by maxent.write_certificate."
    )
    parser.need("file")


def run(asked: Namespace) -> int:
    """Check it and say what is proved."""
    from maxent.proofs.checker import check_certificate

    found = check_certificate(asked.file)
    print(f"{'valid' if found.valid else 'NOT valid'}: {asked.file}")
    print(f"{'proved' if found.valid else 'claimed'}: {found.statement}")
    if found.mdp_sha256:
        print(f"SHA-256 of the MDP: {found.mdp_sha256}")
    if not found.valid:
        print(f"reason: {found.reason}")
    return DONE if found.valid else NOT_PASSED
