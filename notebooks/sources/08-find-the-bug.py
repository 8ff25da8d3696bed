# %% [markdown]
# # 8 · Find the bug
#
# *After this notebook you can* check a maximum-entropy solver that you did not write, or one that you did; say
# which of the usual signs of health prove nothing; and write two tests, of three lines each, that catch what
# figures and residuals do not. About 75 minutes; notebooks 3 and 5 come first.
#
# Programs of reinforcement learning fail quietly. Nothing crashes, the curve rises, and the policy does
# something sensible. How would one know?
#
# ## A patient
#
# Here is soft value iteration as somebody wrote it. Read it, but not for long.

# %%
import numpy as np
from scipy.special import softmax

import maxent
from maxent import learn, plots
from maxent.learn.exercises.nb08 import balance_gap, scaling_gap
from maxent.learn.patients import HEALTHY, PATIENTS
from maxent.testing import check_solver

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)


def suspect(mdp, temperature, sweeps=2000):
    v = np.zeros(mdp.n_states)
    for _ in range(sweeps):
        q = maxent.backup(mdp, v)
        policy = softmax(q / temperature, axis=1)
        before, v = v, np.where(mdp.terminal, 0.0, (policy * q).sum(axis=1))
        if np.abs(v - before).max() < 1e-13:
            break
    return q, v, np.log(policy)


# %% [markdown]
# **Sign one: the residual.** It settles. **Sign two: the return.** It rises for twenty sweeps, and settles. **Sign
# three: a figure**, and it looks as it should.

# %%
earned, v = [], np.zeros(mdp.n_states)
for sweeps in range(1, 41):
    before, (_, v, log_policy) = v, suspect(mdp, 0.02, sweeps)
    earned.append(maxent.policy_return(mdp, np.exp(log_policy)))
print(f"change in sweep 40: {np.abs(v - before).max():.0e}, return {earned[-1]:.4f}")
plots.lines(
    {"suspect": (range(1, 41), earned)},
    x="sweeps",
    y="return of the policy (discounted)",
    title="A sign of health: the return rises and settles\nfour rooms, temperature 0.02, discount 0.95",
)

# %%
plots.value_map(mdp, maxent.soft_policy_evaluation(mdp, np.exp(log_policy), temperature=0.02))

# %% [markdown]
# **Predict, then run.** The suspect is wrong. Whose policy has the higher *return*: the suspect's, or that of the
# right solver? Write "suspect" or "right".

# %%
my_prediction = ...

# %%
right = maxent.solve(mdp, 0.02).policy
mine, theirs = maxent.policy_return(mdp, right), earned[-1]
print(f"right solver {mine:.4f}, suspect {theirs:.4f}")
learn.reveal(
    my_prediction,
    "suspect" if theirs > mine else "right",
    "The right one gives up return for entropy. A return cannot judge an agent that maximises something else.",
)

# %%
# solution
my_choice = "c"
# stub: my_choice = ...
learn.quiz("8.a", my_choice)

# %% [markdown]
# ## Tests from outside
#
# What is wanted are facts about every right solver that do not come from the code itself. **Scaling** (SCALE): rewards
# times two and temperature times two leave the policy as it is.
#
# **Exercise 8.1.** Write the test. `solver(mdp, temperature)` returns `(q, v, log_policy)`;
# `mdp.replace(reward=2 * mdp.reward)` is the world with doubled rewards. Return the largest difference between the
# two policies' probabilities.
#
# <details><summary>Hint</summary>`np.exp` of the third result, twice.</details>


# %%
def my_scaling_gap(solver, mdp, temperature):
    # solution
    doubled = mdp.replace(reward=2 * mdp.reward)
    policy = np.exp(solver(mdp, temperature)[2])
    return np.abs(np.exp(solver(doubled, 2 * temperature)[2]) - policy).max()
    # stub: return ...


learn.check_exercise("8.1", my_scaling_gap)

# %% [markdown]
# Better still is a **problem with a known answer** (BALANCE). Notebook 5 has one for every map with a step reward $c$ and goals
# of $g$: at the temperature $\alpha_c = (g/\gamma - g - c)/\log|A|$ every cell is worth exactly $g/\gamma$, whatever
# the walls and the slip.
#
# **Exercise 8.2.** Write that test, for $c = -0.04$ and $g = 1$: the largest distance of the solver's values from
# $g/\gamma$, terminal states left out.
#
# <details><summary>Hint</summary>`mdp.discount`, `mdp.n_actions`, `mdp.terminal`.</details>


# %%
def my_balance_gap(solver, mdp):
    # solution
    gamma, step, goal = mdp.discount, -0.04, 1.0
    temperature = (goal / gamma - goal - step) / np.log(mdp.n_actions)
    return np.abs(solver(mdp, temperature)[1] - goal / gamma)[~mdp.terminal].max()
    # stub: return ...


learn.check_exercise("8.2", my_balance_gap)

# %% [markdown]
# ## Six patients
#
# `PATIENTS` holds six solvers, A to F, each with one fault that has happened to somebody. **Predict, then run.** How many
# of the six does the one line of exercise 8.2 catch?

# %%
my_count = ...


# %%
def twice(mdp):
    """The same world with every action there twice: V rises by alpha log 2 / (1 - gamma)."""
    p, r = (np.repeat(each, 2, axis=1) for each in (mdp.to_dense().transition, mdp.reward))
    return maxent.MDP(p, r, discount=mdp.discount)


text = "S...\n.#.#\n...G"
small = maxent.gridworld(text, slip=0.1, discount=0.95)
rooms = maxent.gridworld(text, slip=0.1, discount=0.95, goals="absorbing")
tests = {
    "scaling": lambda s: scaling_gap(s, rooms, 0.02),
    "actions twice": lambda s: np.abs(
        s(twice(rooms), 0.02)[1] - s(rooms, 0.02)[1] - 0.02 * np.log(2) / 0.05
    ).max(),
    "balance": lambda s: balance_gap(s, small),
}
print(f"{'largest gap':<14}{'healthy':>9}", *(f"{letter:>8}" for letter in PATIENTS))
for name, test in tests.items():
    gaps = [test(solver) for solver in (HEALTHY, *PATIENTS.values())]
    print(f"{name:<14}", *(f"{gap:8.0e}" for gap in gaps))
learn.reveal(
    my_count, sum(gap > 1e-6 for gap in gaps[1:]), "An exact answer sees every part at once."
)

# %% [markdown]
# All six stop by themselves, because a sweep changes nothing or nearly nothing. Scaling catches one fault only: a
# temperature that is missing in one place. Doubled actions miss a fault of the terminal state, because that world
# has none. No test is for everything; an exact answer comes nearest.
#
# **Exercise 8.3.** One patient is right at temperature 1 and wrong at every other. Many papers absorb the temperature
# into the reward; who copies their equations and then tunes $\alpha$ has this patient's illness. Which one is it?
#
# <details><summary>Hint</summary>`PATIENTS["A"](mdp, 1.0)[1]` against `maxent.solve(mdp, 1.0).v`.</details>

# %%
# solution
off = {
    letter: np.abs(s(mdp, 1.0)[1] - maxent.solve(mdp, 1.0).v).max()
    for letter, s in PATIENTS.items()
}
my_patient = min(off, key=lambda letter: off[letter])
# stub: my_patient = ...


learn.check_exercise("8.3", my_patient)

# %% [markdown]
# ## The doctor
#
# `maxent.testing.check_solver` tries a solver on small worlds against a truth from Newton's method in extended precision,
# compares what it finds with the fixed points of known faults, and shrinks each failure to a smallest
# **witness**. **Predict, then run:** how many states has the smallest world that convicts the suspect?

# %%
my_states = ...

# %%
report = check_solver(suspect, temperatures=[0.1])
print(report)
learn.reveal(
    my_states,
    report.findings[0].mdp.n_states,
    "One state, two actions: enough to leave out entropy.",
)

# %% [markdown]
# It has found more than we were looking for: the suspect gives up after 2,000 sweeps, too few at a discount near 1, and
# it has never heard of unavailable actions.
#
# **What the theorem does not say.** SCALE, DUPLICATE and the balance law hold for every *right* solver; a wrong one
# may satisfy them too. Passing is evidence, and the stronger the more independent the tests. `check_solver` has tried
# some dozens of small worlds, not yours: for one answer on your own world ask for bounds, `maxent.solve`, or a proof,
# `maxent.prove`.
#
# Next: [9 · From tables to samples to networks](09-from-tables-to-networks.ipynb).

# %%
learn.links("SCALE", "DUPLICATE", "BALANCE")
