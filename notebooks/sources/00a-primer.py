# %% [markdown]
# # A ten-minute primer
#
# *After this notebook you can* read the words that the course takes for granted: state, policy, discount, V and Q,
# contraction, nat, KL. If you know them, go on to notebook 1. The [glossary](glossary.md) has them in a line each.

# %%
import numpy as np

import maxent
from maxent import learn, plots

mdp = maxent.gridworld("S...G", discount=0.9)

# %% [markdown]
# ## States, actions, policies
#
# A **Markov decision process** has *states* (here: five cells), *actions* (up, right, down, left), and for
# each state and action the *probabilities* of the next state and a *reward*: here each step costs 0.04, and the
# goal pays 1 and ends the episode: it is **terminal**. What happens next depends on the state and the action
# alone, not on how one came there.
#
# A **policy** $\pi(a|s)$ is a probability for each action in each state: an array (states, actions) whose rows
# sum to 1.

# %%
transition = mdp.to_dense().transition
print("states, actions, next states:", transition.shape)
print("reward of going right, by state:", np.round(mdp.reward[:, 1], 2))
policy = np.tile([0.1, 0.7, 0.1, 0.1], (mdp.n_states, 1))
print("each row sums to", policy.sum(axis=1))

# %% [markdown]
# ## Discount and return
#
# A reward that comes $t$ steps later counts $\gamma^t$ times; $\gamma$, below 1, is the **discount**. The
# **return** is the sum $r_0 + \gamma r_1 + \gamma^2 r_2 + \dots$ One may read $1 - \gamma$ as the
# probability that everything ends after this step.
#
# **Predict, then run.** A reward of 1 at every step, for ever, at discount 0.9: what is the return?

# %%
my_return = ...

# %%
learn.reveal(my_return, sum(0.9**t for t in range(2000)), "1 + x + x^2 + ... = 1 / (1 - x).")

# %% [markdown]
# **Exercise P.1.** Write the return of a list of rewards.
#
# <details><summary>Hint</summary>`discount ** np.arange(len(rewards))`.</details>


# %%
def my_discounted(rewards, discount):
    # solution
    return float(np.sum(discount ** np.arange(len(rewards)) * np.asarray(rewards)))
    # stub: return ...


learn.check_exercise("P.1", my_discounted)

# %% [markdown]
# ## V and Q
#
# $V^\pi(s)$ is the expected return from state $s$ when one follows $\pi$; $Q^\pi(s,a)$ the same when the first
# action is $a$. They are tied together by one step of looking ahead (the **Bellman equation**):
#
# $$Q^\pi(s,a) = r(s,a) + \gamma\,\mathbb E_{s'} V^\pi(s'), \qquad V^\pi(s) = \sum_a \pi(a|s)\, Q^\pi(s,a).$$
#
# (When entropy is paid, $V$ gets one more term: notebook 2.)

# %%
found = maxent.soft_policy_evaluation(mdp, policy, temperature=0.0)
print("V:", np.round(found.v, 3))
print("Q of the start (up, right, down, left):", np.round(found.q[0], 3))
plots.value_map(mdp, found)

# %% [markdown]
# ## Contraction
#
# Read the equation as a recipe: put any $V$ in on the right, get a new one on the left. Two different guesses come
# closer by the factor $\gamma$ at least, each time: the recipe is a **contraction**. So wherever one starts, one
# ends at the same $V$, and after $k$ sweeps the error is at most $\gamma^k$ times what it was.

# %%
one, two = np.zeros(mdp.n_states), 100.0 * np.arange(mdp.n_states)
print(f"at first        they differ by {np.abs(one - two).max():.1e}")
for sweep in range(1, 61):
    one, two = ((policy * maxent.backup(mdp, v)).sum(axis=1) for v in (one, two))
    if sweep in (1, 2, 10, 60):
        print(f"after sweep {sweep:2} they differ by {np.abs(one - two).max():.1e}")

# %% [markdown]
# ## Entropy, nats, KL
#
# The **entropy** $\mathcal H(p) = -\sum_a p_a \log p_a$ says how undecided $p$ is: 0 for a sure choice, $\log n$
# for a fair one among $n$. With the natural logarithm its unit is the **nat**. **Predict, then run:** how
# many nats has the toss of a fair coin? (One bit, but not one nat.)

# %%
my_nats = ...

# %%
learn.reveal(my_nats, float(maxent.entropy(np.log([[0.5, 0.5]]))[0]), "log 2: a bit is 0.693 nats.")

# %% [markdown]
# The **Kullback-Leibler divergence** says how far $p$ is from $q$:
# $\mathrm{KL}(p\,\|\,q) = \sum_a p_a \log(p_a/q_a)$. It is 0 only where they are the same, never negative, and not
# symmetric. (Where $p_a = 0$ the term is 0; where $q_a = 0$ but $p_a > 0$ the divergence is infinite.)
#
# **Exercise P.2.** Write it, in nats, for probabilities that are all above 0.
#
# <details><summary>Hint</summary>It is the average of $\log(p_a/q_a)$ when $a$ is drawn from $p$: one line, with
# `np.log` and `np.sum`.</details>


# %%
def my_kl(p, q):
    # solution
    return float(np.sum(p * np.log(p / q)))
    # stub: return ...


learn.check_exercise("P.2", my_kl)

# %% [markdown]
# ## And the rest
#
# A **soft** value counts entropy as well as reward; a **temperature** says at which rate. An **occupancy** counts
# how often, discounted, a state is visited. A **bound** in this course is an interval that surely holds a value.
#
# Next: [1 · Soft-max, entropy, temperature](01-soft-max.ipynb).
