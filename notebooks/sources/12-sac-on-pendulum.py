# %% [markdown]
# # 12 · SAC on the pendulum, with honest statistics
#
# *After this notebook you can* train soft actor-critic; say how much of a reported number is luck; and compare two agents so
# that the answer means something. About 60 minutes, with PyTorch; notebook 10 comes first.
#
# The pendulum is small enough to be solved on a grid (10,100 states, 21 torques), so that we have what one never has: the
# returns of a policy that is nearly optimal. Beside it an agent of soft actor-critic, trained for 10,000 steps. Both have played
# from the same hundred starts, those of Gymnasium's seeds 0 to 99, for 200 steps each. These runs were recorded.

# %%
import numpy as np
from scipy.stats import norm

import maxent
from maxent import learn, plots
from maxent.continuous import pendulum
from maxent.continuous.discretise import roll_out
from maxent.learn.exercises.nb12 import seeds_needed
from maxent.learn.records import record

recorded = record("pendulum")
starts = np.array(recorded["starts"])
exact, agent = np.array(recorded["exact"]), np.array(recorded["agent"])
print(
    f"{len(exact)} starts; exact policy: mean return {exact.mean():.1f}, deviation {exact.std(ddof=1):.0f}"
)

# %% [markdown]
# ## The algorithm, for a moment
#
# Soft actor-critic (Haarnoja et al., 2018) is soft policy iteration with networks: a critic that is moved towards
# $r + \gamma\,(Q(s',a') - \alpha\log\pi(a'|s'))$, and a Gaussian, squashed by tanh, that is moved towards the Boltzmann policy of the
# critic. Here and now five hundred updates, which are too few. And the learning curve of the recorded agent, whose episodes
# were cut at 50 steps while it learned:

# %%
young = maxent.train(
    "sac",
    env="Pendulum-v1",
    steps=1_000,
    seed=1,
    temperature=0.1,
    hidden=(64, 64),
    batch_size=64,
    critics=1,
    critic_rate=1e-3,
    actor_rate=1e-3,
    learning_starts=500,
    progress=False,
)


def act(states):
    seen = pendulum.observe(states).astype(np.float32)
    return 2.0 * young.actions(seen, deterministic=True).astype(float)


beginner = roll_out(pendulum.TASK, act, starts, 200).returns
print(f"its hundred starts: {beginner.mean():.0f}; the exact policy's: {exact.mean():.0f}")
steps, returns = zip(*recorded["history"])
plots.lines(
    {"recorded agent, one episode each": (steps, returns)},
    x="environment steps",
    y="return of an episode of 50 steps, undiscounted",
    title="A learning curve, as it is usually shown\nPendulum-v1, temperature 0.1, discount 0.99",
)

# %% [markdown]
# ## How much is luck?
#
# An episode that starts near the top costs next to nothing, most cost about 120, and one that starts hanging down 226 to 367.
# Most papers report the mean of **ten** episodes. **Predict, then run:** the *exact* policy, always the same, is measured again and again on ten random starts. In one case
# of twenty its mean is below which number? (Its true mean is about -137.)

# %%
my_low = ...

# %%
rng = np.random.default_rng(0)
tens = np.array([rng.choice(exact, 10, replace=False).mean() for _ in range(10_000)])
low, high = np.percentile(tens, [5, 95])
learn.reveal(
    my_low, float(low), f"And in one of twenty above {high:.0f}: nothing but the draw of starts."
)

# %% [markdown]
# **Predict, then run.** Somebody runs five "seeds" of this one policy, ten episodes each, and reports the best. What is reported,
# on average?

# %%
my_best = ...

# %%
best = tens.reshape(-1, 5).max(axis=1)
learn.reveal(my_best, float(best.mean()), "A maximum of noisy numbers, as in notebook 9.")
share = np.linspace(0, 1, 200)
plots.lines(
    {
        "ten episodes": (np.quantile(tens, share), share),
        "best of five times ten": (np.quantile(best, share), share),
    },
    x="reported return of the exact policy",
    y="share of reports below",
    title="One policy, many reports\nPendulum-v1, exact policy at temperature 0.1",
)

# %%
# solution
my_choice = "c"
# stub: my_choice = ...
learn.quiz("12.a", my_choice)

# %% [markdown]
# ## Common starts
#
# The agent's first ten episodes have a mean of about -131, better than the exact policy's -137! But its ten starts were
# easy. Who compares on **the same starts** removes what the starts are worth.
#
# **Exercise 12.1.** From two arrays of returns on common starts: the mean of first minus second, and the standard error of that
# mean.
#
# <details><summary>Hint</summary>The standard error of a mean of $n$ numbers is their deviation (`ddof=1`) over
# $\sqrt n$.</details>


# %%
def my_paired(first, second):
    # solution
    difference = first - second
    return difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))
    # stub: return ...


learn.check_exercise("12.1", my_paired)

# %% [markdown]
# **Predict, then run.** On the hundred common starts, how far is the agent behind the exact policy?

# %%
my_gap = ...

# %%
gap = exact - agent
paired_error = gap.std(ddof=1) / 10
unpaired_error = np.sqrt(exact.var(ddof=1) / 100 + agent.var(ddof=1) / 100)
print(f"agent, first ten starts {agent[:10].mean():.1f}; all hundred {agent.mean():.1f}")
print(f"error of the difference: paired {paired_error:.1f}, unpaired {unpaired_error:.1f}")
print(
    f"for the unpaired one to be as small it would take {(unpaired_error / paired_error) ** 2 * 100:,.0f} starts each"
)
learn.reveal(
    my_gap,
    float(gap.mean()),
    f"+- {paired_error:.2f}: behind by more than three errors, and yet by little.",
)

# %%
order = np.argsort(gap)
plots.lines(
    {"exact less agent": (range(100), gap[order])},
    x="starts, from the agent's best to its worst",
    y="difference of the returns",
    title="Where the agent loses: on few starts, much\nPendulum-v1, 100 common starts, undiscounted",
    level=0.0,
)

# %% [markdown]
# ## How many seeds?
#
# Starts are one kind of luck; the seed of the *training* is another, and no pairing removes it. Two algorithms whose seeds have
# the deviation $\sigma$ are to be told apart if they differ by $\delta$: at the usual level of 5 per cent, noticed four times in
# five, each needs
#
# $$n = 2\,\Big(\frac{(1.96 + 0.84)\,\sigma}{\delta}\Big)^2 \quad\text{seeds, rounded up.}$$
#
# **Exercise 12.2.** Write it. (Exactly: `norm.ppf(0.975)` and `norm.ppf(0.8)`.)
#
# <details><summary>Hint</summary>`np.ceil` rounds up.</details>


# %%
def my_seeds(spread, difference):
    # solution
    noticed = norm.ppf(0.975) + norm.ppf(0.8)
    return np.ceil(2 * (noticed * spread / difference) ** 2)
    # stub: return ...


learn.check_exercise("12.2", my_seeds)

# %%
for spread in (0.05, 0.1, 0.2):
    needed = seeds_needed(spread, 0.05)
    print(f"seeds that vary by {spread:.0%}, a difference of 5 %: {needed:.0f} seeds each")

# %% [markdown]
# **What the theorem does not say.** That soft actor-critic converges is proved for tables (SAC-T1). No theorem covers these networks; a
# hundred starts and a few seeds are all the evidence there is, and it is about *this* pendulum. The "exact" policy is exact
# on its grid: between the grid's points it is an interpolation, and an agent could beat it there.
#
# Next: [13 · Econometricians knew it](13-dynamic-logit.ipynb).

# %%
learn.links("SAC-T1")
