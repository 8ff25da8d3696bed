# %% [markdown]
# # 0 · A tour
#
# *After this notebook you can* solve a small world exactly, draw what the agent does, and say in two sentences why
# an agent that is paid for its options may refuse to arrive. About 40 minutes; no reinforcement learning needed,
# some Python. Words that are new are in the [glossary](glossary.md).
#
# An agent of ordinary reinforcement learning maximises reward. A *maximum-entropy* agent maximises reward
# **and** keeps its options open: at every step it is paid $\alpha$ times the entropy of its choice as well,
#
# $$J_\alpha(\pi) = \mathbb E\Big[\sum_t \gamma^t \big(r(s_t,a_t) + \alpha\, \mathcal H(\pi(\cdot\mid s_t))\big)\Big].$$
#
# In words: the **policy** $\pi$ gives each action a probability in each state; $s_t$ and $a_t$ are state and action
# of step $t$, $r$ is the reward, and a payment $t$ steps away counts $\gamma^t$ times ($\gamma$ below 1 is the
# **discount**). $\alpha$ is called the **temperature**. The **entropy** $\mathcal H$ says how undecided a choice is, in
# nats: a sure choice has 0, a fair one among four actions $\log 4 = 1.386$. Everything here is solved *exactly*: no
# neural network, no sampling, and every value comes with a bound on its error.

# %%
import numpy as np

import maxent
from maxent import learn, plots

# %% [markdown]
# ## A world
#
# Four rooms, drawn in text: `#` is a wall, `S` the start, `G` the goal (reward +1, and the episode
# ends). Each step costs 0.04, and one move in ten slips to the side.

# %%
mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
print(mdp)
print("\n".join(mdp.grid.text))

# %% [markdown]
# ## A soft solution
#
# Colour is the soft value $V(s)$: what the agent expects from this cell on, entropy included. The arrows of a cell are
# as long as their actions are probable.

# %%
solution = maxent.solve(mdp, temperature=0.02)
print(solution)
plots.value_map(mdp, solution)

# %% [markdown]
# **Predict, then run.** At temperature 0 the agent is an ordinary one. When the temperature rises, does
# the value of the start state rise or fall? Write "rises" or "falls".

# %%
my_prediction = ...

# %%
start = mdp.grid.state_at(1, 1)
values = {t: float(maxent.solve(mdp, t).v[start]) for t in (0.0, 0.02, 0.04, 0.1)}
print({t: round(value, 3) for t, value in values.items()})
learn.reveal(
    my_prediction,
    "rises" if values[0.1] > values[0.0] else "falls",
    "Entropy is paid, and it is never negative: every policy is worth more when it is paid more.",
)

# %% [markdown]
# So it is doing better and better? **Predict, then run.** The agent stands in the cell to the *left* of the
# goal, at temperature 0.1. Which of its moves is the likeliest: "up", "right" (into the goal), "down" or
# "left"?

# %%
my_move = ...

# %%
goal, beside = mdp.grid.state_at(11, 11), mdp.grid.state_at(11, 10)
hot = maxent.solve(mdp, 0.1).policy[beside]
learn.reveal(my_move, mdp.action_names[int(np.argmax(hot))], f"It has probability {hot.max():.2f}.")
for t in values:
    visits = maxent.occupancy(mdp, maxent.solve(mdp, t).policy)
    print(f"temperature {t:<4}  discounted arrivals {visits[goal].sum():.4f}")
plots.hard_and_soft(mdp, list(values), columns=2)

# %% [markdown]
# As the values rise, the agent *stops arriving*. Wandering earns entropy at every step; the goal pays 1 and ends the
# income.
#
# (A *discounted* arrival after $t$ steps counts $\gamma^t$: at temperature 0 the agent arrives surely, after 22 steps
# on average, and $0.95^{22} = 0.32$. `occupancy` counts all visits in this way, by state and action.)

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("0.a", my_choice)

# %% [markdown]
# **Exercise 0.1 (by pencil).** A step costs `cost` (here 0.04, unless your teacher gave you a seed). At which
# temperature does the entropy of a fair choice among four actions just pay for it?
#
# <details><summary>Hint</summary>How much does such a choice earn at temperature $\alpha$?</details>

# %%
cost = learn.variant("0.1")
# solution
my_temperature = cost / np.log(4)
# stub: my_temperature = ...
learn.check_exercise("0.1", my_temperature)

# %% [markdown]
# **Exercise 0.2.** Find the temperature at which the agent beside the goal chooses the goal with probability
# `share` (one half), to five decimals. `chooses(t)` is that probability at temperature t; it falls as t rises.
#
# <details><summary>Hint</summary>Bisection: begin with [0.01, 0.1] and keep the half in which the probability
# crosses `share`, thirty times. Or `scipy.optimize.brentq`.</details>

# %%
share = learn.variant("0.2")


def chooses(temperature):
    return maxent.solve(mdp, temperature).policy[beside, 1]  # action 1 is "right"


# solution
low, high = 0.01, 0.1
for _ in range(30):
    middle = (low + high) / 2
    low, high = (middle, high) if chooses(middle) > share else (low, middle)
my_turning_point = middle
# stub: my_turning_point = ...
learn.check_exercise("0.2", my_turning_point)

# %% [markdown]
# ## How sure is that?
#
# The solver does not say "it changed little, so it must be right". It returns an interval that holds the exact
# value of this MDP in every state, rounding included, and stops when the interval is narrow.

# %%
for tolerance in (1e-1, 1e-4, 1e-9):
    answer = maxent.solve(mdp, 0.02, tolerance=tolerance)
    lower, upper = answer.lower[start], answer.upper[start]
    print(f"asked for {tolerance:.0e}: V(start) in [{lower:.10f}, {upper:.10f}]")

# %% [markdown]
# And the theorems of the papers (soft Q-learning, soft actor-critic) can be checked on this very MDP, clause by clause.
# Each has a key; `learn.links` says where its proof, its function and its checks are.

# %%
print(maxent.verify(mdp, temperature=0.02, keys=["SQL-T1", "SAC-T1"]))
learn.links("SQL-T1", "SAC-T1")

# %% [markdown]
# ## Other people's worlds
#
# Any Gymnasium environment with a table of transitions can be solved as well: the lake of ice, at temperature 0. Two
# moves in three slip to the side there, so the best move is often one that cannot slip into a hole, even if it points
# away from the goal.

# %%
lake = maxent.from_gymnasium("FrozenLake-v1", discount=0.99)
plots.value_map(lake, maxent.solve(lake, temperature=0.0))

# %% [markdown]
# **What this does not say.** That the agent is broken: it maximises what it was told to. Or that your own agent
# does this: where the goal does not end the income, nothing of the kind happens (notebook 5).
#
# Next: the [ten-minute primer](00a-primer.ipynb), or [1 · Soft-max](01-soft-max.ipynb).
