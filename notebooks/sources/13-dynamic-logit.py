# %% [markdown]
# # 13 · Econometricians knew it
#
# *After this notebook you can* read a dynamic logit model as a soft MDP and the other way round; estimate rewards from
# choices by maximum likelihood; and say exactly what choices can never tell about rewards. About 75 minutes; notebooks 1
# and 4 come first.
#
# In 1987 John Rust asked why a bus company in Madison replaced engines when it did. He assumed a superintendent who
# weighs the costs of wear against those of a new engine, plus, in each month and for each choice, a private shock that
# nobody else sees. The equations he got are, line by line, those of soft Q-learning thirty years later.
#
# ## A shock for each choice
#
# Let $\varepsilon_a$ be independent Gumbel variables of scale $\alpha$, $P(\varepsilon_a\le x) = \exp(-e^{-x/\alpha})$, and let
# the superintendent take the best of $q_a + \varepsilon_a$. Then the *choice probabilities* are $e^{q_a/\alpha}/\sum_b e^{q_b/\alpha}$, the Boltzmann policy, and the *expected best* is the
# soft value plus a constant.

# %%
import numpy as np
from scipy.optimize import minimize

import maxent
from maxent import learn, plots
from maxent.learn.exercises.nb13 import log_likelihood
from maxent.tabular.inverse import remove_shaping

rng = np.random.default_rng(0)
q = np.array([[1.0, 0.3]])
noisy = q + rng.gumbel(size=(1_000_000, 2))
print("taken:   ", np.bincount(noisy.argmax(axis=1)) / len(noisy))
print("Boltzmann:", np.exp(maxent.boltzmann_policy(q, 1.0))[0].round(6))
print(
    f"mean of the best {noisy.max(axis=1).mean():.4f}, soft value {maxent.soft_value(q, 1.0)[0]:.4f}"
)

# %% [markdown]
# **Exercise 13.1.** The expected best of $q_a + \varepsilon_a$ in each state, for shocks of any scale. A standard Gumbel variable has the
# mean 0.5772, Euler's constant.
#
# <details><summary>Hint</summary>`maxent.soft_value(q, scale)`, and something for the mean of the
# shocks.</details>


# %%
def my_gumbel_value(q, scale):
    # solution
    return maxent.soft_value(q, scale) + scale * np.euler_gamma
    # stub: return ...


learn.check_exercise("13.1", my_gumbel_value)

# %% [markdown]
# ## The bus
#
# The state is the mileage since the last engine, in 90 steps. Each month it grows by 0, 1 or 2 steps; *keep* costs
# $0.001\,\theta$ a step of mileage, *replace* costs $RC$ and starts at 0. The numbers are of the size that Rust
# estimated.

# %%
n, mileage = 90, np.arange(90)
keep = np.zeros((n, n))
for step, probability in enumerate((0.39, 0.60, 0.01)):
    np.add.at(keep, (mileage, np.minimum(mileage + step, n - 1)), probability)
transition = np.stack([keep, np.tile(keep[0], (n, 1))], axis=1)


def bus(theta, cost, discount=0.9999):
    reward = np.stack([-0.001 * theta * mileage, np.full(n, -cost)], axis=1)
    names = ["keep", "replace"]
    first = np.eye(n)[0]
    return maxent.MDP(
        transition, reward, discount=discount, initial_distribution=first, action_names=names
    )


mdp = bus(2.3, 10.0)

# %% [markdown]
# **Predict, then run.** Rust's value function contains the mean of the shocks, ours does not; all else is equal. At a discount
# of 0.9999 a month, how far apart are the two?

# %%
my_difference = ...

# %%
truth = maxent.soft_policy_iteration(mdp, 1.0)
v = truth.v + np.euler_gamma / (1 - mdp.discount)
again = maxent.backup(mdp, v)
print(
    f"Rust's equation holds up to {np.abs(maxent.soft_value(again, 1.0) + np.euler_gamma - v).max():.0e}"
)
learn.reveal(
    my_difference,
    float(v[0] - truth.v[0]),
    "Euler's constant in every month: 0.5772 / (1 - 0.9999). A constant changes no choice.",
)

# %% [markdown]
# Rust solved it with what he called Newton-Kantorovich steps, after some sweeps of the contraction. It is soft policy
# iteration (SPI-NEWTON). **Predict, then run:** value iteration with MacQueen's bounds takes 1,329 sweeps here. How
# many steps does Newton's method take?

# %%
my_steps = ...

# %%
sweeps = maxent.soft_value_iteration(mdp, 1.0).iterations
policy, errors = np.full((n, 2), 0.5), []
for _ in range(10):
    value = maxent.soft_policy_evaluation(mdp, policy, 1.0)
    errors.append(np.abs(value.v - truth.v).max())
    policy = np.exp(maxent.boltzmann_policy(value.q, 1.0))
learn.reveal(my_steps, truth.iterations, f"Value iteration: {sweeps} sweeps.")
plots.lines(
    {"soft policy iteration": (range(10), np.maximum(errors, 1e-9))},
    x="steps",
    y="largest error of V (reward units)",
    title="Newton's method on Rust's bus\ndiscount 0.9999, temperature 1",
    log="y",
)

# %% [markdown]
# ## From choices to costs
#
# Now the other direction. A hundred buses are watched for ten years; what did the superintendent think that wear costs?
#
# **Exercise 13.2.** The log-likelihood of the choices, given the log-probabilities of a model, (states, actions).
#
# <details><summary>Hint</summary>`log_policy[states, actions]` picks one number for each choice.</details>


# %%
def my_log_likelihood(log_policy, states, actions):
    # solution
    return log_policy[states, actions].sum()
    # stub: return ...


learn.check_exercise("13.2", my_log_likelihood)

# %%
watched = maxent.simulate(mdp, truth.policy, episodes=100, horizon=120, seed=1, trajectories=True)
actions = np.array(watched.actions).ravel()
states = np.array(watched.states)[:, :-1].ravel()
print(f"{len(actions)} choices, {int(actions.sum())} of them replacements")


def fit(discount):
    def minus_log_likelihood(costs):
        model = maxent.soft_policy_iteration(bus(costs[0], costs[1], discount), 1.0)
        return -log_likelihood(model.log_policy, states, actions)

    return minimize(minus_log_likelihood, [2.0, 8.0], method="Nelder-Mead")


for discount in (0.9999, 0.99, 0.9, 0.0):
    found = fit(discount)
    print(
        f"discount {discount:<6}  theta {found.x[0]:6.2f}, RC {found.x[1]:5.2f}  log-likelihood {-found.fun:.2f}"
    )

# %% [markdown]
# At the true discount the truth, 2.3 and 10, is found again within a tenth; 88 replacements tell no more. That is maximum-entropy inverse reinforcement learning with
# two features: `maxent.recover_reward` does it for any MDP. A superintendent who never looks ahead (discount 0) fits worse, by 6 in
# log-likelihood.

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("13.a", my_choice)

# %% [markdown]
# ## What choices can't tell
#
# Take any policy $\pi > 0$, any function $\Phi$ of the state, any discount. There is a reward under which $\pi$ is soft-optimal
# and $\Phi$ is its value.
#
# **Exercise 13.3.** Write it, as an array (states, actions).
#
# <details><summary>Hint</summary>$\pi = e^{(Q-V)/\alpha}$ gives $Q$; $Q = r + \gamma PV$ gives $r$.
# `mdp.to_dense().transition @ potential` is $P\Phi$, (states, actions).</details>


# %%
def my_reward(mdp, policy, potential, temperature):
    # solution
    following = mdp.to_dense().transition @ potential
    return temperature * np.log(policy) + potential[:, None] - mdp.discount * following
    # stub: return ...


learn.check_exercise("13.3", my_reward)

# %% [markdown]
# So a superintendent who lives from month to month can do, in every state, exactly what the far-sighted one does, with
# other costs of wear (below: of keeping, where replacing costs the same at every mileage):

# %%
blind = maxent.MDP(
    transition, np.log(truth.policy), discount=0.0, initial_distribution=np.eye(n)[0]
)
same = maxent.solve(blind, 1.0).policy
print(f"discount 0, other costs: policies differ by {np.abs(same - truth.policy).max():.0e}")
costs = {
    "as believed, discount 0.9999": -mdp.reward[:, 0] + mdp.reward[0, 0],
    "explains as well, discount 0": -(blind.reward[:, 0] - blind.reward[:, 1])
    + (blind.reward[0, 0] - blind.reward[0, 1]),
}
plots.lines(
    {name: (mileage, cost) for name, cost in costs.items()},
    x="mileage since the last engine (steps)",
    y="cost of keeping, above that at 0 (reward units)",
    title="Two beliefs about wear, one behaviour\nRust's bus, temperature 1",
)

# %% [markdown]
# What *can* be told is everything but the potential. SENSITIVITY says how: raise one reward a little, and the soft value
# rises by that times the occupancy, the discounted visits of that state and action. So the gradient of the likelihood is
# a difference of occupancies, the demonstrator's less the model's. `maxent.recover_reward` climbs it to the one reward
# of least norm, which is the true one with its potential part removed.

# %%
raised = mdp.reward.copy()
raised[10, 0] += 1e-4
slope = (maxent.solve(mdp.replace(reward=raised), 1.0).v[0] - truth.v[0]) / 1e-4
print(f"slope {slope:.3f}, occupancy {maxent.occupancy(mdp, truth.policy)[10, 0]:.3f}")
expert = maxent.solve(bus(2.3, 10.0, 0.99), 1.0).policy
found = maxent.recover_reward(bus(0.0, 0.0, 0.99), expert, 1.0)
true_part = remove_shaping(mdp.replace(discount=0.99), mdp.reward)
print(
    f"recovered and true reward, potentials removed: they differ by {np.abs(found.reward - true_part).max():.0e}"
)
print(f"recovered and true reward as they stand: by {np.abs(found.reward - mdp.reward).max():.1f}")

# %% [markdown]
# **What the theorem does not say.** SHAPE says which rewards have the *same* optimal policy in *this* MDP. They part as soon as
# the world changes: let a new engine cost half, and the two superintendents act differently. And all of it stands on the
# shocks being Gumbel and independent over time, which is an assumption about people, not a fact about buses.
#
# Next: [14 · A prior in place of the uniform one](14-a-prior.ipynb).

# %%
learn.links("SPI-NEWTON", "SHAPE", "SENSITIVITY")
