r"""A trained agent held against the theory: how far is each equality from holding?

The one place where both halves meet.  Four kinds of truth:

- **an MDP** (`maxent.gridworld`, or a continuous task on a grid): everything is exact.  The
  agent's policy is read off in every state, evaluated by the exact half, and compared with the
  optimum; the agent's own values are compared with the exact ones of its policy.
- **a linear-quadratic problem**: the optimal gain, covariance and value in closed form.
- **a known answer** (`maxent.known_answer`): the optimal policy and value in every observation,
  of any dimension.
- **an environment alone**: estimates from whole episodes.

Errors of values are in units of reward, of policies in nats.  "Visited" weights states by the
discounted occupancy of the policy that the equality is about, normalised to 1.
"""

from __future__ import annotations

from maxent.continuous.lqr import LinearQuadratic
from maxent.environments.guard import close
from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.on_known import on_known_environment
from maxent.neural.diagnostics.on_linear_quadratic import on_linear_quadratic
from maxent.neural.diagnostics.on_mdp import on_mdp
from maxent.neural.diagnostics.rollouts import from_rollouts
from maxent.neural.diagnostics.tables import evaluated_on, policy_on, q_on
from maxent.neural.diagnostics.trained import TrainedAgent
from maxent.neural.known_environment import KnownEnvironment
from maxent.support.arguments import quoted, require_count
from maxent.tabular.known_answers import KnownMDP

__all__ = [
    "Diagnosis",
    "Finding",
    "diagnose",
    "evaluated_on",
    "from_rollouts",
    "on_known_environment",
    "on_linear_quadratic",
    "on_mdp",
    "policy_on",
    "q_on",
]


def diagnose(
    agent: TrainedAgent,
    problem: MDP | LinearQuadratic | KnownMDP | KnownEnvironment | None = None,
    *,
    episodes: int = 20,
    seed: int = 0,
) -> Diagnosis:
    """How far each equality of the theory is from holding for an agent.

    agent : a trained agent, as `train` gives it.
    problem : an MDP, a linear-quadratic problem or a known answer (`maxent.known_answer`, KNOWN)
        that the agent was trained on; None: what the agent's environment says it is, else
        estimates from `episodes` of it.
    episodes : how many episodes the estimates are from; not used for an MDP or a linear-quadratic
        problem.
    seed : of the episodes, or of the states sampled from a linear-quadratic problem.

    Returns a `Diagnosis`, a line a finding: errors of values and of J in units of reward, of
    policies in nats.  On an MDP also what the Boltzmann policy of the agent's q loses, beside what
    an error of that size can cost (APPROX).

    Raises ConfigError for a bad setting, for a problem that does not go with the agent's
    observations or actions, and where there is no problem and the agent has no environment of its
    own; ModelError for an MDP that is none.

    >>> import maxent
    >>> agent = maxent.train(
    ...     "sql", "maxent/Gridworld-v0", env_settings={"map": "S.G", "discount": 0.9}, steps=20,
    ...     hidden=(8,), batch_size=4, learning_starts=10,
    ... )
    >>> found = maxent.diagnose(agent, maxent.gridworld("S.G", discount=0.9))
    >>> [finding.key for finding in found.findings][:3]
    ['SAC-L1', 'SQL-T2', 'SQL-T1']
    """
    if not all(hasattr(agent, name) for name in ("algorithm", "spaces", "temperature")):
        raise ConfigError(
            f"agent = {quoted(agent)} is no trained agent; give one, as maxent.train and "
            "maxent.load_agent return it"
        )
    if isinstance(problem, LinearQuadratic):
        return on_linear_quadratic(agent, problem, seed=seed)
    if isinstance(problem, KnownMDP):
        return on_mdp(agent, problem.mdp)
    if isinstance(problem, KnownEnvironment):
        require_count("episodes", episodes)
        return on_known_environment(agent, problem, episodes=episodes, seed=seed)
    if problem is not None:
        return on_mdp(agent, require_mdp(problem))
    require_count("episodes", episodes)
    environment = agent.environment()
    try:
        found = getattr(environment.unwrapped, "mdp", None)
        found = getattr(environment.unwrapped, "problem", None) if found is None else found
        if isinstance(found, MDP | LinearQuadratic):
            return diagnose(agent, found, seed=seed)
        return from_rollouts(agent, environment, episodes=episodes, seed=seed)
    finally:
        close(environment)
