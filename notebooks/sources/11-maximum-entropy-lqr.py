# %% [markdown]
# # 11 · The maximum-entropy linear-quadratic regulator
#
# *After this notebook you can* solve a continuous problem of maximum-entropy control with pencil and paper; say what
# the temperature changes in it, and what it does not; and tell what a change of units does to an agent. About 60
# minutes; notebook 3 comes first, notebook 10 helps.
#
# States $s\in\mathbb R^n$, actions $a\in\mathbb R^m$ without bounds, $s' = As + Ba + w$ with noise $w\sim N(0,W)$, reward
# $-(s^\top Qs + a^\top Ra)$. It is the one continuous problem whose soft-optimal policy can be written down, so it is the
# ruler that learned agents are held against. Try value iteration: if $V(s) = -s^\top Ps + c$, then $Q(s,a)$ is
# quadratic in $a$, the Boltzmann policy is a Gaussian, and the soft value is quadratic again.

# %%
import numpy as np

import maxent
from maxent import learn, plots
from maxent.continuous.lqr import coupled_masses, evaluate_linear_policy

problem = coupled_masses()  # two masses on springs, a force on each: n = 4, m = 2
print("discount", problem.discount, "\nA =", problem.A, "\nB =", problem.B, sep="\n")

# %% [markdown]
# **LQR-1.** With $M = R + \gamma B^\top PB$ and the gain $K = \gamma M^{-1}B^\top PA$, one sweep gives
# $P \leftarrow Q + \gamma A^\top P(A - BK)$.
#
# **Exercise 11.1.** Write the sweep.
#
# <details><summary>Hint</summary>`@` multiplies matrices, `.T` transposes, `np.linalg.solve(M, X)` is
# $M^{-1}X$.</details>


# %%
def my_riccati(A, B, Q, R, discount, P):
    # solution
    M = R + discount * B.T @ P @ B
    K = discount * np.linalg.solve(M, B.T @ P @ A)
    return Q + discount * A.T @ P @ (A - B @ K)
    # stub: return ...


learn.check_exercise("11.1", my_riccati)

# %% [markdown]
# There is no temperature in it. It comes in with the policy. **LQR-2:** $\pi^*(a|s) = N(-Ks, \tfrac{\alpha}{2}M^{-1})$,
# because $Q(s,a)/\alpha = -(a+Ks)^\top M(a+Ks)/\alpha + \dots$
#
# **Exercise 11.2.** The covariance.
#
# <details><summary>Hint</summary>Compare $-(a+Ks)^\top M(a+Ks)/\alpha$ with the exponent of a Gaussian,
# $-\tfrac12 (a+Ks)^\top C^{-1}(a+Ks)$.</details>


# %%
def my_covariance(B, R, discount, P, temperature):
    # solution
    M = R + discount * B.T @ P @ B
    return temperature / 2 * np.linalg.inv(M)
    # stub: return ...


learn.check_exercise("11.2", my_covariance)

# %% [markdown]
# ## What the temperature changes
#
# **Predict, then run.** From temperature 0 to temperature 1: by how much does the largest entry of the gain $K$ change?

# %%
my_change = ...

# %%
cold, hot = maxent.solve_lqr(problem, 0.0), maxent.solve_lqr(problem, 1.0)
learn.reveal(
    my_change,
    float(np.abs(hot.gain - cold.gain).max()),
    "Not a bit: the mean is the classical controller's at every temperature; only the noise around it grows.",
)

# %% [markdown]
# On a gridworld more temperature means more value: entropy is paid and is never negative.
#
# **Predict, then run.** The masses start at rest in the middle ($s = 0$). From temperature 0 to 0.1, does $V^*(0)$ rise or
# fall? Write "rises" or "falls".

# %%
my_direction = ...

# %%
values = {t: maxent.solve_lqr(problem, t).constant for t in (0.0, 0.01, 0.1, 0.2, 1.0)}
print({t: round(float(v), 3) for t, v in values.items()})
learn.reveal(my_direction, "falls" if values[0.1] < values[0.0] else "rises")

# %%
# solution
my_choice = "b"
# stub: my_choice = ...
learn.quiz("11.a", my_choice)

# %% [markdown]
# **LQR-3** has it in one line:
#
# $$V^*(0) = c = \frac{-\gamma\operatorname{tr}(PW) + \alpha\big(\tfrac m2\log(\pi\alpha) - \tfrac12\log\det M\big)}{1-\gamma}.$$
#
# And ENVELOPE says where it turns: $\mathrm dV^*/\mathrm d\alpha$ is the discounted entropy, so $V^*$ is smallest where
# the policy's entropy is zero. The entropy of a Gaussian is $\tfrac12\log\det(2\pi e\,C)$.
#
# **Exercise 11.3.** Derive that temperature from $M$.
#
# <details><summary>Hint</summary>$\det(2\pi e\,\tfrac\alpha2 M^{-1}) = 1$, and $\det(\lambda X) = \lambda^m\det X$ for an
# $m\times m$ matrix.</details>


# %%
def my_cheapest_temperature(M):
    # solution
    return np.linalg.det(M) ** (1 / len(M)) / (np.pi * np.e)
    # stub: return ...


learn.check_exercise("11.3", my_cheapest_temperature)

# %% [markdown]
# ## A change of units
#
# The same machine with its forces measured in units twice as large: an action of 1 now means a force of 2, $B\to 2B$ and
# $R\to 4R$. **Predict, then run.** Nothing about the machine has changed. At temperature 0.1, by how much does
# $V^*(0)$ fall?

# %%
my_fall = ...

# %%
halved = maxent.LinearQuadratic(
    A=problem.A,
    B=2 * problem.B,
    Q=problem.Q,
    R=4 * problem.R,
    W=problem.W,
    discount=problem.discount,
)
one, two = (maxent.solve_lqr(p, 0.1) for p in (problem, halved))
learn.reveal(
    my_fall,
    one.constant - two.constant,
    f"alpha m log 2 / (1 - gamma) = {0.1 * 2 * np.log(2) / 0.1:.4f}: log 2 for each action, in each step, for ever.",
)
print(
    f"gain: factor {one.gain[0, 0] / two.gain[0, 0]:.3f};  covariance: {one.covariance[0, 0] / two.covariance[0, 0]:.3f}"
)

# %%
temperatures = np.linspace(0.001, 0.5, 500)
curves = {
    name: (temperatures, [maxent.solve_lqr(p, t).constant for t in temperatures])
    for name, p in {"forces as they are": problem, "units twice as large": halved}.items()
}
lowest = [float(temperatures[np.argmin(v)]) for _, v in curves.values()]
print("smallest values at temperatures", np.round(lowest, 3), "with entropies")
print([round(maxent.solve_lqr(p, t).entropy, 2) + 0.0 for p, t in zip((problem, halved), lowest)])
plots.lines(
    curves,
    x="temperature (reward units per nat)",
    y="V*(0) (reward units, discounted)",
    title="In continuous space entropy can be a cost\ncoupled masses, discount 0.9",
    level=values[0.0],
)

# %% [markdown]
# The dotted line is the value at temperature 0. The *behaviour* of the two is the same (half the number, twice the unit), and every value is shifted by one constant. That is harmless
# here, because nothing ever ends. With terminal states the same constant is a bonus or a fine for every step that is
# survived, and the policy changes. A target entropy of "minus the number of actions" means another thing in each
# system of units: that is why agents measure actions in a box from -1 to 1.
#
# ## Held against other controllers
#
# `evaluate_linear_policy` gives the exact soft value of any linear-Gaussian policy, so the optimum can be doubted:

# %%
for gain, spread in ((1.0, 1.0), (1.1, 1.0), (0.9, 1.0), (1.0, 2.0), (1.0, 0.5)):
    other = evaluate_linear_policy(problem, gain * one.gain, spread * one.covariance, 0.1)
    print(f"gain x {gain}, covariance x {spread}: loses {one.objective - other.objective:.4f}")

# %% [markdown]
# **What the theorem does not say.** That $V^*$ rises with temperature is MONOTONE, for *finitely many* actions; here it is
# false. SQL-T3, convergence of soft value iteration, needs a finite volume of actions, so that it does not cover this
# problem: what converges here does so by Riccati's equation. And a bounded force (a real motor) ends the story: the policy
# is then no Gaussian.
#
# Next: [12 · SAC on the pendulum](12-sac-on-pendulum.ipynb), where nothing is written down.

# %%
learn.links("LQR-1", "LQR-2", "LQR-3", "ENVELOPE")
