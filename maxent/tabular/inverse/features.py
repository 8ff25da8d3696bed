"""Features: a reward of a few weights, as a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ModelError
from maxent.mdp import MDP, validation
from maxent.mdp.transitions import Transition
from maxent.support.arguments import require_one_of
from maxent.support.shapes import Bool


def design_matrix(
    mdp: MDP, features: Any, free: Bool[ndarray, "S A"]
) -> tuple[Transition, tuple[int, ...]]:
    """The matrix D (free pairs, weights) with r = D w, and the shape that the weights have."""
    pairs = int(free.sum())
    state = np.nonzero(free)[0]
    if isinstance(features, str):
        require_one_of("features", features, ("state-action", "state", "arrival"))
        if features == "state-action":
            return sparse.eye_array(pairs, format="csr"), free.shape
        if features == "state":
            ones = (np.ones(pairs), (np.arange(pairs), state))
            return sparse.csr_array(ones, shape=(pairs, mdp.n_states)), (mdp.n_states,)
        return mdp.transition_rows[np.flatnonzero(free)], (mdp.n_states,)
    array = validation.real_array(
        "features",
        features,
        fits=lambda shape: shape[:-1] in (free.shape[:1], free.shape),
        wanted=f"it must be (S, F) or (S, A, F) with (S, A) = {free.shape}",
    )
    design = array[state] if array.ndim == 2 else array[free]
    if array.shape[-1] == 0 or not np.isfinite(design).all():
        raise ModelError("features must be finite, and at least one")
    return design, (array.shape[-1],)
