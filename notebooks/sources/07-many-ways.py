# %% [markdown]
# # 7 · Many ways to do the task
#
# It is often said that maximum-entropy agents are robust: they learn *all the ways* to do a task, so when one
# way is closed they take another. Is it true? On a map it can be computed. You will find where the saying
# fails, where it holds, and what it costs.
#
# *After this notebook you can* compute the probability that a policy arrives, without simulating it; tell apart
# three policies that are all called optimal, and say which of them survives a change; and name a world in which
# temperature helps, and one in which it does not. About 60 minutes; notebook 6 comes first.
#
# The test is the same throughout: solve a world, **freeze the policy**, turn one floor cell into a wall, and
# ask how often the frozen policy still reaches the goal within 100 steps. It never learns that the wall is
# there; a step into it leaves it where it is.

# %%
import warnings

import numpy as np
from scipy.optimize import brentq

import maxent
from maxent import learn, plots
from maxent.tabular.tradeoff.reaching import reaching_probability

# %% [markdown]
# ## The probability of arriving
#
# Carry a distribution over states forward, one step at a time; what enters the goal has arrived and is taken
# out. (The goal's row of the transitions is 0: what is there now is gone after the next step.)
#
# **Exercise 7.1.** Write it. `policy` has the shape (states, actions), `mdp.to_dense().transition` the shape
# (states, actions, states), `mdp.initial_distribution` is where the agent starts and `mdp.terminal` says which
# states are goals. Return one number.
#
# <details><summary>Hint</summary>`np.einsum("sa,sat->st", policy, transition)` is the matrix of one step. In
# each of the steps: multiply, add what is in a goal to a total.</details>


# %%
def my_arrival(mdp, policy, steps):
    # solution
    chain = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    where, arrived = mdp.initial_distribution, 0.0
    for _ in range(steps):
        where = where @ chain
        arrived += where[mdp.terminal].sum()
    return arrived
    # stub: return ...


learn.check_exercise("7.1", my_arrival)

# %% [markdown]
# ## Two ways, one closed
#
# A ring: from `S` to `G` there are two ways of twelve steps. The package has the same function
# (`reaching_probability`), which the notebook uses from here on.

# %%
RING = """.........
.#######.
S#######G
.#######.
........."""


def moved(policy, mdp, changed):
    """The policy of one map on another that has the same cells or fewer."""
    return policy[[mdp.grid.state_at(*cell) for cell in changed.grid.cells.tolist()]]


def arrives(mdp, policy):
    return float(mdp.initial_distribution @ reaching_probability(mdp, policy, 100))


ring = maxent.gridworld(RING, discount=0.95)
closed = maxent.gridworld(RING[:-5] + "#" + RING[-4:], discount=0.95)
print("\n".join(closed.grid.text))

# %% [markdown]
# **Predict, then run.** At temperature 0.03 the agent in the open ring uses both ways equally often. The lower
# way is now closed. With which probability does it arrive?

# %%
my_probability = ...

# %%
for temperature in (0.0, 0.01, 0.03, 0.05):
    policy = maxent.solve(ring, temperature).policy
    print(
        f"temperature {temperature:<4}  arrives {arrives(closed, moved(policy, ring, closed)):.3f}"
    )
learn.reveal(
    my_probability,
    arrives(closed, moved(maxent.solve(ring, 0.03).policy, ring, closed)),
    "It chooses a way at the start; on the wrong one, each cell of the corridor tells it to go on.",
)

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("7.a", my_choice)

# %% [markdown]
# A fair coin between two ordinary agents, one for each way, does as well. The policy is *many ways* only at
# the fork. So much for the saying: what matters is how often the policy can choose again.
#
# ## Every single cell, blocked
#
# Now an open field of ten by ten cells. Each of the 98 floor cells is blocked in turn. Four policies, all from
# the same solver:
#
# - **committed**: of the best actions always the first, as a program with `argmax` takes it;
# - **ties shared**: all best actions alike (the solution at temperature 0);
# - **the limit**: temperature towards 0. Among all policies of the same return it has the greatest entropy
#   (key LIMIT-ZERO);
# - **soft**: temperature 0.04.


# %%
def blocked(mdp):
    """The worlds with one floor cell turned into a wall, where the goal can still be reached."""
    text, worlds = "\n".join(mdp.grid.text), []
    for place in (k for k, character in enumerate(text) if character == "."):
        with warnings.catch_warnings():
            warnings.simplefilter("error", maxent.errors.MaxEntWarning)
            try:
                wall = text[:place] + "#" + text[place + 1 :]
                worlds.append(maxent.gridworld(wall, discount=mdp.discount))
            except maxent.errors.MaxEntWarning:
                pass  # a cell cannot reach the goal any more: left out
    return worlds


field = maxent.gridworld("open-10x10", discount=0.95)
worlds = blocked(field)
hard = maxent.solve(field, 0.0).policy
policies = {
    "committed": np.eye(4)[hard.argmax(axis=1)],
    "ties shared": hard,
    "the limit": maxent.tradeoff(field, [0.0]).policy(0.0),
    "soft, 0.04": maxent.solve(field, 0.04).policy,
}
plots.side_by_side(field, policies, "entropy", columns=2)

# %% [markdown]
# **Predict, then run.** In how many of the 98 worlds does the *committed* agent arrive less than half of the
# time?

# %%
my_count = ...


# %%
def chances(policy):
    return np.array([arrives(world, moved(policy, field, world)) for world in worlds])


for name, policy in policies.items():
    c, earns = chances(policy), maxent.policy_return(field, policy)
    print(f"{name:<12} return {earns:.4f}   worst {c.min():.4f}   mean {c.mean():.4f}")
learn.reveal(
    my_count,
    int((chances(policies["committed"]) < 0.5).sum()),
    "Exactly the cells of its one path between start and goal.",
)

# %% [markdown]
# Three rows have the same return. Ordinary reinforcement learning cannot tell them apart, yet the worst case
# goes from 0 to 0.75. So here the saying holds, and the first part of the help is **free**: choose the limit, not the
# first best action. The rest, up to 0.95, is paid for in return.
#
# ## What it costs when it is not free
#
# Let the second way be a little longer: 14 steps where the first has 12 (the map `blocked-path`). Now nothing is
# free: the limit takes the short way only, its worst chance is 0, and the second way must be bought with
# temperature. Both maps, against what the agent still earns in the unchanged world:

# %%
curves = {}
for name in ("blocked-path", "open-10x10"):
    world = maxent.gridworld(name, discount=0.95)
    closed_worlds, earned, worst = blocked(world), [], []
    for temperature in (1e-4, 0.01, 0.02, 0.03, 0.04, 0.05):
        policy = maxent.solve(world, temperature).policy
        earned.append(maxent.policy_return(world, policy))
        worst.append(min(arrives(w, moved(policy, world, w)) for w in closed_worlds))
    curves[name] = (earned, worst)
plots.lines(
    curves,
    x="return in the unchanged world (discounted)",
    y="chance of arriving, worst blocked cell",
    title="Robustness has a price, except where it is free\ntemperature 0.0001 (right) to 0.05 (left), discount 0.95",
)

# %% [markdown]
# **Exercise 7.2.** How hot must the agent in `blocked-path` be, so that it arrives at least one time in ten
# whatever cell is blocked? Find the temperature to four decimals; it is between 0.02 and 0.05.
#
# <details><summary>Hint</summary>A function of the temperature: the worst chance less 0.1. Then
# `scipy.optimize.brentq`, or halve the interval fifteen times.</details>

# %%
# solution
path = maxent.gridworld("blocked-path", discount=0.95)
path_worlds = blocked(path)


def above_one_in_ten(temperature):
    policy = maxent.solve(path, temperature).policy
    return min(arrives(world, moved(policy, path, world)) for world in path_worlds) - 0.1


my_temperature = brentq(above_one_in_ten, 0.02, 0.05, xtol=1e-6)
# stub: my_temperature = ...


learn.check_exercise("7.2", my_temperature)

# %% [markdown]
# **Exercise 7.3.** Draw a map of at most 40 cells on which temperature helps as much as it can: the worst chance
# is below 0.1 for the limit and above 0.9 at temperature 0.04. (One `S`, one `G`, walls `#`, floor `.`; a cell
# whose wall would cut the goal off is not counted.)
#
# <details><summary>Hint</summary>A ring gains nothing: it has one fork. Where can an agent change its mind
# often? And where has an agent that takes only the *best* actions no choice at all?</details>

# %%
# solution
my_map = """.....
S...G
....."""
# stub: my_map = ...


learn.check_exercise("7.3", my_map)

# %% [markdown]
# **What the theorem does not say.** No theorem says "robust against walls". What *is* proved (key ROBUST; Eysenbach
# and Levine, 2021) is robustness against an adversary who lowers **rewards** within a budget, in the world as it is; a
# wall changes the dynamics. LIMIT-ZERO says that the limit has the greatest entropy at the greatest return, and no more: that
# entropy helps on the field and not in the ring is a fact about the two maps. Nor does an agent that goes on
# learning need any of this: it would find the other way by itself.
#
# Next: [8 · Find the bug](08-find-the-bug.ipynb).

# %%
learn.links("LIMIT-ZERO", "ROBUST")
