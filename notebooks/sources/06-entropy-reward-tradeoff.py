# %% [markdown]
# # 6 · The entropy-reward trade-off
#
# Keeping options open costs return. How much? For each temperature $\alpha$ the soft-optimal policy has a
# **return** $R$ (expected discounted reward, without the entropy) and a **discounted entropy** $H$ (in
# nats, without the factor $\alpha$). As $\alpha$ runs from 0 to infinity the point $(H, R)$ runs along a
# curve. This notebook follows it, exactly.

# %%
import numpy as np
from scipy.optimize import brentq

import maxent
from maxent import learn, plots

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
curve = maxent.tradeoff(mdp, np.logspace(-3, 1, 50))
print(curve)

# %% [markdown]
# Every number is computed by linear algebra, not by simulation: the occupancy $x(s,a)$ of a policy
# solves one linear system, and
#
# $$R = \sum_{s,a} x(s,a)\, r(s,a), \qquad H = \sum_s d(s)\, \mathcal H(\pi(\cdot\mid s)), \qquad d(s) = \sum_a x(s,a).$$
#
# **Exercise 1.** Compute return and discounted entropy of the soft-optimal policy at temperature 0.02
# from its occupancy. `maxent.occupancy(mdp, policy)` has the shape (states, actions).
# `maxent.entropy(log_policy)` gives one number a state; terminal states (`mdp.terminal`) earn none.
#
# <details><summary>Hint</summary>Two sums. In the second, leave out the states where `mdp.terminal` is
# true.</details>

# %%
solution = maxent.solve(mdp, 0.02)
x = maxent.occupancy(mdp, solution.policy)
# solution
my_return = (x * mdp.reward).sum()
my_entropy = (x.sum(axis=1) * maxent.entropy(solution.log_policy))[~mdp.terminal].sum()
# stub: my_return, my_entropy = ..., ...

# %%
learn.check(
    my_return,
    maxent.policy_return(mdp, solution.policy),
    hint="x times mdp.reward, summed over both axes",
)
learn.check(
    my_entropy,
    maxent.discounted_entropy(mdp, solution.policy),
    hint="visits of a state are x summed over actions; the terminal goal earns no entropy",
)

# %% [markdown]
# ## The front
#
# **Predict, then run.** Take the policy at temperature 0.02 and its neighbour with one nat more of discounted
# entropy. About how much return does that nat cost?

# %%
my_price = ...

# %%
entropy = maxent.discounted_entropy(mdp, solution.policy)
neighbour = maxent.temperature_for_entropy(mdp, entropy + 1.0)
price = maxent.policy_return(mdp, solution.policy) - maxent.policy_return(mdp, neighbour.policy)
learn.reveal(
    my_price,
    price,
    f"The temperature is the price of a nat: from {solution.temperature:g} at the start of that step to "
    f"{neighbour.temperature:.4f} at its end.",
)

# %% [markdown]
# That is no accident. Along the curve $\mathrm dR / \mathrm dH = -\alpha$ (key SLOPE): if a little more
# entropy could be had for less than $\alpha$ a nat, the policy that maximises $R + \alpha H$ would have
# bought it. The tangent in the figure has slope $-0.02$; random policies all lie below the curve, and
# none above: it is a **Pareto front**.

# %%
plots.tradeoff(curve, tangent=0.02, random_policies=300)

# %% [markdown]
# **Exercise 2.** Check the slope yourself. From `curve.returns` and `curve.entropies` (one entry a
# temperature, ascending), compute the slope between each pair of neighbours.
#
# <details><summary>Hint</summary>`np.diff` of one divided by `np.diff` of the other.</details>

# %%
# solution
my_slopes = np.diff(curve.returns) / np.diff(curve.entropies)
# stub: my_slopes = ...

# %%
learn.check(
    my_slopes, curve.secants, tolerance=1e-6, hint="change of return over change of entropy"
)
between = (-curve.temperatures[1:] <= curve.secants) & (curve.secants <= -curve.temperatures[:-1])
print(f"slopes between minus their two temperatures: {between.sum()} of {between.size}")

# %% [markdown]
# ## Along the curve
#
# At 0 the policy is decided; then it blurs; at the far end it avoids the goal, because the goal ends the
# income of entropy. Colours show the entropy of the policy in each state.

# %%
plots.tradeoff_policies(mdp, curve, [0, 0.01, 0.02, 0.03, 0.05, np.inf], columns=3)

# %% [markdown]
# **Predict, then run.** At which temperature does the agent stop reaching the goal within 100 steps more
# often than not?

# %%
my_temperature = ...


# %%
def more_often_than_not(temperature):
    return maxent.tradeoff(mdp, [temperature]).reaching(100)[0] - 0.5


crossing = brentq(more_often_than_not, 0.02, 0.1, xtol=1e-9)
learn.reveal(
    my_temperature,
    crossing,
    "There is no gentle decline: once wandering earns more than arriving, arriving is to be avoided.",
)
coarse = curve.temperatures[np.argmax(curve.reaching(100) < 0.5)]
print(
    f"read off the grid of 50 temperatures it would be {coarse:.5f}, {coarse / crossing - 1:.0%} too high"
)
plots.reaching(curve)

# %% [markdown]
# ## From an entropy to its temperature
#
# Often one knows how random a policy should be, not at which price. Maximising return subject to
# $H \ge h$ is a convex problem whose multiplier *is* the temperature; `temperature_for_entropy` solves it.
#
# **Exercise 3.** Find the temperature at which the discounted entropy is 10 nats, by bisection. The
# entropy rises with the temperature; start from the interval [0.001, 1].
#
# <details><summary>Hint</summary>Halve the interval thirty times, keeping the half in which the entropy
# crosses 10.</details>


# %%
def my_bisection(target):
    # solution
    low, high = 0.001, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        reached = maxent.discounted_entropy(mdp, maxent.solve(mdp, middle).policy)
        low, high = (middle, high) if reached < target else (low, middle)
    return (low + high) / 2
    # stub: return ...


# %%
learn.check_function(
    my_bisection,
    [(10.0,)],
    lambda target: maxent.temperature_for_entropy(mdp, target).temperature,
    tolerance=1e-6,
    hint="if the entropy in the middle is too small, the temperature must be higher",
)
lowest, highest = curve.entropy_range
print(f"attainable: {lowest:.3f} to {highest:.3f} nats")

# %% [markdown]
# The lower end is not zero everywhere: where several actions are equally good, the limit of small
# temperatures takes the policy of *greatest* entropy among the best ones. The upper end is below $\log 4 /
# (1 - \gamma) = 27.7$ nats only by what an agent loses that cannot avoid the goal for ever.
#
# Soft actor-critic tunes its temperature by the same dual, one gradient step at a time, with an entropy
# target at each step instead of a discounted sum.
