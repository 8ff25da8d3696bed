# %% [markdown]
# # 10 · Continuous actions
#
# *After this notebook you can* say what replaces the sum over actions when there are infinitely many; measure what each
# replacement costs, against numbers that are known; and recognise two errors that real programs have had. About 75 minutes,
# with PyTorch; notebooks 1 and 9 come first.
#
# With continuous actions in $[-1,1]^m$ the soft value is an integral,
# $V(s) = \alpha\log\int e^{Q(s,a)/\alpha}\,da$, and the policy a density. Soft Q-learning has two makeshifts: it *estimates* $V$ from
# sampled actions, and it *trains a sampler* to draw from $e^{Q/\alpha}$. Soft actor-critic takes a third: one Gaussian.

# %%
import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import norm

from maxent import learn, plots
from maxent.learn.exercises.nb10 import bias, sampled_soft_value
from maxent.learn.records import record
from maxent.neural.parts.stein import original_gradient, pre_tanh_gradient, stein_direction

# %% [markdown]
# ## Estimating the soft value
#
# Draw $N$ actions from a proposal with density $p$; then $V \approx \alpha\log\frac1N\sum_i e^{Q(s,a_i)/\alpha}/p(a_i)$ (SQL Eq.
# 10).
#
# **Exercise 10.1.** Write it for the uniform proposal on $[-1,1]^m$. `q` has the shape (states, samples).
#
# <details><summary>Hint</summary>$p = 2^{-m}$. `logsumexp(x, axis=1)` does not overflow.</details>


# %%
def my_sampled_value(q, temperature, dimensions):
    # solution
    log_sum = logsumexp(q / temperature, axis=1)
    return temperature * (log_sum + dimensions * np.log(2) - np.log(q.shape[1]))
    # stub: return ...


learn.check_exercise("10.1", my_sampled_value)

# %% [markdown]
# How good is it? Take $Q(a) = -|a|^2/(2\cdot0.3^2)$, a bump, at temperature 1; its integral is known. **Predict, then run:** with 16
# actions in 17 dimensions (a humanoid's), by how many nats is the estimate wrong on average?

# %%
my_bias = ...


# %%
def uniform_bias(dimensions, samples, estimates, width=0.3):
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, size=(estimates, samples, dimensions))
    q = -(actions**2).sum(axis=-1) / (2 * width**2)
    inside = norm.cdf(1 / width) - norm.cdf(-1 / width)
    exact = dimensions * np.log(width * np.sqrt(2 * np.pi) * inside)
    return sampled_soft_value(q, 1.0, dimensions).mean() - exact


sizes = (1, 3, 6, 10, 17)
curves = {
    "16 actions": (sizes, [uniform_bias(m, 16, 4000) for m in sizes]),
    "1,000 actions": (sizes, [uniform_bias(m, 1000, 200) for m in sizes]),
}
print({m: round(float(b), 2) for m, b in zip(*curves["16 actions"])})
learn.reveal(
    my_bias,
    abs(float(curves["16 actions"][1][-1])),
    "The logarithm of a mean is biased low, and nearly every weight is next to nothing.",
)
plots.lines(
    curves,
    x="dimensions of the action",
    y="bias of the soft value (nats)",
    title="Uniform proposals and dimensions\ntemperature 1, bump of width 0.3",
    level=0.0,
)

# %% [markdown]
# **Exercise 10.2.** In 6 dimensions with 16 actions, draw from a Gaussian around 0 instead, cut off at the box. Choose its standard
# deviation so that at most half of the bias remains.
#
# <details><summary>Hint</summary>If the proposal *is* the Boltzmann policy, every weight is the same. Is wider or narrower than that
# the safer side?</details>

# %%
# solution
my_deviation = 0.4
# stub: my_deviation = ...
learn.check_exercise("10.2", my_deviation)

# %% [markdown]
# The bias of the uniform proposal, and of Gaussian ones by their deviation:

# %%
print("uniform:", round(bias(), 3), {d: round(bias(d), 3) for d in (0.15, 0.2, 0.3, 0.5, 0.8)})

# %% [markdown]
# ## A constant that is none
#
# **Exercise 10.3.** A program leaves the proposal's density out "because it is a constant". For an action box from `low` to
# `high`, how much reward does each step then lack?
#
# <details><summary>Hint</summary>Uniform density: one over the product of the sides.</details>


# %%
def my_missing(low, high, temperature):
    # solution
    return temperature * np.log(high - low).sum()
    # stub: return ...


learn.check_exercise("10.3", my_missing)

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("10.a", my_choice)

# %% [markdown]
# ## A sampler in the wrong space
#
# Stein variational gradient descent moves particles so that they spread like $e^{Q/\alpha}$: each climbs $Q$ and is pushed away from its
# neighbours (SQL Eq. 13). Actions are $a = \tanh u$. In which space do the particles live? The first published program took the
# gradient and the distances in $a$, with a correction that belongs to $u$. **Predict, then run:** $Q$ is flat, so that the right
# answer is uniform, of variance 1/3. What variance do its particles have?

# %%
my_variance = ...


# %%
def particles(q, form, steps=1000):
    """A hundred particles, moved until they rest; as actions, sorted."""
    torch.manual_seed(0)
    u = 0.8 * torch.randn(100, 1)
    a = torch.tanh(u)
    for _ in range(steps):
        if form == "original":
            move = 0.02 * stein_direction(a, a, original_gradient(q, a, 1.0), 1.0)
            a = (a + move.clamp(-0.02, 0.02)).clamp(-0.9999, 0.9999)
        elif form == "pre-tanh":
            u = u + 0.3 * stein_direction(u, u, pre_tanh_gradient(q, u, 1.0), 1.0)
        else:  # each particle climbs and none is pushed away, as in DDPG
            climb = torch.func.grad(lambda u: q(torch.tanh(u)).sum())(u)
            u = u + 0.3 * stein_direction(u, u, climb, 0.0)
    return (a if form == "original" else torch.tanh(u)).flatten().sort().values.numpy()


flat = {form: particles(lambda a: 0.0 * a.sum(-1), form) for form in ("pre-tanh", "original")}
slope = {f: particles(lambda a: 3.0 * a.sum(-1), f) for f in ("pre-tanh", "original", "climb")}
print("flat Q, variance, exact 0.333:  ", {f: round(float(x.var()), 3) for f, x in flat.items()})
print("Q = 3a, mean, exact 0.672:      ", {f: round(float(x.mean()), 3) for f, x in slope.items()})
learn.reveal(
    my_variance,
    float(flat["original"].var()),
    "It rests where exp(Q) (1 - a^2) would be drawn, whose variance is 1/5.",
)
share = (np.arange(100) + 0.5) / 100
plots.lines(
    {"exact": (2 * share - 1, share), **{form: (x, share) for form, x in flat.items()}},
    x="action",
    y="share of particles below",
    title="Flat Q: where the particles come to rest\ntemperature 1, 100 particles",
)

# %% [markdown]
# In $u$ throughout (the package's default) what is left is the error of a hundred particles. Without the push they all climb
# to the upper end: the best action, no policy. The original form remains as a named variant, `form="original"`, for
# comparison.
#
# ## One Gaussian, four goals
#
# A point in the plane with four goals around it, all alike. **Predict, then run:** of a thousand episodes of a trained
# soft actor-critic (seed 1), how many reach the least visited goal? (Soft Q-learning, whose sampler acts here: about one fifth.)

# %%
my_share = ...

# %%
goals = record("four-goals")
for algorithm, seeds in goals.items():
    for seed, shares in enumerate(seeds, start=1):
        print(f"{algorithm} seed {seed}:", "  ".join(f"{share:5.1%}" for share in shares))
learn.reveal(
    my_share,
    1000 * min(goals["sac"][0]),
    "One Gaussian has one hump: it takes what lies on its way. Seeds differ in which.",
)

# %% [markdown]
# **What the theorem does not say.** That SVGD draws from $e^{Q/\alpha}$ holds for infinitely many particles; a hundred are a little too
# narrow. That importance sampling is right on average holds for $e^V$, not for $V$. And SAC-T1, convergence to the optimum *within* a
# class of policies, promises the best Gaussian at most, not the best policy.
#
# Next: [11 · Maximum-entropy LQR](11-maximum-entropy-lqr.ipynb), where one Gaussian is exactly right.

# %%
learn.links("SQL-T1", "SAC-T1")
