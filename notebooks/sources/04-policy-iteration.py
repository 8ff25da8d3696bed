# %% [markdown]
# # 4 · Improvement and policy iteration
#
# *After this notebook you can* improve a policy and prove that it did not get worse anywhere; find the optimum in
# seven steps, whatever the discount; say why so few; and hunt down a wrong improvement step. About 60 minutes;
# notebooks 2 and 3 come first.
#
# Notebook 2 evaluates a policy, notebook 3 sweeps towards the best one. **Soft policy iteration** alternates:
# evaluate exactly, then in every state take the policy nearest to the Boltzmann policy of $Q^\pi$,
#
# $$\pi_{\text{new}}(\cdot|s) = \arg\min_{p}\ \mathrm{KL}\Big(p \,\Big\|\, \tfrac{1}{Z(s)}\,
#   e^{Q^{\pi}(s,\cdot)/\alpha}\Big)$$
#
# (SAC-L2, SAC-T1; $Z(s)$ makes the probabilities sum to 1). Where every policy is allowed, that *is* the Boltzmann
# policy.

# %%
import numpy as np
from scipy.special import softmax

import maxent
from maxent import learn, plots, testing
from maxent.tabular.solvers.convergence import convergence
from maxent.theorems import counterexamples

mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9, goals="absorbing")
temperature = 0.05

# %% [markdown]
# **Exercise 4.1.** One step of soft policy iteration: from a policy to the next, probabilities (states,
# actions). `maxent.soft_policy_evaluation(mdp, policy, temperature=...)` has `.q`;
# `maxent.boltzmann_policy(q, temperature)` gives *logarithms* of probabilities.
#
# <details><summary>Hint</summary>Evaluate, Boltzmann policy of the q found, `np.exp`.</details>


# %%
def my_step(mdp, policy, temperature):
    # solution
    q = maxent.soft_policy_evaluation(mdp, policy, temperature=temperature).q
    return np.exp(maxent.boltzmann_policy(q, temperature))
    # stub: return ...


learn.check_exercise("4.1", my_step)

# %% [markdown]
# ## No state gets worse
#
# Let $q = Q^\pi$. In each state the new policy maximises $\sum_a p_a q_a + \alpha\mathcal H(p)$ (notebook 1), and
# $V^\pi$ is that expression at the old one. So one step of the *new* policy followed by the old is worth at
# least $V^\pi$; then so are two steps, three, ... and in the limit $V^{\pi_{new}} \ge V^\pi$, in every state.

# %%
policy, found = np.full((mdp.n_states, 4), 0.25), []
for k in range(5):
    found.append(maxent.soft_policy_evaluation(mdp, policy, temperature=temperature))
    policy = np.exp(maxent.boltzmann_policy(found[-1].q, temperature))
    if k:
        gain = found[k].v - found[k - 1].v
        print(
            f"step {k}: the states gain between {gain.min().round(4) + 0.0:.4f} and {gain.max():.4f}"
        )
plots.side_by_side(mdp, {f"steps done: {k}": found[k] for k in range(4)}, columns=2)

# %% [markdown]
# ## How many steps?
#
# At discount 0.9, certified to about nine digits, value iteration takes 161 sweeps here and policy iteration 7
# steps. **Predict, then run:** how many steps does policy iteration take at discount 0.9999?

# %%
my_steps = ...

# %%
steps = {}
for discount in (0.9, 0.99, 0.999, 0.9999):
    world = maxent.gridworld("four-rooms", slip=0.1, discount=discount, goals="absorbing")
    steps[discount] = maxent.soft_policy_iteration(world, temperature).iterations
    sweeps = maxent.soft_value_iteration(world, temperature).iterations
    print(
        f"discount {discount}: {steps[discount]} steps; value iteration: {sweeps} certified sweeps"
    )
learn.reveal(my_steps, steps[0.9999], "It hardly depends on the discount; why, is told below.")

# %% [markdown]
# (Value iteration needs *fewer* sweeps at discounts nearer 1: what is certified follows the spread of notebook 3. The
# far-sighted agent goes straight to the goal, so the second eigenvalue of its transitions is .64 or less; at 0.9 the
# agent wanders far from the goal, and it is .99.)
#
# The soft Bellman equation is $F(V) = TV - V = 0$. The derivative of the soft maximum is the Boltzmann policy,
# so $F'(V) = \gamma P_\pi - I$, and Newton's method on $F$ is: solve a linear system with $P_\pi$. That is
# policy evaluation! Soft policy iteration *is* Newton's method (SPI-NEWTON), and near the solution each error is
# about the square of the one before.

# %%
small = maxent.garnet(7, 3, discount=0.9, branching=3, seed=0)
newton = convergence(small, 0.3, solver=maxent.soft_policy_iteration)
print("errors:", "  ".join(f"{error:.1e}" for error in newton.errors))
plots.newton(newton, convergence(small, 0.3, solver=maxent.soft_value_iteration))

# %%
# solution
my_choice = "a"
# stub: my_choice = ...
learn.quiz("4.a", my_choice)

# %% [markdown]
# **Exercise 4.2.** Measure that. If $e_{k+1} \approx C e_k^{\,m}$, the order $m$ can be had from three errors
# in a row, without knowing $C$. Write it.
#
# <details><summary>Hint</summary>Divide $e_2 = C e_1^m$ by $e_1 = C e_0^m$ and take logarithms.</details>


# %%
def my_order(e0, e1, e2):
    # solution
    return np.log(e2 / e1) / np.log(e1 / e0)
    # stub: return ...


learn.check_exercise("4.2", my_order)

# %% [markdown]
# ## One shared parameter
#
# The proof needs every state to choose for itself. A network does not work like that: its parameters are shared.
# The smallest case: a policy with *one* parameter $x$, the probability of the first action in every state, and
# the projection taken in KL averaged over states. One such step is taken in a world of three states.
# **Predict, then run:** is the state that fares best by it "better" or "worse" off than before?

# %%
my_word = ...

# %%
tied = counterexamples.ALL["NOT-TIED-IMPROVED"]()
best_change = tied.numbers["change in the state that loses least"]
learn.reveal(
    my_word,
    "better" if best_change > 0 else "worse",
    f"Every state loses, from {-best_change:.1f} to "
    f"{-tied.numbers['change in the state that loses most']:.1f}.",
)
plots.counterexample(tied)

# %% [markdown]
# ## A bug hunt
#
# Five improvement steps that people have written. The solver iterates: evaluate exactly, then
# `new = step(q, v, alpha, old)`.

# %%
STEPS = {
    "A": lambda q, v, alpha, old: np.eye(q.shape[1])[q.argmax(axis=1)],
    "B": lambda q, v, alpha, old: softmax(q, axis=1),
    "C": lambda q, v, alpha, old: softmax((q - v[:, None]) / alpha, axis=1),
    "D": lambda q, v, alpha, old: 0.5 * old + 0.5 * softmax(q / alpha, axis=1),
    "E": lambda q, v, alpha, old: softmax(np.log(old.clip(1e-300)) + q / alpha, axis=1),
}

# %% [markdown]
# **Exercise 4.3 (a bug hunt).** Which find the soft optimum in the end? Five times True or False, A to E.
#
# <details><summary>Hint</summary>At the optimum a right step changes nothing: which of the five leave
# $\pi^* \propto e^{Q^*/\alpha}$ as it is? And does it get there?</details>

# %%
# solution
my_verdicts = [False, False, True, True, False]
# stub: my_verdicts = ...
learn.check_exercise("4.3", my_verdicts)


# %%
def solver_with(step):
    def solver(mdp, alpha):
        policy = np.full((mdp.n_states, mdp.n_actions), 1 / mdp.n_actions)
        for _ in range(60):
            found = maxent.soft_policy_evaluation(mdp, policy, temperature=alpha)
            policy = step(found.q, found.v, alpha, policy)
        return found.q, found.v, np.log(policy.clip(1e-300))

    return solver


few = [m for m in testing.default_mdps() if m.action_mask.all() and not m.terminal.any()][:4]
STEPS["half"] = lambda q, v, alpha, old: softmax(0.5 * np.log(old) + 0.5 * q / alpha, axis=1)
for name, step in STEPS.items():
    report = testing.check_solver(solver_with(step), mdps=few, temperatures=(0.1, 0.5))
    print(name, "passes" if report.passed else f"fails: {', '.join(report.faults)}")

# %% [markdown]
# `check_solver` names what an *answer* looks like: that of E is greedy in the end; for B's forgotten temperature it has
# no name.
#
# E forgets nothing: the old policy stays in it whole. With half of each exponent it passes. That is a step of the **natural
# policy gradient** (NPG), which policy gradient methods such as TRPO approximate:
# $\pi_{new}\propto\pi^{1-w}\,e^{w\,Q^\pi/\alpha}$ with $0 < w\le 1$ makes no state worse, and $w = 1$ is soft policy iteration.
#
# **What the theorem does not say.** With shared parameters, that anything improves. With an estimated Q, that
# the step helps: its gain must outweigh the estimate's error. That seven steps are cheap: each solves a linear
# system in all states.
#
# Next: [5 · The agent that won't finish](05-the-agent-that-wont-finish.ipynb).

# %%
learn.links("SAC-L2", "SPI-NEWTON", "NPG", "NOT-TIED-IMPROVED")
