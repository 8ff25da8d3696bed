r"""Learning from samples, with tables: soft Q-learning and soft actor-critic without networks.

Each learner sees only transitions (s, a, r, s', terminated), from an MDP or from any Gymnasium
environment with `Discrete` spaces, and corrects a table of q by a step size lambda_n,

    Q(s,a) <- Q(s,a) + lambda_n ( r + gamma Vhat(s') - Q(s,a) ),

with no Vhat(s') after a *terminated* transition (a truncated one has it: the episode was cut off,
the state is worth what it always is).  n counts the visits of (s,a).  They differ in Vhat:

====================  ==============================================================================
`soft_q_learning`     alpha log sum_a exp(Q(s',a) / alpha): a stochastic approximation of the soft
                      Bellman equation (SQL-T2); tends to Q* while every pair is tried for ever
`expected_soft_sarsa` E_{a~pi}[ Q(s',a) - alpha log pi(a|s') ] of a given policy, whose soft value
                      it learns (SAC-L1), or of its own exploring policy
`soft_actor_critic`   a table V(s'), itself learned from actions of a third table, the policy,
                      which is moved towards the Boltzmann policy of Q: the three parts of SAC
====================  ==============================================================================

**Step sizes.**  Sum lambda_n = inf and sum lambda_n^2 < inf (Robbins, Monro 1951) make noise die
out and the start be forgotten; n^-p does it for p in (1/2, 1].  Errors then fall like n^(-p/2) in
the long run.  With p = 1 and a small offset the start is forgotten only like n^-(1-gamma): choose p
below 1, or an offset of about 1/(1-gamma) (Even-Dar, Mansour 2003; Wainwright 2019).

Every learner takes `(problem, temperature, *, steps, ...)` with the keyword arguments

- discount: gamma, in [0, 1); for an environment only: an MDP has its own.
- seed: a run repeats, number by number, with the same seed, alone or beside others.
- step_size: `RobbinsMonro()`, any function of the counts n = 1, 2, ... with values in (0, 1], or a
  number in (0, 1], the same for all.
- exploration: probability, in each step, of an available action at random instead of the policy's.
- episode_steps: cut episodes off after so many steps (a truncation); None: never.
- exact: what to measure errors against: the MDP behind an environment (below).  An MDP that is
  learned from is solved, and need not be given; its `Solution`, if there is one, saves that.
- checkpoints: how often, evenly on a log scale, to measure the error; or the numbers of steps.
- q0: start of every q, at most 1e280 in size.

and returns `Learned`.  ConfigError for bad settings, ModelError for an environment that breaks its
own rules (a reward that is no number, an observation outside its space).

**What is exact.**  The MDP given must have the actions, the discount and, first, the states of what
is learned; states beyond these must be terminal (`from_gymnasium` appends one where it has to).
Actions that the environment's `info["action_mask"]` ruled out, in the states that the run saw, are
ruled out in the MDP before it is solved; a MaxEntWarning says so where instead the agent could take
an action that the MDP rules out.  That transitions and rewards are the same is not checked.  A
`Solution` has no discount or mask, so it is accepted only where an MDP is learned from: its values
must solve the soft Bellman equation of that MDP (of the policy given, if one is) as well as it
says it does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, Unpack

import numpy as np
from numpy import ndarray
from scipy import stats

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.support.arguments import require_count, require_counts, require_one_of
from maxent.support.frames import data_frame
from maxent.support.shapes import Float
from maxent.tabular.sampled.intervals import require_level
from maxent.tabular.sampled.loop import Learned, LearnerOptions, learn
from maxent.tabular.sampled.step_sizes import RobbinsMonro
from maxent.tabular.sampled.updates import ActorCritic, Sarsa, SoftQ, TableLearner

__all__ = [
    "ErrorCurves",
    "Learned",
    "RobbinsMonro",
    "error_curves",
    "expected_soft_sarsa",
    "soft_actor_critic",
    "soft_q_learning",
]


@dataclass(frozen=True, eq=False)
class ErrorCurves:
    """The errors of K runs of one learner, one a seed, and their spread.

    checkpoints : (C,), samples.  errors : (K, C), in units of reward, as `measure` says.
    runs : the K `Learned`.
    """

    method: str
    measure: Literal["max", "rms"]
    temperature: float
    discount: float
    checkpoints: ndarray
    errors: ndarray
    runs: tuple[Learned, ...]

    @property
    def mean(self) -> Float[ndarray, " C"]:
        """Geometric mean over seeds, (C,)."""
        found: Float[ndarray, " C"] = np.exp(self._logs.mean(axis=0))
        return found

    def interval(self, level: float = 0.95) -> tuple[Float[ndarray, " C"], Float[ndarray, " C"]]:
        """(low, high), (C,) each: confidence interval of the geometric mean at each checkpoint, by
        Student's t on the logarithms over seeds; infinitely wide for one seed."""
        level = require_level(level)
        count = len(self.runs)
        if count == 1:
            return np.zeros(len(self.checkpoints)), np.full(len(self.checkpoints), np.inf)
        factor = np.exp(
            stats.t.ppf(0.5 + level / 2, count - 1)
            * self._logs.std(axis=0, ddof=1)
            / math.sqrt(count)
        )
        return self.mean / factor, self.mean * factor

    def slope(self, since: float = 0.1) -> float:
        """Least-squares slope of log error against log samples, over the checkpoints after the
        fraction `since` of all samples; nan where these are fewer than two.  With `RobbinsMonro`
        steps, theory has -exponent / 2 in the long run."""
        late = self.checkpoints >= since * self.checkpoints[-1]
        if late.sum() < 2:
            return math.nan
        x = np.log(self.checkpoints[late])
        return float(np.polyfit(x, np.log(self.mean[late]), 1)[0])

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row a seed and checkpoint.  Needs pandas."""
        seeds = [run.seed for run in self.runs]
        return data_frame(
            {
                "method": self.method,
                "seed": np.repeat(seeds, len(self.checkpoints)),
                "samples": np.tile(self.checkpoints, len(seeds)),
                f"{self.measure}_error": self.errors.ravel(),
            }
        )

    @property
    def _logs(self) -> Float[ndarray, "K C"]:
        """Logarithms of the errors, none smaller than what is known of the exact values."""
        floor = max(self.runs[0].reference_error, 1e-300)
        found: Float[ndarray, "K C"] = np.log(np.maximum(self.errors, floor))
        return found


def soft_q_learning(
    problem: Any, temperature: float, *, seed: int = 0, **settings: Unpack[LearnerOptions]
) -> Learned:
    """Soft Q-learning with a table (SQL-T2, Eq. 7-8): the target is r + gamma alpha log sum
    exp(Q(s',.)/alpha), whatever policy the samples came from; at temperature 0 it is Q-learning.

    problem: an MDP or a Gymnasium environment.  Arguments and errors: module docstring.
    """
    return learn(SoftQ, problem, temperature, [seed], {}, **settings)[0]


def expected_soft_sarsa(
    problem: Any,
    temperature: float,
    *,
    policy: Any = None,
    seed: int = 0,
    **settings: Unpack[LearnerOptions],
) -> Learned:
    """Expected soft SARSA with a table: the target is r + gamma E_{a~pi}[ Q(s',a) - alpha log pi ].

    policy: (S, A) or (A,), acted on (with `exploration`) and evaluated (SAC-L1); errors are to its
    soft value.  None: pi is the Boltzmann policy of q with the exploration mixed in, so that the
    agent learns what its own exploring is worth.  Without exploration that is soft Q-learning, by
    GIBBS-1; with it a distance to Q* remains.  Other arguments and errors: module docstring.
    """
    return learn(Sarsa, problem, temperature, [seed], {"policy": policy}, **settings)[0]


def soft_actor_critic(
    problem: Any,
    temperature: float,
    *,
    policy_step: float = 0.1,
    seed: int = 0,
    **settings: Unpack[LearnerOptions],
) -> Learned:
    """Soft actor-critic with three tables, V, Q and log pi (SAC Eqs. 5-13 without networks).

    At each sample: V(s) moves towards Q(s,b) - alpha log pi(b|s) with a fresh action b of the
    current policy; Q(s,a) towards r + gamma V(s'); and the policy is improved where the agent was,
    log pi(.|s) <- (1 - policy_step) log pi(.|s) + policy_step Q(s,.)/alpha, normalised: 1 is the
    Boltzmann policy (SAC-L2), less is a natural policy gradient step (NPG).  Temperature above 0.
    Other arguments and errors: module docstring.
    """
    return learn(ActorCritic, problem, temperature, [seed], {"step": policy_step}, **settings)[0]


def error_curves(
    method: Literal["soft_q_learning", "expected_soft_sarsa", "soft_actor_critic"],
    problem: Any,
    temperature: float,
    *,
    seeds: int | Sequence[int] = 10,
    measure: Literal["max", "rms"] = "max",
    policy: Any = None,
    policy_step: float = 0.1,
    **settings: Unpack[LearnerOptions],
) -> ErrorCurves:
    """Run a learner with several seeds and hold its errors against the exact solution.

    method: the name of the learner.  seeds: how many (0, 1, ...), or which.  measure: the largest
    error over pairs, or the root mean square.  Each run gives the numbers that it gives alone; on
    an MDP they advance side by side, which takes hardly longer than one.  An environment needs
    `exact`.  policy and policy_step: of `expected_soft_sarsa` and `soft_actor_critic`.
    """
    rules: dict[str, tuple[type[TableLearner], dict[str, Any]]] = {
        "soft_q_learning": (SoftQ, {}),
        "expected_soft_sarsa": (Sarsa, {"policy": policy}),
        "soft_actor_critic": (ActorCritic, {"step": policy_step}),
    }
    require_one_of("method", method, rules)
    require_one_of("measure", measure, ("max", "rms"))
    if not isinstance(problem, MDP) and settings.get("exact") is None:
        raise ConfigError(
            "exact = None: errors need something exact; give the MDP behind the environment (such "
            "as maxent.from_gymnasium(env, discount=...))"
        )
    many: Sequence[int]
    if isinstance(seeds, Integral):
        many = range(require_count("seeds", seeds))
    else:
        many = require_counts("seeds", seeds, minimum=0)
    rule, options = rules[method]
    runs = tuple(learn(rule, problem, temperature, many, options, **settings))
    rows = [run.errors if measure == "max" else run.rms_errors for run in runs]
    return ErrorCurves(
        runs[0].method,
        measure,
        runs[0].temperature,
        runs[0].discount,
        runs[0].checkpoints,
        np.array(rows),
        runs,
    )
