"""`maxent check FILE`: prove the statement of a certificate again, from the file alone."""

from __future__ import annotations

from argparse import Namespace

from maxent.cli.arguments import as_option
from maxent.cli.exit_codes import DONE, NOT_PASSED
from maxent.cli.model import Model
from maxent.errors import ConfigError


def run(asked: Namespace) -> int:
    """Check it and say what is proved."""
    from maxent.proofs.certificate import mdp_sha256
    from maxent.proofs.checker import check_certificate

    model = Model.of(asked)
    if model.mdp is None and model.given():
        raise ConfigError(f"{as_option(next(iter(model.given())))} needs --mdp")
    wanted = None if model.mdp is None else mdp_sha256(model.build())
    found = check_certificate(asked.file)
    valid, reason = found.valid, found.reason
    if valid and wanted not in (None, found.mdp_sha256):
        valid, reason = False, f"it is about another MDP: that of {asked.mdp} has SHA-256 {wanted}"
    print(f"{'valid' if valid else 'NOT valid'}: {asked.file}")
    print(f"{'proved' if valid else 'claimed'}: {found.statement}")
    if found.mdp_sha256:
        same = f" (that of {asked.mdp})" if valid and wanted is not None else ""
        print(f"SHA-256 of the MDP: {found.mdp_sha256}{same}")
    if not valid:
        print(f"reason: {reason}")
    return DONE if valid else NOT_PASSED
