# %% [markdown]
# # 15 · Which agents solve it?
#
# *After this notebook you can* make a problem whose maximum-entropy solution you know, in any environment; say what an agent's
# policy and values are worth without its return; and explain why the smaller of two Q's makes values too low, and by how much.
# About 60 minutes, with PyTorch; notebooks 10 and 12 come first.
#
# A deep agent is judged by its return. That says neither whether its policy is the soft-optimal one nor whether its values are.
# A table can be solved exactly; a humanoid can't. So turn it round: **choose the answer first**, any policy $\pi$ and any value $V$
# (0 after a termination), and pay
#
# $$ r(s, a, s') = \alpha \log \pi(a|s) + V(s) - \gamma V(s'). $$
#
# Then $Q^* = r + \gamma V = \alpha \log \pi + V$, its soft maximum is $V$, and its Boltzmann policy is $\pi$: the answer is right, whatever
# the dynamics (`KNOWN`).

# %%
import numpy as np
import torch
from torch.distributions import Independent, Normal, TanhTransform, TransformedDistribution

import maxent
from maxent import learn, plots
from maxent.learn.records import record

# %% [markdown]
# **Exercise 15.1.** Write the rewards of some steps. All arguments but the last two are arrays with an entry for each step;
# `terminated` says where the episode ended.
#
# <details><summary>Hint</summary>`np.where(terminated, 0.0, next_v)`.</details>


# %%
def my_reward(log_density, v, next_v, terminated, temperature, discount):
    # solution
    following = np.where(terminated, 0.0, next_v)
    return temperature * log_density + v - discount * following
    # stub: return ...


learn.check_exercise("15.1", my_reward)

# %% [markdown]
# ## First rung: a table
#
# Four rooms, with the number of the state as its value (over 100) and a policy that likes to go up. Does the solver find both?

# %%
rooms = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
policy = np.tile([0.4, 0.3, 0.2, 0.1], (rooms.n_states, 1))
table = maxent.known_answer(rooms, policy, np.arange(rooms.n_states) / 100, temperature=0.1)
solution = maxent.solve(table.mdp, temperature=0.1)
print(f"V off by {np.abs(solution.v - table.v).max():.1e}, certified {solution.error_bound:.1e}")

# %% [markdown]
# ## Second rung: a pendulum, and an agent
#
# The same with Pendulum's dynamics, where no table is: the chosen torque follows the angle, the value height and speed. The agent is
# young, a thousand steps.


# %%
def torque(s):
    return Independent(
        TransformedDistribution(Normal(-0.4 * s[:, 1:2], 0.25), [TanhTransform()]), 1
    )


known = maxent.known_answer(
    "Pendulum-v1", torque, lambda s: 2.0 * s[:, 0] + 0.4 * s[:, 2], temperature=0.2, discount=0.95
)
young = maxent.train(
    "sac",
    env=lambda: known.env,
    steps=1_000,
    seed=1,
    temperature=0.2,
    discount=0.95,
    hidden=(32, 32),
    batch_size=32,
    learning_starts=200,
    critic_rate=3e-3,
    actor_rate=3e-3,
    target_rate=0.05,
    progress=False,
)
torch.set_num_threads(1)
print(maxent.diagnose(young, known, episodes=2))

# %% [markdown]
# The last two rows are the two sides of `SUBOPT`: what the policy loses, from its returns and from its divergence. Here both
# are estimates from two episodes, so that they agree only roughly.
#
# **Exercise 15.2.** The left side needs *one path* of an agent: its rewards, the log-densities of its actions, $V$ where the path begins
# and where it was cut. How much does the agent lose on it?
#
# <details><summary>Hint</summary>$V(s_0) - \sum_t \gamma^t (r_t - \alpha \log p_t) - \gamma^T V(s_T)$.</details>


# %%
def my_loss(v_start, rewards, log_densities, v_end, temperature, discount):
    # solution
    powers = discount ** np.arange(len(rewards) + 1)
    soft_return = powers[:-1] @ (rewards - temperature * log_densities) + powers[-1] * v_end
    return v_start - soft_return
    # stub: return ...


learn.check_exercise("15.2", my_loss)

# %% [markdown]
# ## The study
#
# A point in a box, pushed about: soft actor-critic, 3,000 steps, two hidden layers of 64, and **one factor changed at a time**. These runs
# were recorded. The unit of every error of values is the deviation of $V$ itself over the states visited: at 1 an agent knows nothing
# of the difference between states.
#
# **Predict, then run.** With two Q's, of which the smaller counts (everybody's default), the policy is within a twentieth of a nat of
# $\pi^*$. How far is its $V$ from the truth on average, in that unit? (Below: a minus.)

# %%
my_two = ...

# %%
cells = record("which-agents")
base = {name: np.median(numbers) for name, numbers in cells["base"].items()}
one = {name: np.median(numbers) for name, numbers in cells["base, one Q"].items()}
print(
    f"two Q's: KL {base['policy']:.3f}; one Q: KL {one['policy']:.3f}, V off by {one['shift']:+.2f}"
)
learn.reveal(my_two, float(base["shift"]), "And the policies, by their KL, show nothing of it.")

# %% [markdown]
# Where does it come from? The smaller of two noisy numbers is below their mean; each target is lower by that, and is made of the next
# one, which is lower as well.
#
# **Exercise 15.3.** From two networks' Q of the same pairs (s, a): by how much will the agent's value, the smaller of the two, end up too
# low on average? (Negative.)
#
# <details><summary>Hint</summary>$b = \mathbb{E}|Q_1 - Q_2| / 2$ in one target; then a geometric series.</details>


# %%
def my_shift(first, second, discount):
    # solution
    below_the_mean = np.abs(first - second).mean() / 2
    return -below_the_mean / (1.0 - discount)
    # stub: return ...


learn.check_exercise("15.3", my_shift)

# %% [markdown]
# Beside that, an agent's $V$ is that of *its* policy, which really is worth less than $V^*$: by its loss. Do the two together
# explain the measured shift? Here are all cells whose policy is within half a nat of $\pi^*$:

# %%
near = [name for name in cells if np.median(cells[name]["policy"]) < 0.5]
order = sorted(near, key=lambda name: np.median(cells[name]["shift"]))
measured = [np.median(cells[name]["shift"]) for name in order]
policies = np.array([np.median(cells[name]["by the policy"]) for name in order])
caution = np.array([np.median(cells[name]["by caution"]) for name in order])
places = np.arange(len(order))
for name, told in {"the loss alone": policies, "both": policies + caution}.items():
    print(
        f"unexplained by {name}: {np.median(np.abs(measured - told)):.2f} (median of {len(order)} cells)"
    )
plots.lines(
    {
        "measured": (places, measured),
        "loss of the policy + caution": (places, policies + caution),
        "loss of the policy alone": (places, policies),
    },
    x="cells of the study, from the worst to the best",
    y="mean of V - V*, in deviations of V*",
    title="Why values are too low\nknown answers, most at temperature 0.2 and discount 0.95",
    join=False,
)

# %%
# solution
my_choice = "a"
# stub: my_choice = ...
learn.quiz("15.a", my_choice)

# %% [markdown]
# Caution halves what the loss leaves unexplained; the rest is what networks do besides. In the cells on the far right
# values are too *high*: a temperature of 0.02, and targets of three steps.
#
# **Predict, then run.** Now $\pi^*$ has two modes, far apart, and a Gaussian can hold one. How many nats of KL(agent || $\pi^*$) must that
# cost at least?

# %%
my_kl = ...

# %%
two = np.median(cells["modes 2, one Q"]["policy"])
print(f"the agent's KL: {two:.2f}")
learn.reveal(my_kl, float(np.log(2.0)), "Half of the probability is where it never goes: log 2.")

# %% [markdown]
# **What the theorem does not say.** These rewards tell in every state all about the answer: they test no *exploration* and no *memory*, and,
# unless `noise=` is given, no noise. Short runs of one small size are no verdict on an algorithm, and where a row has one seed, it is one
# seed: the table in `docs/which_agents.md` says which.
#
# This is the last notebook. Where to go: an agent of your own, on an answer of your own.

# %%
learn.links("KNOWN", "SUBOPT")
