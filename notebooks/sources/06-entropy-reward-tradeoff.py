# %% [markdown]
# # 6 · The entropy-reward trade-off
#
# *After this notebook you can* compute what a policy earns and how random it is, exactly and without simulation;
# say what one more nat of entropy costs, and where it costs nothing; and find the temperature that belongs to a
# wanted entropy. About 60 minutes; notebook 5 comes first.
#
# Keeping options open costs return. How much? For each temperature $\alpha$ the soft-optimal policy has a
# **return** $R$ (expected discounted reward, without the entropy) and a **discounted entropy** $H$ (in
# nats, without the factor $\alpha$). As $\alpha$ runs from 0 to infinity the point $(H, R)$ runs along a
# curve.

# %%
import numpy as np
from scipy.optimize import brentq

import maxent
from maxent import learn, plots

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
curve = maxent.tradeoff(mdp, np.logspace(-3, 1, 50))
print(curve)

# %% [markdown]
# The occupancy $x(s,a)$ of a policy, its discounted visits, solves one linear system, and
#
# $$R = \sum_{s,a} x(s,a)\, r(s,a), \qquad H = \sum_s d(s)\, \mathcal H(\pi(\cdot\mid s)), \qquad d(s) = \sum_a x(s,a).$$
#
# **Exercise 6.1.** Compute both, the return first. `maxent.occupancy(mdp, policy)` has the shape (states, actions);
# `maxent.entropy(np.log(policy))` gives one number a state; terminal states (`mdp.terminal`) earn none.
#
# <details><summary>Hint</summary>Two sums. In the second, leave out the states where `mdp.terminal` is
# true.</details>


# %%
def my_return_and_entropy(mdp, policy):
    # solution
    x = maxent.occupancy(mdp, policy)
    entropies = maxent.entropy(np.log(policy))
    return (x * mdp.reward).sum(), (x.sum(axis=1) * entropies)[~mdp.terminal].sum()
    # stub: return ...


learn.check_exercise("6.1", my_return_and_entropy)

# %% [markdown]
# ## The first nats
#
# **Predict, then run.** Without slip, four rooms has many shortest paths. How many nats of discounted entropy can
# a policy have without losing *any* return? (The curve above ends at 27.7.) The cell also tells what is left with a slip
# of one per cent.

# %%
my_free_nats = ...

# %%
for slip in (0.01, 0.0):
    limit = maxent.tradeoff(maxent.gridworld("four-rooms", slip=slip, discount=0.95), [0.0])
    print(f"slip {slip:<4}  return {limit.returns[0]:.4f}, entropy {limit.entropies[0]:.3f} nats")
learn.reveal(
    my_free_nats,
    limit.entropies[0],
    "A tie is free. With slip, ways of one length are no longer worth the same: few ties are left.",
)

# %% [markdown]
# ## The front
#
# **Predict, then run.** Now with a slip of ten per cent. Take the policy at temperature 0.02 and its neighbour with
# one nat more of discounted entropy. About how much return does that nat cost?

# %%
my_price = ...

# %%
policy = maxent.solve(mdp, 0.02).policy
neighbour = maxent.temperature_for_entropy(mdp, maxent.discounted_entropy(mdp, policy) + 1.0)
learn.reveal(
    my_price,
    maxent.policy_return(mdp, policy) - maxent.policy_return(mdp, neighbour.policy),
    f"The temperature is the price of a nat: from 0.02 to {neighbour.temperature:.4f} on the way.",
)

# %% [markdown]
# That is no accident. Along the curve $\mathrm dR / \mathrm dH = -\alpha$ (SLOPE): if a little more entropy could
# be had for less than $\alpha$ a nat, the policy that maximises $R + \alpha H$ would have bought it. The tangent
# in the figure has slope $-0.02$; random policies all lie below the curve: it is a **Pareto front**.

# %%
plots.tradeoff(curve, tangent=0.02, random_policies=300)

# %% [markdown]
# **Exercise 6.2.** Compute the slope between each pair of neighbours on a curve, from its returns and entropies
# (one entry a temperature, ascending).
#
# <details><summary>Hint</summary>`np.diff` of one divided by `np.diff` of the other.</details>


# %%
def my_slopes(returns, entropies):
    # solution
    return np.diff(returns) / np.diff(entropies)
    # stub: return ...


learn.check_exercise("6.2", my_slopes)
between = (-curve.temperatures[1:] <= curve.secants) & (curve.secants <= -curve.temperatures[:-1])
print(f"slopes between minus their two temperatures: {between.sum()} of {between.size}")

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("6.a", my_choice)

# %% [markdown]
# ## Along the curve
#
# At 0 the policy is decided; then it blurs; at the far end it avoids the goal, because the goal ends the
# income of entropy. Colours show the entropy of the policy in each state.

# %%
plots.tradeoff_policies(mdp, curve, [0, 0.01, 0.02, 0.03, 0.05, np.inf], columns=2)

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
    f"read off the 50 temperatures it would be {coarse:.5f}, {coarse / crossing - 1:.0%} too high"
)
plots.reaching(curve)

# %% [markdown]
# ## From an entropy to its temperature
#
# Often one knows how random a policy should be, not at which price. Maximising return subject to
# $H \ge h$ is a convex problem in the occupancy, and its multiplier *is* the temperature (DUAL-TEMPERATURE);
# `temperature_for_entropy` solves it.
#
# **Exercise 6.3.** Find the temperature at which the discounted entropy is `target`, by bisection. The
# entropy rises with the temperature; start from the interval [0.001, 1].
#
# <details><summary>Hint</summary>Halve the interval thirty times, keeping the half in which the entropy
# crosses the target. `maxent.discounted_entropy(mdp, maxent.solve(mdp, temperature).policy)`.</details>


# %%
def my_temperature_at(mdp, target):
    # solution
    low, high = 0.001, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        reached = maxent.discounted_entropy(mdp, maxent.solve(mdp, middle).policy)
        low, high = (middle, high) if reached < target else (low, middle)
    return (low + high) / 2
    # stub: return ...


learn.check_exercise("6.3", my_temperature_at)
lowest, highest = curve.entropy_range
print(f"attainable in four rooms: {lowest:.3f} to {highest:.3f} nats")

# %% [markdown]
# **What the theorem does not say.** SLOPE is about *discounted* entropy, summed over time from the start: the entropy
# in a single state may fall while the temperature rises. It says nothing about policies that a network can
# represent; their front lies below. And soft actor-critic, which tunes its temperature by the same dual, one gradient
# step at a time, asks for an entropy *at each step*, undiscounted: a related problem with another answer.
#
# Next: [7 · Many ways to do the task](07-many-ways.ipynb).

# %%
learn.links("SLOPE", "DUAL-TEMPERATURE")
