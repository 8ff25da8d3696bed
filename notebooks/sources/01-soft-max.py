# %% [markdown]
# # 1 · Soft-max, entropy, temperature
#
# *After this notebook you can* compute a soft maximum without overflow; say what it maximises; choose a
# temperature for a wanted randomness; and tell where soft-max surprises: it counts votes, and its cousin, the
# Boltzmann average, can punish an action for getting better. About 50 minutes; the primer comes first if words
# like *policy* or *nat* are new.
#
# This notebook has no time in it: one state, some actions, and a number $q_a$ for what each is worth.

# %%
import numpy as np

import maxent
from maxent import learn, plots

# %% [markdown]
# ## What a soft maximum maximises
#
# Pay an agent for its choice $p$ both what it gets and, at the rate $\alpha$ (the **temperature**), the
# entropy of $p$ in nats:
#
# $$\max_p \Big[\sum_a p_a q_a + \alpha\,\mathcal H(p)\Big] = \alpha \log\sum_a e^{q_a/\alpha},
# \qquad \text{attained only by}\quad p_a \propto e^{q_a/\alpha}.$$
#
# This is the Gibbs principle (GIBBS-1). The number is the **soft value**, the choice the **Boltzmann policy**.
# Two actions worth 1 and 0; each curve is the payment against the probability of the better one:

# %%
p = np.linspace(0.0, 1.0, 101)
nats = maxent.entropy(np.log(np.column_stack([p, 1.0 - p]).clip(1e-300)))
curves = {f"temperature {t:g}": (p, p + t * nats) for t in (0.0, 0.5, 1.0)}
for t in (0.5, 1.0):
    best = np.argmax(p + t * nats)
    value = maxent.soft_value(np.array([[1.0, 0.0]]), t)[0]
    print(
        f"T {t}: best at p = {p[best]:.2f}, worth {(p + t * nats)[best]:.3f}; soft value {value:.3f}"
    )
plots.lines(
    curves,
    x="probability of the better action",
    y="reward + temperature * entropy (reward units)",
    title="What is maximised: two actions, worth 1 and 0",
)

# %% [markdown]
# **Exercise 1.1.** Write the soft value of $q$, an array (states, actions). At small temperatures
# $e^{q/\alpha}$ overflows: subtract the largest entry of each row first, and add it back afterwards.
#
# <details><summary>Hint</summary>$\alpha \log \sum_a e^{q_a/\alpha} = m + \alpha \log \sum_a
# e^{(q_a - m)/\alpha}$ for every $m$.</details>


# %%
def my_soft_value(q, temperature):
    # solution
    top = q.max(axis=1)
    return top + temperature * np.log(np.exp((q - top[:, None]) / temperature).sum(axis=1))
    # stub: return ...


learn.check_exercise("1.1", my_soft_value)

# %% [markdown]
# ## Copies vote
#
# One action is worth 1. The others, all the same, are worth 0: ten buttons that do nothing, beside one that
# pays. **Predict, then run:** at temperature 0.5, with 100 buttons that do nothing, what is the probability of
# the good one? (With one it is 0.88.)

# %%
my_probability = ...

# %%
counts = np.arange(1, 101)


def good_and_value(n, temperature):
    q = np.array([[1.0] + [0.0] * n])
    probability = np.exp(maxent.boltzmann_policy(q, temperature))[0, 0]
    return probability, maxent.soft_value(q, temperature)[0]


learn.reveal(
    my_probability,
    good_and_value(100, 0.5)[0],
    "Each copy has a vote of its own, and nobody asked whether they differ.",
)
for n in (1, 3, 10, 100):
    print("{:3} of value 0: P(good) {:.3f}, soft value {:.2f}".format(n, *good_and_value(n, 0.5)))
plots.lines(
    {
        f"temperature {t}": (counts, [good_and_value(n, t)[0] for n in counts])
        for t in (0.1, 0.25, 0.5)
    },
    x="how many actions are worth 0",
    y="probability of the action worth 1",
    title="Copies vote: one action is worth 1, the others 0",
)

# %% [markdown]
# The agent is worse off in reward and *better off in soft value*: more buttons, more entropy. So entropy
# depends on how actions are counted. A **prior** says how: $p_a \propto \rho_a e^{q_a/\alpha}$.
#
# **Exercise 1.2.** The action of value 1 comes first, then $n$ copies. Write the prior (n + 1 probabilities)
# under which the copies count as one action: the good one is chosen as if $n$ were 1, whatever $q$ and
# $\alpha$ are.
#
# <details><summary>Hint</summary>Together the copies must have as much prior as the good action.</details>


# %%
def my_prior(n):
    # solution
    return np.array([0.5] + [0.5 / n] * n)
    # stub: return ...


learn.check_exercise("1.2", my_prior)

# %% [markdown]
# ## An average is not a maximum
#
# Some programs use the *Boltzmann average* $\sum_a p_a q_a$, $p$ the Boltzmann policy, as a soft maximum. Two
# actions are worth 1 and 0, at temperature 0.2. Now the second improves from 0 to 0.3. **Predict, then run:**
# does the Boltzmann average rise or fall?

# %%
my_direction = ...


# %%
def average(q, temperature=0.2):
    return float((np.exp(maxent.boltzmann_policy(q, temperature)) * q).sum())


before, after = np.array([[1.0, 0.0]]), np.array([[1.0, 0.3]])
learn.reveal(
    my_direction,
    "rises" if average(after) > average(before) else "falls",
    "It draws more probability to itself, away from the better action, faster than it gains.",
)
for name, soft in (("average", average), ("soft value", lambda q: maxent.soft_value(q, 0.2)[0])):
    print(f"{name:10} {soft(before):.4f} -> {soft(after):.4f}")

# %%
second = np.linspace(-1.0, 1.0, 81)
rows = [np.array([[1.0, q]]) for q in second]
plots.lines(
    {
        "soft value": (second, [maxent.soft_value(q, 0.2)[0] for q in rows]),
        "Boltzmann average": (second, [average(q) for q in rows]),
        "hard maximum": (second, np.ones(81)),
    },
    x="what the second action is worth (reward units; the first: 1)",
    y="soft maximum (reward units)",
    title="The average falls while an action improves (temperature 0.2)",
)

# %% [markdown]
# ## Choosing a temperature
#
# The temperature has the unit of reward: only differences $\Delta q/\alpha$ count.
#
# **Exercise 1.3.** Two actions; the second is worth `gap` less. At which temperature is it taken with
# probability `share`? (`gap` is 0.1 and `share` one in ten, unless your teacher gave you a seed.)
#
# <details><summary>Hint</summary>The ratio of the two probabilities is $e^{\Delta q/\alpha}$.</details>

# %%
gap, share = learn.variant("1.3")
# solution
my_temperature = gap / np.log((1 - share) / share)
# stub: my_temperature = ...
learn.check_exercise("1.3", my_temperature)

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("1.a", my_choice)

# %% [markdown]
# The principle and its relatives, checked on a world with time in it, clause by clause:

# %%
mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95, goals="absorbing")
print(maxent.verify(mdp, temperature=0.1, keys=["GIBBS-1", "GIBBS-4", "DUPLICATE", "SCALE"]))

# %% [markdown]
# **What the theorem does not say.** That people or animals choose like this: it is the best choice for
# *this* payment. That randomness is safe: at temperature 0.5 an action that is worth 5 less than the best is still
# taken $e^{-10}$ times as often. That $\log|A|$ nats, the most that $|A|$ actions allow, mean much: split an action in
# two and there are more.
#
# Next: [2 · Soft policy evaluation](02-soft-policy-evaluation.ipynb) brings in time.

# %%
learn.links("GIBBS-1", "DUPLICATE")
