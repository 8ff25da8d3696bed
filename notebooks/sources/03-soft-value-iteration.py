# %% [markdown]
# # 3 · Soft value iteration contracts
#
# The soft-optimal values satisfy the **soft Bellman equation** (SQL-T2; Haarnoja et al. 2017, Eq. 7)
#
# $$Q^*(s,a) = r(s,a) + \gamma\, \mathbb E_{s'}\big[V^*(s')\big], \qquad
#   V^*(s) = \alpha \log \sum_a e^{Q^*(s,a)/\alpha}.$$
#
# Soft value iteration (SQL-T3) turns the equation into a recipe: start anywhere and apply the right-hand
# side, the operator $T$, again and again. This notebook shows why that works, how fast, and when to stop.

# %%
import numpy as np

import maxent
from maxent import learn, plots

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9, goals="absorbing")
temperature = 0.05
exact = maxent.soft_policy_iteration(mdp, temperature)
rng = np.random.default_rng(0)
print(mdp, exact, sep="\n")

# %% [markdown]
# **Exercise 1.** Write the soft value of $q$, an array (states, actions). Subtract the largest entry of
# each row before `np.exp` and add it back afterwards: at small temperatures $e^{q/\alpha}$ overflows.
#
# <details><summary>Hint</summary>$\alpha \log \sum_a e^{q_a/\alpha} = m + \alpha \log \sum_a
# e^{(q_a - m)/\alpha}$ for every $m$.</details>


# %%
def my_soft_value(q, temperature):
    # solution
    top = q.max(axis=1)
    return top + temperature * np.log(np.exp((q - top[:, None]) / temperature).sum(axis=1))
    # stub: return ...


# %%
cases = [(rng.normal(size=(3, 4)), 1.0), (rng.normal(size=(3, 4)), 0.1), (1e3 * np.eye(3), 1e-3)]
learn.check_function(
    my_soft_value,
    cases,
    maxent.soft_value,
    hint="is the temperature both inside and outside the log?",
)

# %% [markdown]
# **Exercise 2.** One sweep: from values $v$ (states,) to $Tv$ (states,). `maxent.backup(mdp, v)` gives
# $q = r + \gamma P v$.
#
# <details><summary>Hint</summary>Two function calls: the backup, then the soft value.</details>


# %%
def my_sweep(v):
    # solution
    return maxent.soft_value(maxent.backup(mdp, v), temperature)
    # stub: return ...


# %%
def sweep(v):
    return maxent.soft_value(maxent.backup(mdp, v), temperature)


learn.check_function(
    my_sweep,
    [(rng.normal(size=mdp.n_states),)],
    sweep,
    hint="first q, then its soft value",
    mdp=mdp,
)

# %% [markdown]
# ## A contraction
#
# Take any two $v_1, v_2$ and let $T$ act on both: they come closer, in the largest difference, at least by
# the factor $\gamma$. **Predict, then run:** among a thousand random pairs, what is the largest ratio
# $\|Tv_1 - Tv_2\| / \|v_1 - v_2\|$? ($\gamma$ is 0.9.)

# %%
my_ratio = ...


# %%
def ratio(v1, v2):
    return np.abs(sweep(v1) - sweep(v2)).max() / np.abs(v1 - v2).max()


pairs = rng.normal(size=(1000, 2, mdp.n_states))
ratios = np.array([ratio(v1, v2) for v1, v2 in pairs])
learn.reveal(
    my_ratio,
    float(ratios.max()),
    "Where two values differ most at the goal, which leads only to itself, nothing averages it away.",
)
v = rng.normal(size=mdp.n_states)
print(f"on average {ratios.mean():.3f}; a pair that differs by a constant: {ratio(v, v + 1):.12f}")

# %% [markdown]
# A constant difference always attains the bound: $T(v + c) = Tv + \gamma c$. Why never more than $\gamma$? The soft-max is
# *monotone* and moves by exactly $c$ when all its inputs do, so between $v_1 - c$ and $v_1 + c$ with $c =
# \|v_1 - v_2\|$ its output can move by at most $c$; the factor $\gamma$ then does the rest. That is the
# whole proof, and each half is a clause that `verify` checks:

# %%
print(maxent.verify(mdp, temperature, keys=["SQL-T3"]))

# %% [markdown]
# So the error falls at least as fast as $\gamma^k$. The theoretical bound, the certified bound that the
# solver computes as it goes, and the true error:

# %%
from maxent.tabular.solvers.convergence import convergence

plots.convergence(convergence(mdp, temperature))

# %% [markdown]
# ## When to stop
#
# A tempting rule is to stop when a sweep changes nothing by more than $\varepsilon$. **Predict, then run:**
# one state, one action, reward 1, discount 0.999, so $V^* = 1000$. Sweeping from 0 until the change is below
# $10^{-3}$, how far is the answer from 1000?

# %%
my_error = ...

# %%
v, change = 0.0, 1.0
while change > 1e-3:
    v, change = 1.0 + 0.999 * v, abs(1.0 + 0.999 * v - v)
learn.reveal(
    my_error,
    1000.0 - v,
    "What is left is the sum of all later changes: gamma / (1 - gamma) = 999 times.",
)

# %% [markdown]
# The right rule uses that sum. With $b = Tv - v$, and where no state is terminal,
#
# $$Tv + \tfrac{\gamma}{1-\gamma}\min b \;\le\; V^* \;\le\; Tv + \tfrac{\gamma}{1-\gamma}\max b$$
#
# (MacQueen's bounds): what counts is not the size of the change but its *spread*.
#
# **Exercise 3.** Compute both bounds from a given $v$.
#
# <details><summary>Hint</summary>`mdp.discount` is gamma; the answer is two arrays, stacked.</details>


# %%
def my_bounds(v):
    # solution
    b = sweep(v) - v
    gain = mdp.discount / (1 - mdp.discount)
    return np.stack([sweep(v) + gain * b.min(), sweep(v) + gain * b.max()])
    # stub: return ...


# %%
def bounds(v):
    tv, gain = sweep(v), mdp.discount / (1 - mdp.discount)
    return np.stack([tv + gain * (tv - v).min(), tv + gain * (tv - v).max()])


learn.check_function(my_bounds, [(v0,) for v0 in pairs[0]], bounds, hint="min b below, max b above")
v = np.zeros(mdp.n_states)
for _ in range(40):
    v = sweep(v)
lower, upper = bounds(v)
inside = bool((lower <= exact.upper).all() and (exact.lower <= upper).all())
print(f"width {np.ptp([lower, upper], axis=0).max():.2e}, holds the exact value: {inside}")

# %% [markdown]
# ## Not any soft-max will do
#
# The *Boltzmann operator* averages $q$ under its own soft-max instead of taking the logarithm. It looks
# innocent, but it is no contraction. One state: stay (reward 0.02, discount 0.98) or leave (reward 0.1).


# %%
def boltzmann_average(v, inverse_temperature=16.55):
    q = np.array([0.02 + 0.98 * v, 0.1])
    weights = np.exp(inverse_temperature * (q - q.max()))
    return float(weights @ q / weights.sum())


for v in (0.0, 0.17, 0.18):
    begin = v
    for _ in range(3000):
        v = boltzmann_average(v)
    print(f"from {begin}: {v:.4f}")

# %% [markdown]
# Two different answers, depending on the start: there are several fixed points, and none of SQL-T3's
# promises hold (Asadi and Littman, 2017). The logarithm in the soft value is not decoration.
