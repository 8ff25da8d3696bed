"""Problems whose maximum-entropy solution is chosen first: an MDP, or any environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.support.arguments import require_discount, require_real
from maxent.support.other_words import takes_our_words
from maxent.tabular.known_answers import KnownMDP, known_mdp

if TYPE_CHECKING:
    from maxent.environments.making import Environment
    from maxent.neural.known_environment import KnownEnvironment, Policy, Value


@overload
def known_answer(problem: MDP, policy: Any, value: Any, temperature: float) -> KnownMDP: ...
@overload
def known_answer(
    problem: Environment,
    policy: Policy,
    value: Value,
    temperature: float,
    discount: float,
    noise: float = 0.0,
) -> KnownEnvironment: ...
@takes_our_words
def known_answer(
    problem: MDP | Environment,
    policy: Any,
    value: Any,
    temperature: float,
    discount: float | None = None,
    noise: float = 0.0,
) -> KnownMDP | KnownEnvironment:
    """The same dynamics, with rewards under which (value, policy) is the soft-optimal solution.

    On each transition r = alpha log pi(a|s) + V(s) - gamma V(s') is paid (V = 0 after a
    termination), which makes V* = V, pi* = pi and Q* = alpha log pi + V exactly, whatever the
    dynamics (`KNOWN`).  The policy is floored first, (1 - 0.001) pi + 0.001 uniform, and the
    floored one is the answer: it bounds the rewards.  (Actions without sides have no uniform
    density: there it is taken as it is.)

    problem : an MDP, or an environment, its id, or a function that makes it.
    policy : for an MDP probabilities (S, A); else a function of observations (n, d), flattened,
        float64, that gives a `torch.distributions.Distribution` over actions (n, m) in
        [-1, 1]^m, or over the numbers 0 ... A-1 of discrete actions.
    value : for an MDP (S,), without meaning at terminal states; else a function of observations
        that gives (n,).
    temperature : alpha > 0, in units of reward a nat.
    discount : gamma of an environment; an MDP has its own.
    noise : standard deviation of independent noise that an environment adds to each reward; the
        answer stays.

    Returns, for an MDP, a `KnownMDP` (`mdp, v, q, policy, log_policy`); for an environment a
    `KnownEnvironment` (`env`, and of observations `v`, `q`, `log_density`, `sample`).  Hold an
    agent against either with `maxent.diagnose(agent, known)`.

    Raises ConfigError and ModelError for what is no policy, value or setting; MissingExtraError for
    an environment without PyTorch.

    >>> import numpy as np, maxent
    >>> mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    >>> policy = np.tile([0.4, 0.3, 0.2, 0.1], (mdp.n_states, 1))
    >>> known = maxent.known_answer(mdp, policy, np.arange(mdp.n_states) / 100, temperature=0.1)
    >>> solution = maxent.solve(known.mdp, temperature=0.1)
    >>> bool((abs(solution.v - known.v) <= solution.error_bound).all())
    True
    """
    if isinstance(problem, MDP):
        if discount is not None and require_discount(discount) != problem.discount:
            raise ConfigError(
                f"discount = {discount!r}, but the MDP has its own, {problem.discount}; leave it "
                "out or use mdp.replace(discount=...)"
            )
        if require_real("noise", noise, "[0, inf)"):
            raise ConfigError(
                "noise is for environments: give maxent.MDPEnv(mdp) and a policy and value of its "
                "observations"
            )
        return known_mdp(problem, policy, value, temperature)
    if discount is None:
        raise ConfigError("an environment has no discount of its own: give discount=")
    from maxent.environments.making import make_environment
    from maxent.neural.known_environment import KnownEnvironment

    made: Any = (
        make_environment(problem) if isinstance(problem, str) or callable(problem) else problem
    )
    return KnownEnvironment(made, policy, value, temperature, discount, noise)
