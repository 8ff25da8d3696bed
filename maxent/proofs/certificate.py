"""Certificates: a proved enclosure in a file that anyone can check without trusting this package.

The file is JSON; every number in it is exact (float64 in hexadecimal text, arrays in base64).  It
is checked by `maxent.proofs.checker`, which shares nothing with this module.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import struct
from importlib import metadata
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

import maxent
from maxent.errors import ModelError
from maxent.mdp import MDP, require_mdp
from maxent.proofs.enclosure import Enclosure
from maxent.support.arguments import require_kind
from maxent.support.files import write_whole

FORMAT = "maxent-certificate-1"


def write_certificate(
    enclosure: Enclosure, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write what `enclose` proved to a JSON file, whole or not at all.

    Check it with `maxent check FILE` or `maxent.check_certificate(path)`.  Raises OutputExistsError
    if `path` exists and `overwrite` is false; ModelError if nothing was proved (infinite radius).

    >>> import maxent, tempfile
    >>> proved = maxent.enclose(maxent.gridworld("two-goals", discount=0.95), temperature=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     maxent.write_certificate(proved, f"{folder}/proof.json")
    ...     maxent.check_certificate(f"{folder}/proof.json").valid
    True
    """
    require_kind("enclosure", enclosure, Enclosure)
    if not np.isfinite(enclosure.radius):
        raise ModelError("the enclosure has no finite radius: there is nothing to certify")
    arrays = _mdp_arrays(enclosure.mdp)
    document: dict[str, Any] = {
        "format": FORMAT,
        "statement": {
            "kind": "optimal value" if enclosure.policy is None else "policy value",
            "temperature": enclosure.temperature.hex(),
            "prior": _optional(enclosure.prior),
            "policy": _optional(enclosure.policy),
        },
        "mdp": {
            "n_states": enclosure.mdp.n_states,
            "n_actions": enclosure.mdp.n_actions,
            "discount": enclosure.mdp.discount.hex(),
            **{name: _text(array) for name, array in arrays.items()},
        },
        "mdp_sha256": mdp_sha256(enclosure.mdp),
        "enclosure": {
            "midpoint": [_text(part) for part in enclosure.midpoint],
            "radius": enclosure.radius.hex(),
        },
        "versions": {
            "maxent": maxent.__version__,
            "python": platform.python_version(),
            "numpy": metadata.version("numpy"),
            "python-flint": metadata.version("python-flint"),
        },
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    with write_whole(path, overwrite=overwrite) as staged, open(staged, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def mdp_sha256(mdp: MDP) -> str:
    """The SHA-256 of an MDP's numbers, the same for its dense and its sparse form.

    It covers transition, expected reward, discount, terminal states, action mask and initial
    distribution, not names, maps or reward samples.
    """
    parts = [b"maxent-mdp-1\n", struct.pack("<qqd", mdp.n_states, mdp.n_actions, mdp.discount)]
    parts += [array.tobytes() for array in _mdp_arrays(require_mdp(mdp)).values()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _mdp_arrays(mdp: MDP) -> dict[str, ndarray]:
    """The arrays of an MDP in one canonical form, little-endian, in the order that is hashed."""
    rows = sparse.csr_array(mdp.transition_rows, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return {
        "row_ends": rows.indptr[1:].astype("<i8"),
        "successors": rows.indices.astype("<i8"),
        "probabilities": rows.data.astype("<f8"),
        "reward": (mdp.reward + 0.0).astype("<f8"),  # -0.0 is 0.0
        "terminal": mdp.terminal.astype("u1"),
        "action_mask": mdp.action_mask.astype("u1"),
        "initial_distribution": (mdp.initial_distribution + 0.0).astype("<f8"),
    }


def _text(array: ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _optional(array: ndarray | None) -> str | None:
    return None if array is None else _text(array.astype("<f8"))
