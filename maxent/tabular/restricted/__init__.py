r"""Soft policy iteration inside a set of policies: the sets, their projections, their operator.

The improvement step of SAC Eq. 4 is a projection, in every state the policy of the set nearest to
the Boltzmann policy:

    argmin_{p in Pi_s} KL(p || exp(Q(s,.)/alpha) / Z) = argmax_{p in Pi_s} <p, Q(s,.)> + alpha H(p).

=====================  ============================================  ==========================
`EpsilonFloor(eps)`    every available action has probability >= eps  p = max(eps, c exp(Q/alpha))
`EntropyFloor(h)`      H(p) >= h nats in every state                 a soft-max at alpha' >= alpha
`Choices(array)`       one of finitely many distributions a state    the best of them
=====================  ============================================  ==========================

Each is closed and *rectangular*, a product of sets for single states.  That is what the proofs of
SAC-L2 and SAC-T1 use; convexity is not needed (`Choices`).  With T_Pi V(s) = max_{p in Pi_s}
<p, r + gamma P V> + alpha H(p), monotone and a gamma-contraction, everything that `bounds.py` says
of the soft Bellman operator holds for T_Pi and its fixed point V*_Pi, the best value in the set.
With a prior, the objective has log(p / prior) in place of log p; the floors are still on the
probabilities and on the Shannon entropy of p, over the actions in the prior's support.

- `sets.py`: the sets and their projections; `heating.py`: the soft-max of a given entropy.
- `kernel.py`: the operator T_Pi with its certified bounds, for `soft_policy_iteration(policies=)`.
"""

from maxent.tabular.restricted.kernel import RestrictedKernel, require_policies
from maxent.tabular.restricted.sets import Choices, EntropyFloor, EpsilonFloor, PolicySet

__all__ = [
    "Choices",
    "EntropyFloor",
    "EpsilonFloor",
    "PolicySet",
    "RestrictedKernel",
    "require_policies",
]
