r"""An MDP whose soft-optimal solution is chosen first, and the rewards afterwards.

Pay, on every transition of any dynamics,

    r(s, a, s') = alpha log pi(a|s) + V(s) - gamma V(s')        (V = 0 at terminal states)

and (V, pi) *is* the soft-optimal solution at temperature alpha: Q(s, a) = alpha log pi(a|s) + V(s)
has the soft value V and the Boltzmann policy pi.  Every other policy p is worth
V - alpha E_p sum_t gamma^t KL(p || pi) (`KNOWN`, from the soft performance difference).  So
whatever solves or learns can be held against the answer, in any size, without a solver.

The continuous form, for any Gymnasium environment, is `maxent.neural.known_environment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, require_mdp
from maxent.mdp.validation import action_distribution, array_of_shape
from maxent.support.arguments import require_temperature
from maxent.support.arrays import ReadOnly, logs
from maxent.support.shapes import Float
from maxent.tabular.operators import backup

FLOOR = 1e-3
"""Share of the uniform policy in every known answer: it bounds the rewards."""


@dataclass(frozen=True, eq=False)
class KnownMDP(ReadOnly):
    """An MDP and its soft-optimal solution, known before any solver has seen it.

    mdp : the dynamics that were given, with the rewards that make the answer right.
    v : (S,), the optimal soft value; 0 at terminal states.
    policy : (S, A), the optimal policy: the one that was given, floored.
    temperature : alpha, at which they are optimal.
    """

    mdp: MDP
    v: Float[ndarray, " S"]
    policy: Float[ndarray, "S A"]
    temperature: float

    @property
    def log_policy(self) -> Float[ndarray, "S A"]:
        """log pi(a|s); -inf where an action is not available."""
        return logs(self.policy)

    @property
    def q(self) -> Float[ndarray, "S A"]:
        """Q(s, a) = r + gamma E V(s'), of the rewards as they are stored."""
        return backup(self.mdp, self.v)

    def __repr__(self) -> str:
        return f"KnownMDP({self.mdp}, temperature {self.temperature:g})"


def known_mdp(mdp: MDP, policy: Any, value: Any, temperature: float) -> KnownMDP:
    """The MDP with the rewards under which (value, policy) is the answer; `maxent.known_answer`."""
    mdp, alpha = require_mdp(mdp), require_temperature(temperature)
    if alpha == 0.0:
        raise ConfigError(
            "temperature = 0: a hard maximum has no policy that its rewards could be made of; "
            "give a positive temperature"
        )
    given = action_distribution("policy", policy, mdp.action_mask, mdp.terminal)
    chosen = array_of_shape("value", value, (mdp.n_states,), ", a finite number a state")
    wrong = ~np.isfinite(chosen) & ~mdp.terminal
    if wrong.any():
        raise ModelError(f"value of state {int(np.argmax(wrong))} is not finite")
    v = np.where(mdp.terminal, 0.0, chosen)
    available = mdp.action_mask
    uniform = available / np.maximum(available.sum(axis=1, keepdims=True), 1)
    floored = (1.0 - FLOOR) * given + FLOOR * uniform
    paid = alpha * np.log(np.where(available, floored, 1.0)) + v[:, None]
    sums = np.asarray(mdp.transition_rows.sum(axis=1)).reshape(paid.shape)
    paid /= np.where(sums > 0.0, sums, 1.0)  # exact also where rows only nearly sum to 1
    following = mdp.discount * v
    if mdp.is_sparse:
        rows = sparse.csr_array(mdp.transition_rows)
        each = np.repeat(paid.ravel(), np.diff(rows.indptr)) - following[rows.indices]
        samples = sparse.csr_array((each, rows.indices, rows.indptr), shape=rows.shape)
        changed = mdp.replace(transition_reward=samples)
    else:
        changed = mdp.replace(reward=paid[:, :, None] - following)
    return KnownMDP(changed, v, floored, alpha)
