# %% [markdown]
# # 2 · Soft policy evaluation
#
# *After this notebook you can* compute what a given policy is worth when entropy is paid; say how that worth
# depends on the temperature, without computing it again; and find the place of a discount that one of the papers
# left out. About 60 minutes; notebook 1 comes first.
#
# Fix a policy $\pi$. Its **soft value** counts rewards and, at the rate $\alpha$, the entropy of every choice:
#
# $$V^\pi(s) = \sum_a \pi(a|s)\, Q^\pi(s,a) + \alpha\,\mathcal H(\pi(\cdot|s)), \qquad
#   Q^\pi(s,a) = r(s,a) + \gamma\,\mathbb E_{s'} V^\pi(s').$$
#
# In a terminal state nothing follows: its value is 0, and no entropy is paid there. (SAC-L1; Haarnoja et al.
# 2018, Lemma 1.)

# %%
import numpy as np
from scipy.optimize import brentq

import maxent
from maxent import learn, plots

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
start = mdp.grid.state_at(1, 1)

# %% [markdown]
# For a fixed policy these are *linear* equations, one a state: $V = e + \gamma P_\pi V$ with the earnings
# $e(s) = \sum_a \pi(a|s)\, r(s,a) + \alpha \mathcal H(\pi(\cdot|s))$ and $P_\pi(s,s') = \sum_a \pi(a|s) P(s'|s,a)$.
#
# **Exercise 2.1.** Solve them. `mdp.to_dense().transition` is $P$ (states, actions, states),
# `mdp.reward` is $r$ (states, actions), `maxent.entropy(np.log(policy))` the entropy of each state, and
# `mdp.terminal` marks the terminal states. (Nothing follows there: their rows of $P$ are 0 already.)
#
# <details><summary>Hint</summary>Set the terminal entries of $e$ to 0, then `np.linalg.solve`.</details>


# %%
def my_evaluation(mdp, policy, temperature):
    # solution
    step = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    earned = (policy * mdp.reward).sum(axis=1) + temperature * maxent.entropy(np.log(policy))
    earned[mdp.terminal] = 0.0
    return np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * step, earned)
    # stub: return ...


learn.check_exercise("2.1", my_evaluation)

# %% [markdown]
# ## A textbook example, with a temperature
#
# Sutton and Barto's 4x4 grid (their Figure 4.1): each step costs 1, two corners end the episode. The book has no
# discount; here it is so near 1 that no printed digit changes. The random walk's values are $-14, -18, -20, -22$.

# %%
book = maxent.gridworld("sutton-barto-4x4")
walk = np.full((book.n_states, 4), 0.25)
plots.value_map(book, maxent.soft_policy_evaluation(book, walk, temperature=0.0))

# %% [markdown]
# Now pay for entropy. A choice among four equal actions has $\log 4 = 1.386$ nats. **Predict, then run:** at
# temperature $1/\log 4$, what is the random walk worth in the far corner, where it was $-22$?

# %%
my_value = ...

# %%
balanced = 1.0 / np.log(4.0)
paid = maxent.soft_policy_evaluation(book, walk, temperature=balanced)
far = int(np.argmin(maxent.soft_policy_evaluation(book, walk, temperature=0.0).v))
learn.reveal(my_value, float(paid.v[far]), "Each step costs 1 and its entropy earns 1.")
best = maxent.solve(book, balanced)
print(f"the optimum at that temperature differs from it by {np.abs(best.v - paid.v).max():.0e}")

# %% [markdown]
# There the random walk is not only worth 0 everywhere: it is *optimal* (BALANCE; notebook 5 has more).
#
# ## Straight lines
#
# The temperature stands in the equations once, as a factor of the entropies. So $V^\pi$ is a straight line in
# $\alpha$: return, plus $\alpha$ times the discounted entropy. **Predict, then run:** one policy of the four
# rooms, evaluated at temperatures 0 and 1. What is it worth at 7?

# %%
some_policy = maxent.solve(mdp, 0.02).policy


def worth(policy, temperature):
    return float(maxent.soft_policy_evaluation(mdp, policy, temperature=temperature).v[start])


print(f"at 0: {worth(some_policy, 0.0):.4f}, at 1: {worth(some_policy, 1.0):.4f}")
my_value_at_7 = ...

# %%
learn.reveal(my_value_at_7, worth(some_policy, 7.0), "V(7) = V(0) + 7 (V(1) - V(0)).")

# %% [markdown]
# Three policies are three lines. The best possible value at each temperature is the upper edge of *all* such lines, so
# it is convex (ENVELOPE). Where do two lines cross?

# %%
temperatures = np.linspace(0.0, 0.06, 25)
policies = {
    "hard optimum": maxent.solve(mdp, 0.0).policy,
    "soft optimum of 0.02": some_policy,
    "random walk": np.full((mdp.n_states, 4), 0.25),
}
curves = {name: (temperatures, [worth(p, t) for t in temperatures]) for name, p in policies.items()}
curves["best possible"] = (temperatures, [maxent.solve(mdp, t).v[start] for t in temperatures])
plots.lines(
    curves,
    x="temperature (reward units per nat)",
    y="soft value of the start (reward units, discounted)",
    title="Each policy is a line: four-rooms, slip 0.1, discount 0.95",
)

# %% [markdown]
# **Exercise 2.2.** At which temperature are two policies worth the same, from the initial distribution?
# `maxent.policy_return` and `maxent.discounted_entropy` take `(mdp, policy)` and give one number each.
#
# <details><summary>Hint</summary>$R_1 + \alpha H_1 = R_2 + \alpha H_2$.</details>


# %%
def my_crossing(mdp, first, second):
    # solution
    paid = maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second)
    return paid / (maxent.discounted_entropy(mdp, second) - maxent.discounted_entropy(mdp, first))
    # stub: return ...


learn.check_exercise("2.2", my_crossing)
hard, walk = policies["hard optimum"], policies["random walk"]
crossing = brentq(lambda t: worth(hard, t) - worth(walk, t), 0.0, 0.06)
print(f"above temperature {crossing:.4f} a random walk is worth more than the hard optimum")

# %%
# solution
my_choice = "c"
# stub: my_choice = ...
learn.quiz("2.a", my_choice)

# %% [markdown]
# ## Where does the discount go?
#
# Lemma 1 of the soft actor-critic paper is proved by putting the entropy into the reward:
# $r_\pi(s,a) = r(s,a) + \mathbb E_{s'} \mathcal H(\pi(\cdot|s'))$, with $\alpha = 1$, and then evaluating
# $r_\pi$ as usual. The next state's entropy then counts in full, its value with $\gamma$.
#
# **Exercise 2.3 (a bug).** Write one sweep of Q, from $q$ to $r + \gamma\,\mathbb E_{s'} V(s')$, with the
# discount where it belongs. The terminal states' $V$ is 0.
#
# <details><summary>Hint</summary>First $V(s') = \sum_a \pi q + \alpha\mathcal H$, then the backup
# `maxent.backup(mdp, v)`.</details>


# %%
def my_q_sweep(mdp, policy, temperature, q):
    # solution
    v = (policy * q).sum(axis=1) + temperature * maxent.entropy(np.log(policy))
    v[mdp.terminal] = 0.0
    return maxent.backup(mdp, v)
    # stub: return ...


learn.check_exercise("2.3", my_q_sweep)

# %% [markdown]
# How much does it matter? Evaluate one policy at temperature 0.1 both ways. (The wrong way is the right one with
# $(1-\gamma)\,\alpha\,\mathbb E_{s'}\mathcal H$ more reward, which makes the next entropy count in full.)

# %%
exact = maxent.soft_policy_evaluation(mdp, some_policy, temperature=0.1)
nats = np.where(mdp.terminal, 0.0, maxent.entropy(np.log(some_policy)))
extra = 0.1 * (1 - mdp.discount) * mdp.to_dense().transition @ nats
slipped = maxent.MDP(
    mdp.transition, mdp.reward + extra, discount=mdp.discount, terminal=mdp.terminal
)
q = maxent.soft_policy_evaluation(slipped, some_policy, temperature=0.1).q
alive = ~mdp.terminal
print(f"Q is off by up to {np.abs(q - exact.q)[alive].max():.4f}")
print(f"greedy action changed in {(q.argmax(1) != exact.q.argmax(1))[alive].sum()} states")

# %% [markdown]
# **What the theorem does not say.** It evaluates the policy that you have, at the temperature that you name; a
# high soft value may be all entropy. And with $\gamma = 1$ it needs a policy that surely arrives.
#
# Next: [3 · Soft value iteration](03-soft-value-iteration.ipynb) looks for the best policy.

# %%
print(maxent.verify(mdp, temperature=0.1, keys=["SAC-L1", "ENVELOPE"]))
learn.links("SAC-L1", "ENVELOPE")
