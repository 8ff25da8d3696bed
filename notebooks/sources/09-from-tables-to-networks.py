# %% [markdown]
# # 9 · From tables to samples to networks
#
# *After this notebook you can* learn soft values from samples, and say what the samples' policy has to do with what is
# learned; say why a small loss proves nothing; and compute what an agent is really worth. About 75 minutes, PyTorch for
# one cell; notebooks 3 and 8 come first.
#
# One grid, three ways to know it: the **table** of transitions, **samples** of it, and a **network** trained on samples. The
# grid is the cliff: from the start to the goal along an edge; a step over the edge costs 100 and leads back to
# the start.

# %%
import numpy as np

import maxent
from maxent import learn, plots
from maxent.learn.records import record
from maxent.tabular.sampled import expected_soft_sarsa, soft_q_learning

mdp, temperature = maxent.gridworld("cliff-walking", discount=0.95), 0.1
exact = maxent.solve(mdp, temperature)
recorded = record("cliff")


def worth(policy):
    """J: the soft value of a policy from the start, exactly."""
    return float(
        mdp.initial_distribution @ maxent.soft_policy_evaluation(mdp, policy, temperature).v
    )


uniform = np.full((mdp.n_states, 4), 0.25)
print(f"the best policy is worth {worth(exact.policy):.3f}, the random walk {worth(uniform):.1f}")
plots.value_map(mdp, exact)

# %% [markdown]
# ## Samples
#
# From one sample $(s, a, r, s')$ soft Q-learning moves one number of the table a part of the way to a target:
# $Q(s,a) \leftarrow Q(s,a) + \lambda\,\big(r + \gamma V(s') - Q(s,a)\big)$, with $V$ the soft value of $Q$.
#
# **Exercise 9.1.** Write the step. `sample` is `(s, a, r, after, terminated)`; return a new table (states, actions). After
# a *terminated* step there is nothing more to come.
#
# <details><summary>Hint</summary>`maxent.soft_value(q, temperature)[after]`, unless terminated; `q.copy()` for the new
# table.</details>


# %%
def my_update(q, sample, step, discount, temperature):
    # solution
    s, a, r, after, terminated = sample
    following = 0.0 if terminated else maxent.soft_value(q, temperature)[after]
    new = q.copy()
    new[s, a] += step * (r + discount * following - q[s, a])
    return new
    # stub: return ...


learn.check_exercise("9.1", my_update)

# %% [markdown]
# Now let the samples come from an agent that walks *uniformly at random*, a wretched one: it falls over the edge again and
# again. Two learners watch such a walk. Soft Q-learning takes $V(s')$ as above; *expected soft SARSA* takes what the
# **walker** would get there, its mean $Q$ and its entropy. **Predict, then run:** after 50,000 steps, what is the policy
# worth that soft Q-learning has learned? (The best: -9.7, the random walk: -258.6.)

# %%
my_worth = ...

# %%
both = {
    learner.__name__: learner(mdp, temperature, steps=50_000, seed=1, exploration=1.0, exact=exact)
    for learner in (soft_q_learning, expected_soft_sarsa)
}
for name, learned in both.items():
    value = float(mdp.initial_distribution @ learned.v)
    print(
        f"{name:<20} says V(start) = {value:8.2f}; its policy is worth {worth(learned.policy):8.2f}"
    )
learn.reveal(
    my_worth,
    worth(both["soft_q_learning"].policy),
    "Its target asks what the *best* soft policy would do next, not what the walker did: it learns off policy.",
)
longer = recorded["exploration"]["1.0"]
print(
    f"recorded, after 200,000 steps: policy {longer['soft_q_learning']['policy_worth']:.3f}; "
    f"expected_soft_sarsa says {longer['expected_soft_sarsa']['v_start']:.1f}"
)

# %% [markdown]
# Expected SARSA is on its way to -258.6, what *walking at random* is worth, and slowly: the goal is rarely seen. Neither is
# wrong; they answer different questions. In the recorded runs the walker takes a share of random actions and
# otherwise what it has learned:

# %%
for share, row in recorded["exploration"].items():
    print(
        f"random share {share}: rms error of soft Q-learning {row['soft_q_learning']['rms_error']:.2f}"
    )
# solution
my_choice = "a"
# stub: my_choice = ...
learn.quiz("9.a", my_choice)

# %% [markdown]
# ## The maximum of noise
#
# Estimated values are noisy, and a maximum prefers the lucky ones. Four actions, all worth 0, each estimated with noise of deviation 1: how
# much is promised?

# %%
noisy = np.random.default_rng(0).normal(size=(200_000, 4))
print(f"hard maximum {noisy.max(axis=1).mean():+.2f}")
for hot in (0.1, 0.5, 1.0, 2.0):
    print(f"mellowmax at temperature {hot}: {maxent.mellowmax(noisy, hot).mean():+.2f}")

# %% [markdown]
# The hotter, the less is promised that is not there. (Mellowmax is the soft value less $\alpha\log 4$, so that equal
# actions are worth what they are.)
#
# ## Networks
#
# Three networks were trained on the cliff for 8,000 steps, from episodes that start anywhere; they differ in how fast the
# network learns and in how fast the targets follow it. Here are their losses, as papers show them.
# **Predict, then run:** which agent is best? Write "A", "B" or "C".

# %%
my_agent = ...

# %%
agents = recorded["agents"]
plots.lines(
    {name: (agent["steps"], agent["critic_loss"]) for name, agent in agents.items()},
    x="environment steps",
    y="loss of the critic (squared reward units)",
    title="Three agents by their losses\ncliff, temperature 0.1, discount 0.95",
    log="y",
)

# %%
values, going = {}, ~mdp.terminal
print("agent   last loss   mean Bellman residual   rms error of Q       J")
for name, agent in agents.items():
    q = np.array(agent["q"])
    values[name] = worth(np.exp(maxent.boltzmann_policy(q, temperature)))
    residual = np.abs(q - maxent.soft_bellman(mdp, q, temperature))[going].mean()
    error = np.sqrt(((q - exact.q)[going] ** 2).mean())
    print(
        f"{name:>5} {agent['critic_loss'][-1]:11.4f} {residual:23.3f} {error:16.2f} {values[name]:10.3f}"
    )
learn.reveal(my_agent, max(values, key=lambda name: values[name]))

# %% [markdown]
# A critic is trained towards targets that it makes itself. Agent A's targets hardly move, so they are easy to hit, and far
# from the truth: its loss is small *because* it has learned little. C's targets jump about; its loss is large and its
# policy poor. The best agent is neither the one with the smallest loss nor the one with the largest.
#
# What would have told? On a known grid, everything is known: `agent.on(mdp)` evaluates an agent's policy exactly, and
# SUBOPT says what it loses, in a second way that shares no code with the first:
# $J(\pi^*) - J(\pi) = \alpha\sum_s d^\pi(s)\,\mathrm{KL}(\pi(\cdot|s)\,\|\,\pi^*(\cdot|s))$.
#
# **Exercise 9.2.** Compute the right-hand side. `policy` and `best` have the shape (states, actions); leave out the
# terminal states.
#
# <details><summary>Hint</summary>`maxent.occupancy(mdp, policy).sum(axis=1)` is $d^\pi$.</details>


# %%
def my_shortfall(mdp, policy, best, temperature):
    # solution
    visits = maxent.occupancy(mdp, policy).sum(axis=1)
    divergence = (policy * (np.log(policy) - np.log(best))).sum(axis=1)
    return temperature * (visits * divergence)[~mdp.terminal].sum()
    # stub: return ...


learn.check_exercise("9.2", my_shortfall)

# %% [markdown]
# Last, one agent trained here and now, half a minute or less. `diagnose` prints how far each equality of the theory is
# from holding: on average over the states and in the worst one. Of SUBOPT it prints the left side, and how far the
# right side is from it.

# %%
anywhere = mdp.replace(initial_distribution=going / going.sum())
agent = maxent.train(
    "sql",
    env=lambda: maxent.MDPEnv(anywhere),
    steps=3_000,
    seed=2,
    temperature=temperature,
    discount=0.95,
    hidden=(64, 64),
    batch_size=64,
    critics=1,
    learning_starts=1_000,
    target_rate=0.02,
    critic_rate=1e-3,
    progress=False,
)
print(maxent.diagnose(agent, mdp))

# %% [markdown]
# **What the theorem does not say.** Q-learning converges *if every pair is tried for ever* and the steps shrink as they should; it says
# nothing about 50,000 steps, and nothing about networks, for which it can diverge. SUBOPT needs the best policy: on a real robot
# nobody has it, and that is why small known worlds are worth the trouble.
#
# Next: [10 · Continuous actions](10-continuous-actions.ipynb).

# %%
learn.links("SUBOPT", "SQL-T2")
