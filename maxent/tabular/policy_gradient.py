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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, require_mdp, validation
from maxent.support.arguments import require_count, require_positive, require_temperature
from maxent.support.arrays import HasPolicy, ReadOnly
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.linear_systems import solve_discounted
from maxent.tabular.solvers.convergence import reference_value


@dataclass(frozen=True, eq=False)
class GradientTrace(ReadOnly, HasPolicy):
    """What a gradient method did; entry k of an array is the policy after k steps.

    method : its name.
    temperature, discount : of the problem.
    objectives : (K+1,), J(pi_k), from the initial distribution.
    values : (K+1, S), V^{pi_k}.
    errors : (K+1,), max_s (V*(s) - V^{pi_k}(s)) in absolute value.
    theoretical : (K+1,), the bound on the errors of NPG's theorem; nan where there is none.
    steps : (K,), the step sizes.
    log_policy : (S, A), of the last policy, the logits to go on from.
    optimum : J*, the largest objective.
    reference_error : certified bound on the error of V*; errors below it say nothing.
    """

    method: str
    temperature: float
    discount: float
    objectives: ndarray
    values: ndarray
    errors: ndarray
    theoretical: ndarray
    steps: ndarray
    log_policy: ndarray
    optimum: float
    reference_error: float

    @property
    def iterations(self) -> int:
        """K, the number of steps taken."""
        return len(self.steps)

    def __repr__(self) -> str:
        return (
            f"GradientTrace({self.method}, temperature {self.temperature:g}, {self.iterations} "
            f"steps, error {self.errors[0]:.2g} -> {self.errors[-1]:.2g})"
        )


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
    problem = _SoftmaxProblem(mdp, temperature, prior)
    return problem.gradient(_EvaluatedPolicy(problem, problem.log_policy(logits)))


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
    problem = _SoftmaxProblem(mdp, temperature, prior)
    if step is not None:
        step = require_positive("step", step)
    now = _EvaluatedPolicy(problem, problem.log_policy(logits))
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
    problem = _SoftmaxProblem(mdp, temperature, prior)
    if step is None and problem.temperature == 0.0:
        raise ConfigError("temperature = 0 has no largest step (1-gamma)/alpha; give a step")
    largest = math.inf
    if problem.temperature > 0.0:
        largest = (1.0 - mdp.discount) / problem.temperature
    step = largest if step is None else require_positive("step", step)
    weight = 1.0 if step == largest else step * problem.temperature / (1.0 - mdp.discount)
    now = _EvaluatedPolicy(problem, problem.log_policy(logits))
    seen = [now]
    for _ in range(require_count("iterations", iterations)):
        goal = operators.backup(mdp, now.v) * step / (1.0 - mdp.discount)
        goal = goal + weight * problem.bonus
        kept = (1.0 - weight) * np.where(problem.available, now.log_policy, 0.0)
        now = _EvaluatedPolicy(problem, problem.log_policy(kept + goal))
        seen.append(now)
    name = f"natural policy gradient, step {step:.3g}"
    if step == largest:
        name = "natural policy gradient, largest step (soft policy iteration)"
    return problem.trace(name, seen, np.full(iterations, step), weight)


class _SoftmaxProblem:
    """What stays fixed while the policy changes."""

    def __init__(self, mdp: MDP, temperature: float, prior: Any) -> None:
        self.mdp, self.temperature, self.prior = mdp, require_temperature(temperature), prior
        if require_mdp(mdp).discount == 1.0:
            raise ConfigError(
                "discount = 1: the value of a policy need not exist and the natural step is 0; use "
                "a discount just below 1 such as 1 - 1e-9"
            )
        self.log_prior = mdp.log_prior(prior)
        self.available = np.ones(mdp.reward.shape, dtype=bool)
        self.bonus = np.zeros(mdp.reward.shape)  # log prior, 0 where unavailable
        if self.log_prior is not None:
            self.available = self.log_prior > -np.inf
            self.bonus = np.where(self.available, self.log_prior, 0.0)

    def log_policy(self, logits: Any) -> Float[ndarray, "S A"]:
        """The soft-max of the logits over the available actions; uniform in terminal states."""
        shape = self.mdp.reward.shape
        array = np.zeros(shape) if logits is None else validation.real_array("logits", logits)
        if array.shape != shape:
            raise ModelError(f"logits has shape {array.shape}; it must be {shape} (S, A)")
        array = np.where(self.available & ~self.mdp.terminal[:, None], array, 0.0)
        if not np.isfinite(array).all():
            state, action = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ModelError(
                f"logits of state {state}, action {action} is {float(array[state, action])!r}; "
                "logits of available actions must be finite"
            )
        mask = np.where(self.available, 0.0, -np.inf)
        return operators.boltzmann_policy(array, 1.0, mask)

    def gradient(self, now: _EvaluatedPolicy) -> Float[ndarray, "S A"]:
        """d pi A, the soft policy gradient; d = 0 at terminal states."""
        mdp = self.mdp
        visits = solve_discounted(now.transition.T, mdp.initial_distribution * ~mdp.terminal)
        surprise = np.where(self.available, now.log_policy, 0.0) - self.bonus
        advantage = operators.backup(mdp, now.v) - self.temperature * surprise - now.v[:, None]
        return visits[:, None] * now.policy * advantage

    def moved(self, now: _EvaluatedPolicy, gradient: ndarray, step: float) -> _EvaluatedPolicy:
        """The policy one step along the gradient, evaluated."""
        start = np.where(self.available, now.log_policy, 0.0)
        return _EvaluatedPolicy(self, self.log_policy(start + step * gradient))

    def trace(
        self, method: str, seen: list[_EvaluatedPolicy], steps: ndarray, weight: float = math.nan
    ) -> GradientTrace:
        """Hold what was seen against V*; weight: of the natural gradient."""
        mdp = self.mdp
        optimum, reference_error = reference_value(mdp, self.temperature, self.prior)
        values = np.array([each.v for each in seen])
        return GradientTrace(
            method=method,
            temperature=self.temperature,
            discount=mdp.discount,
            objectives=values @ mdp.initial_distribution,
            values=values,
            errors=np.abs(optimum - values).max(axis=1),
            theoretical=self._theoretical(optimum, seen[0], len(steps), weight),
            steps=steps,
            log_policy=seen[-1].log_policy,
            optimum=float(optimum @ mdp.initial_distribution),
            reference_error=reference_error,
        )

    def _theoretical(
        self, optimum: ndarray, start: _EvaluatedPolicy, count: int, weight: float
    ) -> Float[ndarray, " K"]:
        """Cen et al.'s Theorem 1: after t+1 steps max |Q* - Q| <= gamma C rho^t and alpha max
        |log pi* - log pi| <= 2 C rho^t, rho = 1 - eta alpha; V* - V is at most their sum."""
        bound = np.full(count + 1, np.nan)
        mdp, alpha = self.mdp, self.temperature
        if not (0.0 < weight <= 1.0):
            return bound
        nonterminal = ~mdp.terminal[:, None] & self.available
        best = operators.backup(mdp, optimum)
        log_best = operators.boltzmann_policy(best, alpha, self.log_prior)
        first = np.abs(best - operators.backup(mdp, start.v))[nonterminal].max(initial=0.0)
        apart = np.abs(log_best[nonterminal] - start.log_policy[nonterminal]).max(initial=0.0)
        constant = first + 2.0 * alpha * (1.0 - weight) * apart
        rate = 1.0 - weight * (1.0 - mdp.discount)
        bound[1:] = (2.0 + mdp.discount) * constant * rate ** np.arange(count)
        return bound


class _EvaluatedPolicy:
    """A policy with its exact soft value."""

    def __init__(self, problem: _SoftmaxProblem, log_policy: Float[ndarray, "S A"]) -> None:
        mdp = problem.mdp
        self.log_policy, self.policy = log_policy, np.exp(log_policy)
        self.transition = mdp.discount * operators.policy_transition(mdp, self.policy)
        earned = operators.policy_reward(mdp, log_policy, problem.temperature, problem.log_prior)
        self.v = solve_discounted(self.transition, earned)
        self.objective = float(mdp.initial_distribution @ self.v)


def _line_search(
    problem: _SoftmaxProblem, now: _EvaluatedPolicy, gradient: ndarray, step: float
) -> tuple[_EvaluatedPolicy, float] | None:
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
