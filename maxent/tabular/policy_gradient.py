r"""Policy gradients of the tabular soft-max policy, exact: no samples, one linear solve a step.

The policy is pi(a|s) = exp(logits(s,a)) / sum_b exp(logits(s,b)) over the available actions, the
objective J(pi) = sum_s mu(s) V^pi(s) with the soft value V^pi = E_pi[Q^pi - alpha log pi].

- **PG**, the soft policy gradient theorem: dJ/dlogits(s,a) = d^pi(s) pi(a|s) A^pi(s,a), with
  d^pi the discounted visits and A^pi = Q^pi - alpha log pi - V^pi, the soft advantage.
- **NPG**, the natural gradient (Fisher matrix under (1-gamma) d^pi) with step eta:

      pi_new ∝ pi^(1 - w) exp(w Q^pi / alpha),    w = eta alpha / (1 - gamma),

  a geometric mixture of pi and the Boltzmann policy of Q^pi: eta = (1-gamma)/alpha (w = 1) is soft
  policy iteration.  For eta up to that, it improves in every state and its errors fall at rate
  1 - eta alpha (Cen, Cheng, Chen, Wei, Chi 2022, Theorem 1).  At larger steps neither is promised.

The plain gradient depends on where the policy goes (d^pi) and stalls where it hardly goes or where
it is nearly deterministic; the natural gradient does neither.  With a prior, log(pi / prior) stands
for log pi.  All values are discounted, in units of reward; V^pi is exact up to the rounding of the
linear solve, about eps / (1 - gamma) of its size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.support.arguments import require_count, require_positive
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.softmax_policies import EvaluatedPolicy, GradientTrace, SoftmaxProblem


@takes_our_words
def policy_gradient(
    mdp: MDP, logits: Any, temperature: float, *, prior: Any = None
) -> Float[ndarray, "S A"]:
    """The gradient of J in the logits of the soft-max policy (PG).

    J is the soft value from the initial distribution.  Soft Q-learning follows this gradient too,
    beside a gradient of the value's error (PG-EQUIVALENCE).

    mdp : the problem; its discount is below 1.
    logits : (S, A); those of unavailable actions are ignored.
    temperature : alpha >= 0, in units of reward.
    prior : probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.

    Returns (S, A), in units of reward: 0 for unavailable actions and in terminal states; every row
    sums to 0.

    Raises ModelError (mdp, logits, prior) and ConfigError (temperature, discount 1).

    >>> import numpy as np, maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> gradient = maxent.policy_gradient(mdp, np.zeros((3, 4)), temperature=0.1)
    >>> gradient.argmax(axis=1)[:2].tolist()  # action 1 goes right, to the goal
    [1, 1]
    >>> bool(abs(gradient.sum(axis=1)).max() < 1e-12)
    True
    """
    problem = SoftmaxProblem(mdp, temperature, prior)
    return problem.gradient(EvaluatedPolicy(problem, problem.log_policy(logits)))


@takes_our_words
def policy_gradient_ascent(
    mdp: MDP,
    temperature: float,
    *,
    step: float | None = None,
    iterations: int = 1000,
    logits: Any = None,
    prior: Any = None,
) -> GradientTrace:
    """Follow the gradient of J uphill: logits <- logits + step * gradient (PG).

    J may have plateaus, where thousands of steps change little: that is the method, not a fault.

    mdp : the problem; its discount is below 1.
    temperature : alpha >= 0, in units of reward.
    step : a fixed size; None: a line search, which doubles the last step and halves it until J
        rises by at least half of what the gradient promises (Armijo).  It ends early where float64
        sees no rise any more.
    iterations : steps at most.
    logits : (S, A), the start; None: 0, the uniform policy.
    prior : probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.

    Returns a `GradientTrace`: objectives, values and errors after each step, and the last policy.

    Raises ModelError (mdp, logits, prior) and ConfigError (an option, discount 1).

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> trace = maxent.policy_gradient_ascent(mdp, temperature=0.1, iterations=50)
    >>> bool((trace.objectives[1:] >= trace.objectives[:-1]).all())
    True
    >>> bool(trace.errors[-1] < 1e-9)
    True
    """
    problem = SoftmaxProblem(mdp, temperature, prior)
    if step is not None:
        step = require_positive("step", step)
    now = EvaluatedPolicy(problem, problem.log_policy(logits))
    seen, steps = [now], [1.0 if step is None else step]
    for _ in range(require_count("iterations", iterations)):
        gradient = problem.gradient(now)
        if step is not None:
            now = problem.moved(now, gradient, step)
        else:
            found = _line_search(problem, now, gradient, 2.0 * steps[-1])
            if found is None:
                break
            now, size = found
            steps.append(size)
        seen.append(now)
    name = "policy gradient, line search" if step is None else f"policy gradient, step {step:g}"
    taken = np.full(len(seen) - 1, step) if step is not None else np.array(steps[1:])
    return problem.trace(name, seen, taken)


@takes_our_words
def natural_policy_gradient(
    mdp: MDP,
    temperature: float,
    *,
    step: float | None = None,
    iterations: int = 50,
    logits: Any = None,
    prior: Any = None,
) -> GradientTrace:
    """The natural policy gradient with entropy, of fixed step size eta (NPG).

    mdp : the problem; its discount is below 1.
    temperature : alpha >= 0, in units of reward.
    step : eta; None: (1-gamma)/alpha, which makes it soft policy iteration and is the largest step
        with a guarantee.  Larger ones are allowed (improvement can fail, and the policy need not
        settle); temperature 0 has no largest step: give one.
    iterations : how many steps.
    logits : (S, A), the start; None: 0, the uniform policy.
    prior : probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.

    Returns a `GradientTrace`: objectives, values, errors and their theoretical bounds after each
    step, and the last policy.

    Raises ModelError (mdp, logits, prior) and ConfigError (an option, discount 1, temperature 0
    without a step).

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> trace = maxent.natural_policy_gradient(mdp, temperature=0.1, iterations=5)
    >>> trace.iterations, bool(trace.errors[-1] < 1e-12)
    (5, True)
    >>> bool((trace.errors[1:] <= trace.theoretical[1:]).all())
    True
    """
    problem = SoftmaxProblem(mdp, temperature, prior)
    if step is None and problem.temperature == 0.0:
        raise ConfigError("temperature = 0 has no largest step (1-gamma)/alpha; give a step")
    largest = math.inf
    if problem.temperature > 0.0:
        largest = (1.0 - mdp.discount) / problem.temperature
    step = largest if step is None else require_positive("step", step)
    iterations = require_count("iterations", iterations)
    weight = 1.0 if step == largest else step * problem.temperature / (1.0 - mdp.discount)
    now = EvaluatedPolicy(problem, problem.log_policy(logits))
    seen = [now]
    for _ in range(iterations):
        goal = operators.backup(mdp, now.v) * step / (1.0 - mdp.discount)
        goal = goal + weight * problem.bonus
        kept = (1.0 - weight) * np.where(problem.available, now.log_policy, 0.0)
        now = EvaluatedPolicy(problem, problem.log_policy(kept + goal))
        seen.append(now)
    name = f"natural policy gradient, step {step:.3g}"
    if step == largest:
        name = "natural policy gradient, largest step (soft policy iteration)"
    return problem.trace(name, seen, np.full(iterations, step), weight)


def _line_search(
    problem: SoftmaxProblem, now: EvaluatedPolicy, gradient: ndarray, step: float
) -> tuple[EvaluatedPolicy, float] | None:
    """The first of step, step/2, ... at which J rises by half of what the gradient promises; None
    where no step does."""
    promised = 0.5 * float((gradient**2).sum())
    for halvings in range(100):
        size = step * 0.5**halvings
        rise = size * promised
        if not rise > 1e-15 * abs(now.objective):
            return None
        there = problem.moved(now, gradient, size)
        if there.objective - now.objective >= rise:
            return there, size
    return None
