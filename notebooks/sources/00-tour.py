# %% [markdown]
# # 0 · A tour
#
# An agent of ordinary reinforcement learning maximises reward. A *maximum-entropy* agent maximises
# reward **and** keeps its options open: it is paid $\alpha$ times the entropy of its policy at every
# step,
#
# $$J_\alpha(\pi) = \mathbb E\Big[\sum_t \gamma^t \big(r(s_t,a_t) + \alpha\, \mathcal H(\pi(\cdot\mid s_t))\big)\Big].$$
#
# $\alpha$ is called the **temperature**. Entropy is measured in nats: a fair choice among four actions
# is worth $\log 4$. This notebook solves a few small worlds *exactly*: no neural network, no sampling,
# and every number comes with a bound on its error.

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
# Colour is the soft value $V(s)$; the arrows of a cell are as long as their actions are probable.

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
values = {t: maxent.solve(mdp, t).v[start] for t in (0.0, 0.02, 0.04, 0.1)}
print({t: round(float(v), 3) for t, v in values.items()})
learn.reveal(
    my_prediction,
    "rises" if values[0.1] > values[0.0] else "falls",
    "Entropy is paid, and it is never negative, so every policy is worth more when it is paid more.",
)

# %% [markdown]
# ## From decided to undecided
#
# The same world at several temperatures. Look at the last one: the policy has become nearly uniform,
# and the colours have turned around. Wandering for ever earns entropy at every step; the goal pays 1
# and *ends the income*.
#
# The **occupancy** makes that exact. $x(s,a)$ is the expected discounted number of times that the agent
# takes action $a$ in state $s$; at the goal it is the discounted probability of ever arriving.

# %%
goal = mdp.grid.state_at(11, 11)
for t in (0.0, 0.02, 0.04, 0.1):
    policy = maxent.solve(mdp, t).policy
    print(
        f"temperature {t:<4}  discounted arrivals {maxent.occupancy(mdp, policy)[goal].sum():.3f}"
    )
plots.hard_and_soft(mdp, [0.0, 0.02, 0.04, 0.1])

# %% [markdown]
# ## How sure is that?
#
# The solver does not say "it changed little, so it must be right". It returns an interval that holds the
# exact value of this MDP in every state, rounding included, and stops when the interval is narrow.

# %%
for tolerance in (1e-1, 1e-4, 1e-9):
    answer = maxent.solve(mdp, 0.02, tolerance=tolerance)
    print(
        f"asked for {tolerance:.0e}: V(start) in [{answer.lower[start]:.10f}, {answer.upper[start]:.10f}]"
    )

# %% [markdown]
# And the theorems of the papers can be checked on this very MDP. Each line is one clause of a theorem;
# *slack* is how far the worst case was from violating it, *tolerance* what rounding alone could do.

# %%
report = maxent.verify(mdp, temperature=0.02, keys=["SQL-T1", "SAC-T1"])
print(report)

# %% [markdown]
# **Exercise 1.** Find a temperature at which the policy in the start state has an entropy between 0.9 and
# 1.1 nats. `maxent.entropy(log_policy)` gives the entropy of every state, at most $\log 4 = 1.39$.
#
# <details><summary>Hint</summary>At 0.005 it is below that, at 0.02 above. Try something between.</details>

# %%
# solution
my_temperature = 0.01
# stub: my_temperature = ...


# %%
def entropy_at_start(temperature):
    return (
        ...
        if temperature is ...
        else maxent.entropy(maxent.solve(mdp, temperature).log_policy)[start]
    )


learn.check_function(
    entropy_at_start,
    [(my_temperature,)],
    lambda _: 1.0,
    tolerance=0.1,
    hint="more temperature, more entropy",
)

# %% [markdown]
# **Exercise 2.** Draw a world of your own in which the agent, starting at `S` between *two* goals, goes
# left or right with the same probability at temperature 0.1. (The two goals `G` are worth the same.)
#
# <details><summary>Hint</summary>A corridor that looks the same from both ends will do.</details>

# %%
# solution
my_map = "G...S...G"
# stub: my_map = ...


# %%
def goals_and_preference(text):
    """How many goals there are, and how much likelier left is than right at the start."""
    if text is ...:
        return ...
    world = maxent.gridworld(text, discount=0.95)
    up, right, down, left = maxent.solve(world, 0.1).policy[
        int(np.argmax(world.initial_distribution))
    ]
    return text.count("G"), left - right


learn.check_function(
    goals_and_preference,
    [(my_map,)],
    lambda _: (2, 0.0),
    hint="two goals, equally easy to reach from S",
)

# %% [markdown]
# ## Other people's worlds
#
# Any Gymnasium environment with a table of transitions can be solved as well. **Predict, then run:**
# FrozenLake pays 1 for reaching the far corner over slippery ice, nothing otherwise. With a discount of
# 0.99 and the best ordinary policy, what is the value of the start, between 0 and 1?

# %%
my_value = ...

# %%
lake = maxent.from_gymnasium("FrozenLake-v1", discount=0.99)
best = maxent.solve(lake, temperature=0.0)
learn.reveal(
    my_value, best.v[0], "Holes are absorbing, and only one step in three goes where it should."
)
plots.value_map(lake, best)

# %% [markdown]
# Next: notebook 3 shows *why* the solver converges and how it can be so sure; notebook 6 follows the
# trade-off between entropy and reward along its whole curve.
