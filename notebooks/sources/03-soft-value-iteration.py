# %% [markdown]
# # 3 · Soft value iteration contracts
#
# *After this notebook you can* write soft value iteration; say why it converges and how fast; stop it when
# its answer is certainly good enough; and name a soft maximum for which none of this is true.
# About 60 minutes; notebook 1 comes first.
#
# The soft-optimal values satisfy the **soft Bellman equation** (SQL-T2; Haarnoja et al. 2017, Eq. 7)
#
# $$Q^*(s,a) = r(s,a) + \gamma\, \mathbb E_{s'}\big[V^*(s')\big], \qquad
#   V^*(s) = \alpha \log \sum_a e^{Q^*(s,a)/\alpha}.$$
#
# Soft value iteration (SQL-T3) turns the equation into a recipe: start anywhere and apply the right-hand
# side, the operator $T$, again and again.

# %%
import numpy as np

import maxent
from maxent import learn, plots
from maxent.tabular.solvers.convergence import convergence

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9, goals="absorbing")
temperature = 0.05
rng = np.random.default_rng(0)
print(mdp)

# %% [markdown]
# **Exercise 3.1.** One sweep: from values $v$ (states,) to $Tv$ (states,). `maxent.backup(mdp, v)` gives
# $q = r + \gamma P v$ (states, actions); `maxent.soft_value(q, temperature)` is the soft maximum of each row.
#
# <details><summary>Hint</summary>Two calls: the backup, then the soft value.</details>


# %%
def my_sweep(mdp, v, temperature):
    # solution
    return maxent.soft_value(maxent.backup(mdp, v), temperature)
    # stub: return ...


learn.check_exercise("3.1", my_sweep)

# %% [markdown]
# ## A contraction
#
# Take any two $v_1, v_2$ and let $T$ act on both: they come closer, in the largest difference, at least by
# the factor $\gamma$. **Predict, then run:** among a thousand random pairs, what is the largest ratio
# $\|Tv_1 - Tv_2\| / \|v_1 - v_2\|$? ($\gamma$ is 0.9.)

# %%
my_ratio = ...


# %%
def sweep(v, mdp=mdp):
    return maxent.soft_value(maxent.backup(mdp, v), temperature)


pairs = rng.normal(size=(1000, 2, mdp.n_states))
ratios = [np.abs(sweep(a) - sweep(b)).max() / np.abs(a - b).max() for a, b in pairs]
learn.reveal(
    my_ratio,
    max(ratios),
    "Where two values differ most at the goal, which leads only to itself, nothing averages it away.",
)
print(f"on average {np.mean(ratios):.3f}")

# %% [markdown]
# Why never more than $\gamma$? The soft maximum is *monotone*, and moves by exactly $c$ when all its inputs
# do. So with $c = \|v_1 - v_2\|$ its output on $\gamma P v_1$ lies within $\gamma c$ of that on
# $\gamma P v_2$. That is the whole proof; each half is a clause that `verify` checks on this very MDP.

# %%
# solution
my_choice = "c"
# stub: my_choice = ...
learn.quiz("3.a", my_choice)

# %%
print(maxent.verify(mdp, temperature, keys=["SQL-T3"]))

# %% [markdown]
# So the error falls at least as fast as $\gamma^k$. Here are the true error of the iterate $V_k$, the bound of theory,
# and the bound that the solver certifies as it goes (soon the same as the error). The lowest line belongs to a better
# answer, the middle of an interval that surely holds $V^*$; you will compute it below.

# %%
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
    "What is left is the sum of all later changes: gamma / (1 - gamma) = 999 times the last.",
)

# %% [markdown]
# **Exercise 3.2 (a bug).** That loop's condition is wrong in many programs. Write what it should compare with
# $\varepsilon$: a bound on $\|Tv - V^*\|$ computed from $v$, $Tv$ and $\gamma$.
#
# <details><summary>Hint</summary>$\|Tv - V^*\| = \|Tv - TV^*\| \le \gamma \|v - V^*\|$, and
# $\|v - V^*\| \le \|v - Tv\| + \|Tv - V^*\|$. Put one into the other.</details>


# %%
def my_error_bound(v, after, discount):
    # solution
    return discount / (1 - discount) * np.abs(after - v).max()
    # stub: return ...


learn.check_exercise("3.2", my_error_bound)

# %% [markdown]
# What counts is less the *size* of the change $b = Tv - v$ than its *spread*. Where no state is terminal,
#
# $$Tv + \tfrac{\gamma}{1-\gamma}\min b \;\le\; V^* \;\le\; Tv + \tfrac{\gamma}{1-\gamma}\max b
#   \qquad\text{(MacQueen's bounds)}.$$
#
# **Exercise 3.3.** Compute both from a given $v$: two rows, the lower bound and the upper.
#
# <details><summary>Hint</summary>`np.stack([lower, upper])`; `mdp.discount` is $\gamma$.</details>


# %%
def my_bounds(mdp, v, temperature):
    # solution
    after = maxent.soft_value(maxent.backup(mdp, v), temperature)
    gain, change = mdp.discount / (1 - mdp.discount), after - v
    return np.stack([after + gain * change.min(), after + gain * change.max()])
    # stub: return ...


learn.check_exercise("3.3", my_bounds)

# %% [markdown]
# How much that saves shows at discount 0.9999. Sweep 76 times. The iterate is hopeless; the middle between
# its bounds is right to six decimals.

# %%
slow = maxent.gridworld("four-rooms", slip=0.1, discount=0.9999, goals="absorbing")
exact = maxent.soft_policy_iteration(slow, temperature)
v = np.zeros(slow.n_states)
for _ in range(76):
    before, v = v, sweep(v, slow)
change = v - before
middle = v + slow.discount / (1 - slow.discount) * (change.min() + change.max()) / 2
off = np.abs(middle - exact.v).max()
print(f"the iterate is off by {np.abs(v - exact.v).max():.0f}, the middle by {off:.1e}")
sweeps = np.log(off / np.abs(exact.v).max()) / np.log(slow.discount)
print(f"for that, gamma^k promises {sweeps:,.0f} sweeps")

# %% [markdown]
# ## Not any soft maximum will do
#
# The *Boltzmann average* weighs $q$ with its own soft-max instead of taking the logarithm. It looks
# innocent. One state: stay (reward 0.02, discount 0.98) or leave (reward 0.1).


# %%
def boltzmann_average(v, inverse_temperature=16.55):
    q = np.array([0.02 + 0.98 * v, 0.1])
    weights = np.exp(inverse_temperature * (q - q.max()))
    return float(weights @ q / weights.sum())


for start in (0.0, 0.17, 0.18):
    v = start
    for _ in range(3000):
        v = boltzmann_average(v)
    print(f"from {start}: {v:.4f}")

# %% [markdown]
# Two answers, depending on the start: no contraction (Asadi and Littman, 2017). The logarithm is not
# decoration.
#
# **What the theorem does not say.** That 76 sweeps are enough elsewhere: the spread shrinks by the second
# eigenvalue of the optimal policy's transitions, times $\gamma$, and a world of two halves that hardly mix has
# one near 1. That a table fitted from samples, or a network, contracts. Or that $V^*$ is what you want: it
# solves the MDP that was written down.
#
# Next: [4 · Improvement and policy iteration](04-policy-iteration.ipynb) needs 7 steps instead.

# %%
learn.links("SQL-T2", "SQL-T3")
