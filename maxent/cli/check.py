"""`maxent check FILE`: prove the statement of a certificate again, from the file alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional

from maxent.cli.arguments import option
from maxent.cli.exit_codes import DONE, NOT_PASSED


@dataclass(frozen=True)
class Check:
    """Prove the statement of a certificate again, from the file alone.

    Certificates are written by maxent solve ... --certificate FILE.  The exit code is 0 if this one
    is valid, 1 if not, 2 if the file is no certificate.

    examples:
      maxent check proof.json
      maxent check ./proofs/four-rooms.json
      maxent check /tmp/received.json
    """

    file: Annotated[Positional[str], option("FILE", "(required)")]
    """A certificate, written with --certificate or by maxent.write_certificate."""

    def run(self) -> int:
        """Check it and say what is proved."""
        from maxent.proofs.checker import check_certificate

        found = check_certificate(self.file)
        print(f"{'valid' if found.valid else 'NOT valid'}: {self.file}")
        print(f"{'proved' if found.valid else 'claimed'}: {found.statement}")
        if found.mdp_sha256:
            print(f"SHA-256 of the MDP: {found.mdp_sha256}")
        if not found.valid:
            print(f"reason: {found.reason}")
        return DONE if found.valid else NOT_PASSED
