# %% [markdown]
# # 5 · The agent that won't finish
#
# *After this notebook you can* say when a maximum-entropy agent avoids its own goal, and compute the temperature
# at which it starts to; explain why adding a constant to all rewards changes the task; and tell the limits of
# small and large temperatures from what they are often taken for. About 60 minutes; notebook 1 comes first.
#
# A goal ends the episode. It also ends the income of entropy.

# %%
import numpy as np

import maxent
from maxent import learn, plots
from maxent.tabular.tradeoff.reaching import reaching_probability

FIELD = "S.......\n" + "........\n" * 6 + ".......G"


def field(**settings):
    return maxent.gridworld(FIELD, discount=0.95, slip=0.1, **settings)


def reaches(mdp, policy, steps):
    """The probability of being at the goal once within so many steps, from the start."""
    return float(mdp.initial_distribution @ reaching_probability(mdp, policy, steps))


# %% [markdown]
# An empty field of 8 x 8 cells; a step costs 0.04, the goal pays 1. A blind random walk arrives within 2,000
# steps nearly always. **Predict, then run:** with which probability does the *soft-optimal* policy at
# temperature 0.1 arrive within 2,000 steps?

# %%
my_probability = ...

# %%
mdp = field()
walk = np.full((mdp.n_states, 4), 0.25)
soft = maxent.solve(mdp, 0.1)
learn.reveal(
    my_probability,
    reaches(mdp, soft.policy, 2000),
    "A step earns up to 0.1 log 4 - 0.04 = 0.099; at discount 0.95 that is worth up to 1.97 for ever, and the "
    "goal pays 1 once.",
)
print(f"a random walk:           {reaches(mdp, walk, 2000):.4f}")
for goals, what in (("absorbing", "staying at the goal:"), ("restart", "starting again:")):
    other = field(goals=goals)
    policy = maxent.solve(other, 0.1).policy
    print(f"{what:25}{reaches(other, policy, 2000):.4f}")

# %% [markdown]
# The optimum *avoids* the goal. Where the goal does not end the income (it is absorbing: the agent stays and goes on
# earning; or the agent restarts), the same temperature does no harm.

# %%
absorbing = maxent.solve(field(goals="absorbing"), 0.1).policy
plots.side_by_side(
    mdp, {"the goal ends it": soft.policy, "the agent stays at the goal": absorbing}, "entropy"
)

# %% [markdown]
# ## The temperature at which it turns
#
# Every step pays $c$, and $g$ more on arrival. Suppose that $V$ were the *same* number $v$ in every cell. Then
# a move that arrives is worth $c + g$ and one that does not $c + \gamma v$; with $\gamma v = g$ all moves are
# worth the same, the uniform policy is optimal, and $v = c + g + \alpha\log|A|$.
#
# **Exercise 5.1.** So at which temperature does this happen? (BALANCE. Nothing in it depends on the map, the
# slip, or how many goals there are.)
#
# <details><summary>Hint</summary>Two equations for $v$; solve for $\alpha$.</details>


# %%
def my_balance(g, c, discount, n_actions):
    # solution
    return (g / discount - g - c) / np.log(n_actions)
    # stub: return ...


learn.check_exercise("5.1", my_balance)

# %% [markdown]
# Colder than that, the agent arrives sooner than a random walk; hotter, later. Test it on a map of your own:
# replace the one below.

# %%
my_map = "S..#....\n.#...#.G\n.#.#.#..\n...#...G"
mine = maxent.gridworld(my_map, discount=0.9, slip=0.3)
balance, alive = maxent.balance_temperature(mine), ~mine.terminal
for factor in (0.8, 0.99, 1.0, 1.01, 1.2):
    found = maxent.solve(mine, factor * balance)
    off = np.abs(found.policy[alive] - 0.25).max()
    visits = maxent.occupancy(mine, found.policy)[mine.terminal].sum()
    print(
        f"{factor:4} x alpha_c: farthest from uniform {off:.1e}, discounted arrivals {visits:.6f}"
    )

# %% [markdown]
# ## A constant is not harmless
#
# In a task that never ends, the same constant added to all rewards changes no policy (SHIFT). **Predict, then run:** in
# the field at temperature 0.03 the agent arrives within 100 steps for certain. Add 0.05 to the reward of every
# step. With which probability does it arrive now?

# %%
my_arrival = ...

# %%
arrivals = {}
for shift in (0.0, 0.02, 0.04, 0.05, 0.1):
    shifted = field(step_reward=-0.04 + shift)
    at_003, hard = (maxent.solve(shifted, t).policy for t in (0.03, 0.0))
    arrivals[shift] = reaches(shifted, at_003, 100)
    print(f"+{shift:.2f}: soft {arrivals[shift]:.3f}, hard {reaches(shifted, hard, 100):.3f}")
learn.reveal(my_arrival, arrivals[0.05], "The goal now ends an income of reward as well.")

# %% [markdown]
# **Exercise 5.2.** At +0.1 the *hard* agent, too, stays away. From which constant on does it gain nothing by arriving?
# (The goal pays `g`, a step `c`: 1 and -0.04 at discount 0.95, unless you have a seed.)
#
# <details><summary>Hint</summary>The hard agent has temperature 0: for which $c$ is that the balance of 5.1?
# Or compare $c + g$ now with $c$ at every step for ever.</details>

# %%
g, c, discount = learn.variant("5.2")
# solution
my_shift = g / discount - g - c
# stub: my_shift = ...
learn.check_exercise("5.2", my_shift)

# %% [markdown]
# ## Infinite temperature is not a random walk
#
# Hot agents want entropy *later* too, so they plan to keep it. In four rooms, the cell left of the goal (in the figure
# the dotted line is $\log 4$, the entropy of a fair choice):

# %%
rooms = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
beside = rooms.grid.state_at(11, 10)
hot = maxent.solve(rooms, 1e6).policy[beside]
print("at 1e6:", {name: round(float(x), 3) for name, x in zip(rooms.action_names, hot)})
temperatures = np.geomspace(0.005, 10.0, 80)
nats = [maxent.entropy(maxent.solve(rooms, t).log_policy)[beside] for t in temperatures]
print(
    f"most: {max(nats):.3f} near T = {temperatures[np.argmax(nats)]:.3f}; at the hot end {nats[-1]:.3f}"
)
print(f"alpha_c = {maxent.balance_temperature(rooms):.5f}, log 4 = {np.log(4):.3f}")
plots.lines(
    {"beside the goal": (temperatures, nats)},
    x="temperature (reward units per nat)",
    y="entropy of the policy (nats)",
    title="Left of the goal: four-rooms, slip 0.1, discount 0.95",
    log="x",
    level=np.log(4),
)

# %% [markdown]
# ## And small temperature is not temperature 0
#
# At 0 all best actions are equally good, and we choose among them evenly. As the temperature *tends* to 0 the
# agent picks, among the best policies, the one of greatest entropy: it counts the ways ahead.

# %%
plain = maxent.gridworld("open-10x10", discount=0.95)
for name, policy in (
    ("T = 0", maxent.solve(plain, 0.0).policy),
    ("T -> 0", maxent.solve(plain, 1e-4).policy),
):
    earned, nats = maxent.policy_return(plain, policy), maxent.discounted_entropy(plain, policy)
    print(f"{name:7} return {earned:.5f}, discounted entropy {nats:.2f} nats")

# %% [markdown]
# **Exercise 5.3.** Nearly without discount, every shortest path becomes equally likely. On an open field the
# goal lies `rows` down and `columns` to the right. With which probability does the next step go right?
#
# <details><summary>Hint</summary>How many shortest paths are there, and how many begin with a step to the
# right? `math.comb`.</details>


# %%
def my_right(rows, columns):
    # solution
    return columns / (rows + columns)
    # stub: return ...


learn.check_exercise("5.3", my_right)
slow = maxent.gridworld("open-10x10", discount=1 - 1e-6)
cold = maxent.solve(slow, 1e-4).policy
for row, column in ((0, 8), (0, 7), (4, 2)):
    print(
        f"from row {row}, column {column}: {cold[slow.grid.state_at(row, column), 1]:.4f} to the right"
    )

# %%
# solution
my_choice = "c"
# stub: my_choice = ...
learn.quiz("5.a", my_choice)

# %% [markdown]
# **What the theorem does not say.** BALANCE needs equal costs, equal goals, and equally many actions: pits,
# bumps that cost, or masks break it. Other tasks have no single temperature at which they turn; notebook 6
# follows the whole curve. And a trained agent that does not finish may simply not have learned to: compare it
# with the optimum first.
#
# Next: [6 · The entropy-reward trade-off](06-entropy-reward-tradeoff.ipynb).

# %%
learn.links("BALANCE", "LIMIT-ZERO", "LIMIT-INFINITY", "SHIFT")
