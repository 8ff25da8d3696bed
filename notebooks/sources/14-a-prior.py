# %% [markdown]
# # 14 · A prior in place of the uniform one
#
# *After this notebook you can* put any policy in the place of "all actions alike"; recognise the tuning of language models
# by human feedback, DPO and generative flow networks as soft control; and put two solved tasks together with a bound on
# the damage. About 75 minutes; notebooks 1 and 3 come first.
#
# Entropy is, up to a constant, minus the KL divergence from the uniform policy. Replace the uniform policy by another one, the
# **prior** $\rho$ (PRIOR):
#
# $$J(\pi) = \mathbb E\sum_t\gamma^t\big(r_t - \alpha\,\mathrm{KL}(\pi\,\|\,\rho)\big),\qquad
#   V(s) = \alpha\log\sum_a\rho(a|s)\,e^{Q(s,a)/\alpha},\qquad \pi^*\propto\rho\,e^{Q/\alpha}.$$

# %%
import itertools
from math import comb

import numpy as np
from scipy.special import logsumexp

import maxent
from maxent import learn, plots
from maxent.learn.exercises.nb14 import edge_rewards

rng = np.random.default_rng(1)

# %% [markdown]
# **Exercise 14.1.** The soft value with a prior. `q` and `prior` have the shape (states, actions).
#
# <details><summary>Hint</summary>`logsumexp(x, b=weights, axis=1)` is the logarithm of a weighted sum of
# exponentials.</details>


# %%
def my_value(q, prior, temperature):
    # solution
    return temperature * logsumexp(q / temperature, b=prior, axis=1)
    # stub: return ...


learn.check_exercise("14.1", my_value)

# %% [markdown]
# ## A language model, small enough to count
#
# Three tokens, answers of four tokens: 81 answers, a tree. The *reference* model gives each next token some probability; each
# finished answer has a reward; nothing is discounted. Tuning by human feedback maximises
# $\mathbb E[R] - \beta\,\mathrm{KL}(\pi\|\text{ref})$. In the tree that is soft control with the prior ref, temperature $\beta$, discount
# 1.

# %%
TOKENS, LENGTH, BETA = 3, 4, 0.2
texts = [t for n in range(LENGTH) for t in itertools.product(range(TOKENS), repeat=n)]
number, end = {text: k for k, text in enumerate(texts)}, len(texts)
answers = list(itertools.product(range(TOKENS), repeat=LENGTH))
score = {answer: rng.normal() for answer in answers}
transition, reward = np.zeros((end + 1, TOKENS, end + 1)), np.zeros((end + 1, TOKENS))
for text, k in number.items():
    for token in range(TOKENS):
        longer = (*text, token)
        transition[k, token, number.get(longer, end)] = 1.0
        reward[k, token] = score.get(longer, 0.0)
is_end, start = np.arange(end + 1) == end, np.eye(end + 1)[0]
tree = maxent.MDP(transition, reward, discount=1.0, terminal=is_end, initial_distribution=start)
reference = rng.dirichlet(np.ones(TOKENS), end + 1)
tuned = maxent.solve(tree, BETA, prior=reference)


def log_probabilities(policy):
    """Of each answer: the log-probabilities of its tokens, summed."""
    steps = [[(number[answer[:i]], answer[i]) for i in range(LENGTH)] for answer in answers]
    return np.array([sum(np.log(policy[place]) for place in each) for each in steps])


# %% [markdown]
# The theorem: the tuned model gives an answer $y$ the probability $\mathrm{ref}(y)\,e^{R(y)/\beta}/Z$, and its value at the prompt is
# $\beta\log Z$. All 81 answers are counted. **Predict, then run:** the reference earns 0.127 on average, the best answer 2.118. How much does
# the tuned model earn?

# %%
my_reward = ...

# %%
R = np.array([score[answer] for answer in answers])
before, after = log_probabilities(reference), log_probabilities(tuned.policy)
log_z = logsumexp(before + R / BETA)
print(f"reference {np.exp(before) @ R:.3f}, best answer {R.max():.3f}")
print(
    f"largest difference from ref exp(R/beta)/Z: {np.abs(np.exp(after) - np.exp(before + R / BETA - log_z)).max():.0e}"
)
print(f"V at the prompt {tuned.v[0]:.12f}, beta log Z {BETA * log_z:.12f}")
divergence = np.exp(after) @ (after - before)
learn.reveal(
    my_reward,
    float(np.exp(after) @ R),
    f"It pays with {divergence:.2f} nats of KL, at {BETA} a nat.",
)

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("14.a", my_choice)

# %% [markdown]
# ## DPO is path consistency, rearranged
#
# Path consistency (PATH): along any path on which nothing is left to chance, $V^*(s_0)$ is what is earned,
# $\sum_t\gamma^t\big(r_t - \alpha\log\frac{\pi^*}{\rho}\big)$, and the value of where it ends. Along one answer that is
# $R(y) = \beta\log\frac{\pi(y)}{\mathrm{ref}(y)} + \beta\log Z$. Between two answers to one prompt $\log Z$ cancels: a model
# that has learned preferences *is* a reward model. That is direct preference optimisation (DPO; Rafailov et al., 2023).
#
# **Exercise 14.2.** How much better is one answer than another, according to a tuned model? `log_policy` and `log_reference` are
# log-probabilities of tokens; `better` and `worse` are the places of each answer's tokens in them.
#
# <details><summary>Hint</summary>`log_policy[better].sum()` is the log-probability of that answer.</details>


# %%
def my_reward_difference(log_policy, log_reference, better, worse, beta):
    # solution
    ratio = log_policy - log_reference
    return beta * (ratio[better].sum() - ratio[worse].sum())
    # stub: return ...


learn.check_exercise("14.2", my_reward_difference)
implied = BETA * (after - before)
print(
    f"R - implied reward is the same for all answers, up to {np.ptp(R - implied):.0e}: {np.mean(R - implied):.4f}"
)

# %% [markdown]
# ## Many paths to one object
#
# A *generative flow network* should draw objects with probability proportional to their reward. Objects are built step by step,
# and several orders of steps make the same object: not a tree, but a graph without circles. Here objects are the cells of a
# 4 x 4 board, built by steps down and right from a corner and a *stop*; **every cell has the same reward**. Soft control with
# temperature 1 (every action's weight 1) is solved. **Predict, then run:** how much likelier is the opposite corner than the start?

# %%
my_ratio = ...

# %%
cells = [(i, j) for i in range(4) for j in range(4)]
place, out = {cell: k for k, cell in enumerate(cells)}, len(cells)
edges = [
    (place[c], a, place[c[0] + (a == 0), c[1] + (a == 1)])
    for c in cells
    for a in (0, 1)
    if c[a] < 3
]


def drawn(edge_reward):
    """The probability with which each cell is drawn, with a reward on each edge."""
    p, r, mask = np.zeros((17, 3, 17)), np.zeros((17, 3)), np.zeros((17, 3), dtype=bool)
    p[:16, 2, out], mask[:, 2], mask[out] = 1.0, True, True
    for (source, action, target), value in zip(edges, edge_reward):
        p[source, action, target], r[source, action], mask[source, action] = 1.0, value, True
    board = maxent.MDP(
        p,
        r,
        discount=1.0,
        terminal=np.arange(17) == out,
        action_mask=mask,
        initial_distribution=np.eye(17)[0],
    )
    policy = maxent.solve(board, 1.0).policy
    return maxent.occupancy(board, policy)[:16, 2]


plain = drawn(np.zeros(len(edges)))
learn.reveal(my_ratio, plain[-1] / plain[0], "One for each path: 6 steps, 3 of them down.")

# %% [markdown]
# Soft control counts *paths*. The remedy is a reward of $\log P_B(s\mid s')$ on each step $s\to s'$, where $P_B$ goes back from $s'$ to one
# of its parents, here each alike. Then PATH is what that field calls *trajectory balance*, and $\log Z = V^*(s_0)$.
#
# **Exercise 14.3.** These rewards, for any graph. `edges` is an array (edges, 2) of source and target; nodes are numbered from
# 0.
#
# <details><summary>Hint</summary>`np.bincount(targets, minlength=nodes)` counts how often each number is there.</details>


# %%
def my_edge_rewards(edges, nodes):
    # solution
    parents = np.bincount(edges[:, 1], minlength=nodes)
    return -np.log(parents[edges[:, 1]])
    # stub: return ...


learn.check_exercise("14.3", my_edge_rewards)

# %%
mended = drawn(edge_rewards(np.array(edges)[:, [0, 2]], 16))
print(f"corrected: from {mended.min():.6f} to {mended.max():.6f}, and 1/16 = {1 / 16}")
paths = [comb(i + j, i) for i, j in cells]
plots.lines(
    {"uncorrected": (paths, plain), "corrected": (paths, mended)},
    x="number of paths to the cell",
    y="probability of being drawn",
    title="Equal rewards, unequal numbers of paths\n16 cells, temperature 1",
    join=False,
)

# %% [markdown]
# ## Two tasks, put together
#
# Two solved tasks on one floor: be in the top row; be in the right column. The average of their $Q$ is not the $Q^*$ of the
# average reward, but how far it is off has a certified bound (`maxent.compose`; Haarnoja et al., 2018). In the figure: the
# two tasks, the policy made from the average, the true optimum; below, what that policy loses, the bound on it, and the
# error of each $Q(s,a)$ against its bound.

# %%
floor = maxent.gridworld("\n".join(["......."] * 7), discount=0.9, step_reward=0.0)
row, column = floor.grid.cells.T
tasks = [floor.replace(reward=(row == 0) * 1.0), floor.replace(reward=(column == 6) * 1.0)]
both = maxent.compose(tasks, temperature=0.3)
print(both, f"\nQ is too large by up to {(both.q - both.optimum.q).max():.2f}")
plots.composition(both, ["top row", "right column"])

# %% [markdown]
# **What the theorem does not say.** The tuned model is optimal for *its* reward; if people disagree with the reward, the KL is
# all that holds it. DPO's identity needs the optimum: a network that has not converged implies the reward for which *it*
# would be optimal. And the bound of a composition may be loose: here the policy loses a thirtieth of what is allowed.
#
# Next: [15 · Which agents solve it?](15-which-agents.ipynb).

# %%
learn.links("PRIOR", "PATH")
