r"""Every statement of the theory, a row a key: the one table of clauses, proofs, pages and lists.

SQL is Haarnoja, Tang, Abbeel, Levine (2017), arXiv:1702.08165; SAC is Haarnoja, Zhou, Abbeel,
Levine (2018), arXiv:1801.01290; SAC2 is Haarnoja et al. (2018), arXiv:1812.05905.  A key that
begins with NOT- is a counter-example: what happens without a hypothesis of another statement.
The clauses of a key are in the file of `maxent.theorems.clauses` that has its section's name.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace

from maxent.errors import ConfigError
from maxent.support.arguments import nearest
from maxent.theorems.clause import Clause
from maxent.theorems.clauses import (
    along_the_temperature,
    balance,
    control_as_inference,
    convergence_rates,
    convex_program,
    known_answers,
    limits,
    linear_quadratic_regulator,
    linearly_solvable_mdps,
    newtons_method,
    occupancies,
    path_consistency,
    performance_differences,
    policy_gradients,
    robustness,
    soft_maximum,
    soft_policy_iteration,
    soft_q_learning,
    trade_off,
    transformations,
    without_discount,
)
from maxent.theorems.clauses.balance import BALANCED
from maxent.theorems.clauses.convex_program import CONVEX
from maxent.theorems.clauses.linear_quadratic_regulator import SOLVABLE
from maxent.theorems.clauses.without_discount import UNDISCOUNTED
from maxent.theorems.hypotheses import (
    EXACT_ROWS,
    FACTORISABLE,
    HARD,
    MODEL,
    NO_PRIOR,
    NO_TERMINAL,
    POSITIVE,
    REPRESENTABLE,
    ROWS,
    SOFT,
    UNIFORM_MODEL,
    Hypothesis,
)


@dataclass(frozen=True)
class Statement:
    """What one key says.

    key, title : its name, and what it is about in a few words.
    section : of the docs page that tells it, as in the address of its heading.
    plain, latex : the statement, in plain characters and in Markdown with LaTeX.
    source : where it is proved.
    functions : what in maxent it is about, as dotted names.
    hypotheses : what all its clauses assume, each in words and as a test.
    against, missing : of a counter-example: the key whose conclusion fails, and the hypothesis that
        is missing.
    """

    key: str
    title: str
    section: str
    plain: str
    latex: str
    source: str
    functions: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    against: str = ""
    missing: str = ""

    @property
    def anchor(self) -> str:
        """The docs page and the heading under which it stands."""
        page = "counterexamples" if self.against else "theory"
        return f"docs/{page}.md#{self.section}"


_ROWS = (
    Statement(
        "SQL-T1",
        "The optimal policy is Boltzmann's",
        "soft-q-learning",
        "With V*(s) = alpha log sum_a exp(Q*(s,a) / alpha), the optimal maximum-entropy policy is "
        "pi*(a|s) = exp((Q*(s,a) - V*(s)) / alpha); it is at least as good as any other in every "
        "state.",
        r"With $V^*(s) = \alpha \log \sum_a \exp(Q^*(s,a)/\alpha)$, the optimal maximum-entropy "
        r"policy is $\pi^*(a|s) = \exp((Q^*(s,a) - V^*(s))/\alpha)$; it is at least as good as any "
        "other in every state.",
        "SQL Theorem 1, Eqs. 4-6",
        ("maxent.boltzmann_policy", "maxent.soft_value"),
        MODEL,
    ),
    Statement(
        "SQL-T2",
        "The soft Bellman equation",
        "soft-q-learning",
        "Q*(s,a) = r(s,a) + gamma E[V*(s')].",
        r"$Q^*(s,a) = r(s,a) + \gamma\, E[V^*(s')]$.",
        "SQL Theorem 2, Eq. 7",
        ("maxent.backup", "maxent.soft_bellman"),
        MODEL,
    ),
    Statement(
        "SQL-T3",
        "Soft Q-iteration converges",
        "soft-q-learning",
        "Q <- r + gamma P V, V <- alpha log sum exp(Q / alpha) converges to Q*, V* from every "
        "bounded start: T is a gamma-contraction in the largest difference, monotone, and "
        "T(Q + c) = TQ + gamma c (with terminal states: <= for c >= 0). Hence ||V_k - V*|| <= "
        "gamma^k ||V_0 - V*||, ||V_k - V*|| <= gamma/(1-gamma) ||V_k - V_{k-1}||, and bounds by "
        "the span of V_k - V_{k-1}.",
        r"$Q \leftarrow r + \gamma P V$, $V \leftarrow \alpha \log \sum \exp(Q/\alpha)$ converges "
        r"to $Q^*$, $V^*$ from every bounded start: $T$ is a $\gamma$-contraction in the largest "
        r"difference, monotone, and $T(Q + c) = TQ + \gamma c$ (with terminal states: $\le$ for "
        r"$c \ge 0$). Hence $\lVert V_k - V^* \rVert \le \gamma^k \lVert V_0 - V^* \rVert$, "
        r"$\lVert V_k - V^* \rVert \le \frac{\gamma}{1-\gamma} \lVert V_k - V_{k-1} \rVert$, and "
        "the span bounds of [semantics](semantics.md).",
        "SQL Theorem 3 (App. A.2)",
        ("maxent.soft_value_iteration", "maxent.soft_bellman"),
        MODEL,
    ),
    Statement(
        "SQL-T4",
        "The Boltzmann policy is an improvement",
        "soft-q-learning",
        "The Boltzmann policy of Q^pi is at least as good as pi.",
        r"The Boltzmann policy of $Q^\pi$ is at least as good as $\pi$.",
        "SQL Theorem 4 (App. A.1)",
        ("maxent.boltzmann_policy",),
        MODEL,
    ),
    Statement(
        "SAC-L1",
        "Soft policy evaluation",
        "soft-policy-iteration",
        "T^pi Q = r + gamma E[V(s')], V = E_pi[Q - alpha log pi], is affine and a "
        "gamma-contraction; repeated, it converges to Q^pi, the solution of the linear system "
        "(I - gamma P_pi) V^pi = r_pi + alpha H_pi.",
        r"$T^\pi Q = r + \gamma E[V(s')]$, $V = E_\pi[Q - \alpha \log \pi]$, is affine and a "
        r"$\gamma$-contraction; repeated, it converges to $Q^\pi$, the solution of the linear "
        r"system $(I - \gamma P_\pi) V^\pi = r_\pi + \alpha H_\pi$.",
        "SAC Lemma 1",
        ("maxent.soft_policy_evaluation", "maxent.soft_policy_bellman"),
        MODEL,
    ),
    Statement(
        "SAC-L2",
        "Soft policy improvement",
        "soft-policy-iteration",
        "pi_new(.|s) = argmin KL(pi'(.|s) || exp(Q^pi(s,.) / alpha) / Z(s)) has Q^pi_new >= Q^pi "
        "everywhere. Over all policies it is the Boltzmann policy of Q^pi.",
        r"$\pi_{new}(\cdot|s) = \arg\min_{\pi'} \mathrm{KL}(\pi'(\cdot|s) \Vert "
        r"\exp(Q^\pi(s,\cdot)/\alpha)/Z(s))$ has $Q^{\pi_{new}} \ge Q^\pi$ everywhere. Over all "
        r"policies it is the Boltzmann policy of $Q^\pi$.",
        "SAC Eq. 4 (GIBBS-1, GIBBS-2)",
        ("maxent.soft_policy_improvement",),
        MODEL,
    ),
    Statement(
        "SAC-T1",
        "Soft policy iteration converges",
        "soft-policy-iteration",
        "Repeating evaluation and improvement converges to pi*, with Q^pi* >= Q^pi for all pi.",
        r"Repeating evaluation and improvement converges to $\pi^*$, with $Q^{\pi^*} \ge Q^\pi$ "
        r"for all $\pi$.",
        "SAC Theorem 1",
        ("maxent.soft_policy_iteration",),
        MODEL,
    ),
    Statement(
        "GIBBS-1",
        "Why the soft maximum: the Gibbs principle",
        "soft-maximum",
        "alpha log sum_a exp(q_a / alpha) = max_p { <p,q> + alpha H(p) }, attained only at "
        "p*(a) = exp(q_a / alpha) / sum_b exp(q_b / alpha).",
        r"$\alpha \log \sum_a \exp(q_a/\alpha) = \max_p \{ \langle p, q \rangle + \alpha H(p) \}$, "
        r"attained only at $p^*(a) = \exp(q_a/\alpha) / \sum_b \exp(q_b/\alpha)$.",
        "Donsker, Varadhan; SQL Eq. 5, the step behind SQL Theorem 1",
        ("maxent.soft_value", "maxent.boltzmann_policy"),
        ROWS,
    ),
    Statement(
        "GIBBS-2",
        "The gap to the soft maximum is a divergence",
        "soft-maximum",
        "The gap to the maximum at any p is alpha KL(p || p*).",
        r"The gap to the maximum at any $p$ is $\alpha\, \mathrm{KL}(p \Vert p^*)$.",
        "SQL App. A.1; SAC Eq. 4",
        ("maxent.kl_divergence",),
        (*ROWS, POSITIVE, REPRESENTABLE),
    ),
    Statement(
        "GIBBS-3",
        "Greatest entropy for its mean",
        "soft-maximum",
        "Among all p with the mean <p,q> of p*, p* has the greatest entropy.",
        r"Among all $p$ with the mean $\langle p, q \rangle$ of $p^*$, $p^*$ has the greatest "
        "entropy.",
        "Jaynes (1957); SQL Eq. 6",
        ("maxent.boltzmann_policy",),
        (*ROWS, POSITIVE),
    ),
    Statement(
        "GIBBS-4",
        "The soft maximum is near the maximum",
        "soft-maximum",
        "max q <= alpha log sum exp(q / alpha) <= max q + alpha log |A(s)|.",
        r"$\max q \le \alpha \log \sum \exp(q/\alpha) \le \max q + \alpha \log \lvert A(s) "
        r"\rvert$.",
        "SQL Eq. 5; log-sum-exp between one and |A| times its largest term",
        ("maxent.soft_value",),
        ROWS,
    ),
    Statement(
        "SPI-NEWTON",
        "Soft policy iteration is Newton's method",
        "newtons-method",
        "Soft policy iteration is Newton's method on TV - V = 0, smooth for alpha > 0, and "
        "converges quadratically near V*.",
        r"Soft policy iteration is Newton's method on $TV - V = 0$, smooth for $\alpha > 0$, and "
        r"converges quadratically near $V^*$.",
        "Puterman, Brumelle (1979); Geist et al. (2019)",
        ("maxent.soft_policy_iteration",),
        MODEL,
    ),
    Statement(
        "NPG",
        "The natural policy gradient",
        "policy-gradients",
        "With step eta <= (1-gamma)/alpha, pi_new proportional to pi^(1 - eta alpha/(1-gamma)) "
        "exp(eta Q^pi/(1-gamma)) improves in every state and converges at rate 1 - eta alpha; the "
        "largest step is soft policy iteration.",
        r"With step $\eta \le (1-\gamma)/\alpha$, $\pi_{new} \propto \pi^{1 - "
        r"\eta\alpha/(1-\gamma)} \exp(\eta Q^\pi/(1-\gamma))$ improves in every state and "
        r"converges at rate $1 - \eta\alpha$; the largest step is soft policy iteration.",
        "Cen et al. (2022), Lemma 1",
        ("maxent.natural_policy_gradient",),
        SOFT,
    ),
    Statement(
        "LIMIT-ZERO",
        "Temperature to 0: the hard maximum",
        "limits",
        "0 <= V*_alpha - V*_0 <= alpha log|A| / (1-gamma).",
        r"$0 \le V^*_\alpha - V^*_0 \le \alpha \log \lvert A \rvert / (1-\gamma)$.",
        "MONOTONE between 0 and alpha",
        ("maxent.tradeoff",),
        (*MODEL, NO_PRIOR, HARD),
    ),
    Statement(
        "LIMIT-INFINITY",
        "Temperature to infinity: entropy alone",
        "limits",
        "V*_alpha / alpha tends to the value of the MDP without rewards at alpha = 1 and pi* to "
        "its policy, which is uniform only where every action leaves equally many choices later.",
        r"$V^*_\alpha/\alpha$ tends to the value of the MDP without rewards at $\alpha = 1$ and "
        r"$\pi^*$ to its policy, which is uniform only where every action leaves equally many "
        "choices later.",
        "pi_inf is a policy; rewards add at most max|r| a step",
        ("maxent.tradeoff",),
        MODEL,
    ),
    Statement(
        "MONOTONE",
        "Entropy rises, return falls",
        "along-the-temperature",
        "The discounted entropy of pi*_alpha does not fall and its return does not rise as alpha "
        "grows.",
        r"$H$ does not fall and $R$ does not rise as $\alpha$ grows.",
        "optimality of both policies, each at its own temperature",
        ("maxent.tradeoff",),
        MODEL,
    ),
    Statement(
        "SCALE",
        "Rewards and temperature scaled together",
        "transformations",
        "Rewards and temperature times c: values times c, the same policy.",
        r"Rewards and temperature times $c$: values times $c$, the same policy.",
        "SAC Sec. 4: the temperature is an inverse reward scale",
        ("maxent.soft_bellman",),
        MODEL,
    ),
    Statement(
        "SHAPE",
        "Potential-based shaping",
        "transformations",
        "r + gamma P Phi - Phi in place of r: values minus Phi, the same policy.",
        r"$r + \gamma P \Phi - \Phi$ in place of $r$: values minus $\Phi$, the same policy.",
        "Ng, Harada, Russell (1999), for the soft optimum",
        ("maxent.soft_bellman",),
        MODEL,
    ),
    Statement(
        "SHIFT",
        "A constant added to every reward",
        "transformations",
        "r + c without terminal states: values plus c / (1-gamma).",
        r"$r + c$ without terminal states: values plus $c/(1-\gamma)$.",
        "SHAPE with a constant potential",
        ("maxent.soft_bellman",),
        (*MODEL, NO_TERMINAL, EXACT_ROWS),
    ),
    Statement(
        "DUPLICATE",
        "Every action twice",
        "transformations",
        "Every action twice, without terminal states: values plus alpha log 2 / (1-gamma).",
        r"Every action twice, without terminal states: values plus $\alpha \log 2 / (1-\gamma)$.",
        "log-sum-exp of two equal halves",
        ("maxent.soft_bellman",),
        UNIFORM_MODEL,
    ),
    Statement(
        "PG",
        "The soft policy gradient",
        "policy-gradients",
        "grad J = sum_s d(s) sum_a pi(a|s) grad log pi(a|s) (Q^pi(s,a) - alpha log pi(a|s)).",
        r"$\nabla J = \sum_s d(s) \sum_a \pi(a|s) \nabla \log \pi(a|s)\, "
        r"(Q^\pi(s,a) - \alpha \log \pi(a|s))$.",
        "soft policy gradient theorem; SQL App. B, Eqs. 26-32",
        ("maxent.policy_gradient",),
        (*SOFT, FACTORISABLE),
    ),
    Statement(
        "SUBOPT",
        "What a policy loses is a divergence",
        "occupancies",
        "J(pi*) - J(pi) = alpha sum_s d^pi(s) KL(pi(.|s) || pi*(.|s)).",
        r"$J(\pi^*) - J(\pi) = \alpha \sum_s d^\pi(s)\, "
        r"\mathrm{KL}(\pi(\cdot|s) \Vert \pi^*(\cdot|s))$.",
        "performance difference; Mei et al. (2020), Lemma 26",
        ("maxent.occupancy", "maxent.kl_divergence"),
        SOFT,
    ),
    Statement(
        "ENVELOPE",
        "The slope in the temperature is the entropy",
        "along-the-temperature",
        "d J*/d alpha = H, the discounted entropy of pi*_alpha; J* is convex in alpha.",
        r"$\mathrm{d} J^*/\mathrm{d}\alpha = H$; $J^*$ is convex in $\alpha$.",
        "the maximum of functions affine in alpha",
        ("maxent.discounted_entropy", "maxent.tradeoff"),
        SOFT,
    ),
    Statement(
        "SENSITIVITY",
        "The slope in the rewards is the occupancy",
        "occupancies",
        "d J*/d r(s,a) = x*(s,a), the occupancy of pi*.",
        r"$\partial J^*/\partial r(s,a) = x^*(s,a)$, the occupancy of $\pi^*$.",
        "convexity of V* in r; Hoeffding's lemma",
        ("maxent.occupancy",),
        SOFT,
    ),
    Statement(
        "SLOPE",
        "The front of return and entropy",
        "trade-off",
        "d R/d H = -alpha; the curve is the Pareto front of return and entropy.",
        r"$\mathrm{d} R/\mathrm{d} H = -\alpha$; the curve is the Pareto front of return and "
        "entropy.",
        "optimality of both policies, each at its own temperature",
        ("maxent.tradeoff",),
        SOFT,
    ),
    Statement(
        "DUAL-TEMPERATURE",
        "The temperature for a given entropy",
        "trade-off",
        "The best return with entropy at least h is min over alpha of J* - alpha h.",
        r"The best return with entropy at least $h$ is $\min_\alpha \{ J^* - \alpha h \}$.",
        "ENVELOPE; Lagrangian duality",
        ("maxent.temperature_for_entropy",),
        SOFT,
    ),
    Statement(
        "DUAL-OCCUPANCY",
        "A convex program over occupancies",
        "convex-program",
        "max sum x r + alpha sum_s x(s) H(x(s,.)/x(s)) over x >= 0 with sum_a x(s,a) - gamma sum "
        "P(s|s',a') x(s',a') = mu(s) is a convex program; its value is J* from mu, and for its "
        "maximiser x(s,a)/x(s), where x(s) > 0, is an optimal policy.",
        r"$\max \sum x r + \alpha \sum_s x(s) H(x(s,\cdot)/x(s))$ over $x \ge 0$ with $\sum_a "
        r"x(s,a) - \gamma \sum P(s|s',a') x(s',a') = \mu(s)$ is a convex program; its value is "
        r"$J^*$ from $\mu$, and for its maximiser $x(s,a)/x(s)$, where $x(s) > 0$, is an optimal "
        r"policy.",
        "Puterman (1994), Sec. 6.9; Geist et al. (2019); Ziebart (2010)",
        ("maxent.occupancy",),
        CONVEX,
    ),
    Statement(
        "PATH",
        "Path consistency",
        "path-consistency",
        "For every action, optimal or not, V*(s) = r(s,a) - alpha log pi*(a|s) + gamma E[V*(s')]; "
        "so along d steps of any policy V*(s_0) = E[sum_(i<d) gamma^i (r_i - alpha log "
        "pi*(a_i|s_i)) + gamma^d V*(s_d)], and along every single path where the dynamics are "
        "deterministic. With a prior: pi*/prior for pi*.",
        r"For every action, optimal or not, $V^*(s) = r(s,a) - \alpha \log \pi^*(a|s) + \gamma "
        r"E[V^*(s')]$; so along $d$ steps of *any* policy $V^*(s_0) = E[\sum_{i<d} \gamma^i (r_i - "
        r"\alpha \log \pi^*(a_i|s_i)) + \gamma^d V^*(s_d)]$, and along every single path where the "
        r"dynamics are deterministic. With a prior: $\pi^*/\mathrm{prior}$ for $\pi^*$.",
        "Nachum et al. (2017), Theorem 1",
        ("maxent.backup",),
        SOFT,
    ),
    Statement(
        "INFERENCE",
        "Control as inference",
        "control-as-inference",
        "Deterministic dynamics, fixed start, finite horizon, no discount: the law of the "
        "trajectory under pi*_t is exp(R / alpha) / Z (times the prior), and alpha log Z = V_0. "
        "Stochastic dynamics: the posterior, the dynamics times exp(R / alpha) / Z, also bends the "
        "dynamics, and is in general not the law under pi*: alpha log Z - V_0 = alpha KL(law under "
        "pi* || posterior) >= 0.",
        r"Deterministic dynamics, fixed start, finite horizon, no discount: the law of the "
        r"trajectory under $\pi^*_t$ is $\exp(R/\alpha)/Z$ (times the prior), and $\alpha \log Z = "
        r"V_0$. Stochastic dynamics: the posterior, the dynamics times $\exp(R/\alpha)/Z$, also "
        r"bends the dynamics, and is in general not the law under $\pi^*$: $\alpha \log Z - V_0 = "
        r"\alpha\, \mathrm{KL}(\text{law under } \pi^* \Vert \text{posterior}) \ge 0$.",
        "Levine (2018), Sec. 2; Ziebart et al. (2008)",
        ("maxent.finite_horizon",),
        SOFT,
    ),
    Statement(
        "PG-EQUIVALENCE",
        "Soft Q-learning is a policy gradient",
        "policy-gradients",
        "With Q = V + alpha log(pi/prior), a ~ pi and the target y held fixed, the gradient of "
        "soft Q-learning is one of a policy and one of a value: grad E[1/2 (Q - y)^2] = -alpha "
        "grad E[<pi,y> - alpha KL(pi || prior)] + grad E[1/2 (V - <pi,y> + alpha KL)^2], the last "
        "bracket's <pi,y> - alpha KL held fixed too. Summed over states with the weights d^pi(s), "
        "and with y = Q^pi, the first term is -alpha grad J.",
        r"With $Q = V + \alpha \log(\pi/\mathrm{prior})$, $a \sim \pi$ and the target $y$ held "
        r"fixed, the gradient of soft Q-learning is one of a policy and one of a value: $\nabla "
        r"E[\frac12 (Q - y)^2] = -\alpha \nabla E[\langle \pi, y \rangle - \alpha\, "
        r"\mathrm{KL}(\pi \Vert \mathrm{prior})] + \nabla E[\frac12 (V - \langle \pi, y \rangle + "
        r"\alpha\, \mathrm{KL})^2]$, the last bracket's $\langle \pi, y \rangle - \alpha\, "
        r"\mathrm{KL}$ held fixed too. Summed over states with the weights $d^\pi(s)$, and with $y "
        r"= Q^\pi$, the first term is $-\alpha \nabla J$.",
        "Schulman, Chen, Abbeel (2017), Sec. 3",
        ("maxent.policy_gradient",),
        SOFT,
    ),
    Statement(
        "LMDP",
        "Linearly solvable MDPs",
        "linearly-solvable-mdps",
        "Where an action is a choice of the next state's law at the cost alpha KL(. || passive "
        "dynamics), z = exp(V / alpha) solves a linear system: z_t = exp(r / alpha) P z_(t+1), 1 "
        "at the end, for a finite horizon; z = exp(r / alpha) P z, 1 at terminal states, for first "
        "exit (rewards at most 0 on states, no discount, a terminal state within the passive "
        "dynamics' reach of every state). It is the soft Bellman equation with the passive "
        "dynamics as prior.",
        r"Where an action is a choice of the next state's law at the cost $\alpha\, "
        r"\mathrm{KL}(\cdot \Vert \text{passive dynamics})$, $z = \exp(V/\alpha)$ solves a "
        r"*linear* system: $z_t = \exp(r/\alpha) P z_{t+1}$, 1 at the end, for a finite horizon; "
        r"$z = \exp(r/\alpha) P z$, 1 at terminal states, for first exit (rewards at most 0 on "
        r"states, no discount, a terminal state within the passive dynamics' reach of every "
        r"state). It is the soft Bellman equation with the passive dynamics as prior.",
        "Todorov (2007)",
        ("maxent.finite_horizon",),
        (*MODEL, POSITIVE),
    ),
    Statement(
        "PRIOR",
        "A prior is a reward",
        "transformations",
        "A prior is a reward of alpha log prior(a|s).",
        r"A prior is a reward of $\alpha \log \mathrm{prior}(a|s)$.",
        "Ziebart (2010); Levine (2018)",
        ("maxent.soft_bellman",),
        (*MODEL, POSITIVE),
    ),
    Statement(
        "MELLOWMAX",
        "The mean in place of the sum",
        "soft-maximum",
        "alpha log of the mean of exp(q / alpha): the soft value with the uniform prior; a "
        "non-expansion, unlike the Boltzmann average of q, which has MDPs with several fixed "
        "points.",
        r"$\alpha \log$ of the *mean* of $\exp(q/\alpha)$: the soft value with the uniform prior; "
        r"a non-expansion, unlike the Boltzmann average of $q$, which has MDPs with several fixed "
        "points.",
        "Asadi, Littman (2017)",
        ("maxent.mellowmax",),
        ROWS,
    ),
    Statement(
        "SOFT-PDL",
        "What one policy gains over another",
        "performance-differences",
        "For any two policies p, p' and B the Boltzmann policy of Q^p: V^p' - V^p = (I - gamma "
        "P_p')^-1 alpha [KL(p || B) - KL(p' || B)], the bracket a vector over states.",
        r"For any two policies $p$, $p'$ and $B$ the Boltzmann policy of $Q^p$: $V^{p'} - V^p = "
        r"(I - \gamma P_{p'})^{-1} \alpha\, [\mathrm{KL}(p \Vert B) - \mathrm{KL}(p' \Vert B)]$, "
        "the bracket a vector over states.",
        "GIBBS-2 at Q^p, under p and under p'; below",
        ("maxent.kl_divergence", "maxent.soft_policy_evaluation"),
        SOFT,
    ),
    Statement(
        "APPROX",
        "What an error in Q costs",
        "performance-differences",
        "max |Q - Q*| <= d implies V* - V^B(Q) <= min(2 d, d^2 / (2 alpha)) / (1-gamma) in every "
        "state, B(Q) the Boltzmann policy of Q. Soft value iteration with an error of at most e a "
        "sweep ends within e / (1-gamma) of V*.",
        r"$\lVert Q - Q^* \rVert \le d$ implies $V^* - V^{B(Q)} \le \min(2 d, d^2/(2\alpha)) / "
        r"(1-\gamma)$ in every state, $B(Q)$ the Boltzmann policy of $Q$. Soft value iteration "
        r"with an error of at most $\varepsilon$ a sweep ends within $\varepsilon/(1-\gamma)$ of "
        r"$V^*$.",
        "SUBOPT and Hoeffding's lemma; below",
        ("maxent.boltzmann_policy", "maxent.diagnose"),
        MODEL,
    ),
    Statement(
        "ROBUST",
        "Entropy is insurance",
        "robustness",
        "J_alpha(pi) = min of E_pi sum gamma^t (r - Delta) over the Delta with sum_a "
        "exp(Delta(s,a) / alpha) <= 1 in every state, attained at Delta = alpha log pi; so V* is a "
        "max-min. Under the reward r - alpha log pi* every policy has the hard value V*. (With a "
        "prior: sum_a prior exp(Delta / alpha) <= 1, log(pi / prior).)",
        r"$J_\alpha(\pi) = \min_\Delta E_\pi \sum \gamma^t (r - \Delta)$ over the $\Delta$ with "
        r"$\sum_a \exp(\Delta(s,a)/\alpha) \le 1$ in every state, attained at $\Delta = \alpha "
        r"\log \pi$; so $V^*$ is a max-min. Under the reward $r - \alpha \log \pi^*$ every policy "
        r"has the hard value $V^*$. (With a prior: $\sum_a \mathrm{prior}\, \exp(\Delta/\alpha) "
        r"\le 1$, $\log(\pi/\mathrm{prior})$.)",
        "Eysenbach, Levine (2021), arXiv:2103.06257; Brekelmans et al. (2022); Husain et al. "
        "(2021); below",
        ("maxent.soft_policy_evaluation", "maxent.boltzmann_policy"),
        SOFT,
    ),
    Statement(
        "RATE",
        "How fast soft value iteration is",
        "convergence-rates",
        "Near V* a sweep multiplies the error by gamma P_pi*. Without terminal states the largest "
        "error therefore falls by gamma a sweep but its span, and so the error of the certified "
        "midpoint, by gamma |lambda_2(P_pi*)| in the long run; with terminal states the largest "
        "error itself falls by gamma times the spectral radius of P_pi* between the others.",
        r"Near $V^*$ a sweep multiplies the error by $\gamma P_{\pi^*}$. Without terminal states "
        r"the largest error therefore falls by $\gamma$ a sweep but its span, and so the error of "
        r"the certified midpoint, by $\gamma \lvert \lambda_2(P_{\pi^*}) \rvert$ in the long run; "
        r"with terminal states the largest error itself falls by $\gamma$ times the spectral "
        r"radius of $P_{\pi^*}$ between the others.",
        "SPI-NEWTON: the derivative of T; below",
        ("maxent.soft_value_iteration",),
        SOFT,
    ),
    Statement(
        "BALANCE",
        "When an agent shuns its goal",
        "balance",
        "Each transition pays c, and g more if it ends in a terminal state; every other state has "
        "n actions. With delta = alpha log n - (g/gamma - g - c) and N_pi(s) the discounted time "
        "of pi to a terminal state, V*(s) - g/gamma = max_pi {delta N_pi(s) - alpha E sum gamma^t "
        "KL(pi || uniform)}. So at alpha_c = (g/gamma - g - c) / log n the uniform policy is "
        "optimal and V = g/gamma everywhere, whatever the dynamics; below alpha_c the optimal "
        "policy arrives no later than the uniform one, from every state; above it no sooner.",
        r"Each transition pays $c$, and $g$ more if it ends in a terminal state; every other state "
        r"has $n$ actions. With $\delta = \alpha \log n - (g/\gamma - g - c)$ and $N_\pi(s)$ the "
        r"discounted time of $\pi$ to a terminal state, $V^*(s) - g/\gamma = \max_\pi \{ \delta "
        r"N_\pi(s) - \alpha E \sum \gamma^t\, \mathrm{KL}(\pi \Vert \mathrm{uniform}) \}$. So at "
        r"$\alpha_c = (g/\gamma - g - c) / \log n$ the uniform policy is optimal and $V = "
        r"g/\gamma$ everywhere, whatever the dynamics; below $\alpha_c$ the optimal policy "
        r"arrives no later than the uniform one, from every state; above it no sooner.",
        "V = g/gamma makes every Q equal to c + g; below",
        ("maxent.balance_temperature",),
        (*SOFT, *BALANCED),
    ),
    Statement(
        "FIRST-EXIT",
        "No discount, an end in reach",
        "without-discount",
        "At discount 1, with an end within reach of every state: if T L >= L and T U <= U "
        "(strictly at alpha = 0), then L <= V* <= U, V* is finite, and no policy is worth more "
        "than U, whether or not it surely ends. For alpha > 0 the value is finite if and only if "
        "every maximal end component (what can be stayed in for ever) has a gain below 0: below a "
        "critical temperature, and with a prior above one.",
        r"At discount 1, with an end within reach of every state: if $TL \ge L$ and $TU \le U$ "
        r"(strictly at $\alpha = 0$), then $L \le V^* \le U$, $V^*$ is finite, and no policy "
        r"is worth more than $U$, whether or not it surely ends. For $\alpha > 0$ the value is "
        "finite if and only if every maximal end component (what can be stayed in for ever) has a "
        "gain below 0: below a critical temperature, and with a prior above one.",
        "monotone iteration from U and L; Bertsekas, Tsitsiklis (1991) and de Alfaro (1997) for "
        "alpha = 0",
        ("maxent.solve", "maxent.critical_temperature"),
        UNDISCOUNTED,
    ),
    Statement(
        "AVERAGE",
        "The average reward",
        "without-discount",
        "For any h and any chain structure, min(T h - h) <= rho(s) <= max(T h - h) in every state, "
        "T without discount, and B(h) has a gain of at least the minimum. If all states can reach "
        "each other, or every policy has a single recurrent class, rho + h = T h has a solution, "
        "and (1-gamma) V* -> rho, V*(s) - V*(0) -> h(s) - h(0) as gamma -> 1.",
        r"For any $h$ and any chain structure, $\min(Th - h) \le \rho(s) \le \max(Th - h)$ in "
        r"every state, $T$ without discount, and $B(h)$ has a gain of at least the minimum. If all "
        r"states can reach each other, or every policy has a single recurrent class, $\rho + h = "
        r"Th$ has a solution, and $(1-\gamma) V^* \to \rho$, $V^*(s) - V^*(0) \to h(s) - h(0)$ "
        r"as $\gamma \to 1$.",
        "Puterman (1994), Ch. 8 and Theorem 8.5.5, with alpha times the entropy in the reward",
        ("maxent.average_reward",),
        UNDISCOUNTED,
    ),
    Statement(
        "KNOWN",
        "Rewards with a known answer",
        "known-answers",
        "For any transitions, any V (0 at terminal states) and any pi > 0, under the reward "
        "r(s,a,s') = alpha log pi(a|s) + V(s) - gamma V(s'): V* = V, pi* = pi, Q* = alpha log pi + "
        "V, and every policy p has V^p = V - alpha (I - gamma P_p)^-1 KL(p || pi).",
        r"For any transitions, any $V$ (0 at terminal states) and any $\pi > 0$, under the reward "
        r"$r(s,a,s') = \alpha \log \pi(a|s) + V(s) - \gamma V(s')$: $V^* = V$, $\pi^* = \pi$, "
        r"$Q^* = \alpha \log \pi + V$, and every policy $p$ has $V^p = V - \alpha (I - \gamma "
        r"P_p)^{-1} \mathrm{KL}(p \Vert \pi)$.",
        "GIBBS-2 at Q = alpha log pi + V; below",
        ("maxent.known_answer", "maxent.diagnose"),
        (*SOFT, NO_PRIOR),
    ),
    Statement(
        "LQR-1",
        "The Riccati equation",
        "linear-quadratic-regulator",
        "P = Q + gamma A'PA - gamma^2 A'PB M^-1 B'PA, M = R + gamma B'PB, gain K = gamma M^-1 "
        "B'PA.",
        r"$P = Q + \gamma A'PA - \gamma^2 A'PB M^{-1} B'PA$, $M = R + \gamma B'PB$, gain $K = "
        r"\gamma M^{-1} B'PA$.",
        "Anderson, Moore (1990), Ch. 2",
        ("maxent.solve_lqr",),
        SOLVABLE,
    ),
    Statement(
        "LQR-2",
        "The policy is Gaussian",
        "linear-quadratic-regulator",
        "pi*(.|s) = N(-K s, (alpha/2) M^-1): the temperature sets only the covariance.",
        r"$\pi^*(\cdot|s) = N(-K s, \frac{\alpha}{2} M^{-1})$: the temperature sets only the "
        "covariance.",
        "SQL Eqs. 4-6 and SAC Eq. 4, with a quadratic Q",
        ("maxent.solve_lqr",),
        SOLVABLE,
    ),
    Statement(
        "LQR-3",
        "The value is quadratic",
        "linear-quadratic-regulator",
        "V*(s) = -s'P s + c, c = (-gamma tr(PW) + alpha ((m/2) log(pi alpha) - (1/2) log det M)) / "
        "(1 - gamma).",
        r"$V^*(s) = -s'P s + c$, $c = \frac{1}{1-\gamma} (-\gamma\, \mathrm{tr}(PW) + \alpha "
        r"(\frac{m}{2} \log(\pi \alpha) - \frac12 \log \det M))$.",
        "SAC Lemma 1 for this problem",
        ("maxent.solve_lqr",),
        SOLVABLE,
    ),
)

_PRODUCT = "the policy set is a product of per-state sets (no parameters shared by states)"
_SEARCH = (
    "search of 3,000 MDPs: 3 states, 2 actions, transitions Dirichlet(0.2), rewards N(0, 1), "
    "both rounded to 2 decimals"
)


def _against(
    against: str,
    key: str,
    title: str,
    section: str,
    function: str,
    plain: str,
    missing: str,
    source: str,
) -> Statement:
    """The row of a counter-example: the key whose conclusion fails, then the fields by name."""
    where = f"maxent.theorems.counterexamples.{function}"
    return Statement(key, title, section, plain, plain, source, (where,), (), against, missing)


_COUNTEREXAMPLES = (
    _against(
        "SAC-L2",
        "NOT-TIED-IMPROVED",
        "Shared parameters: a step down",
        "policies-that-share-parameters",
        "tied_improvement",
        "the projection lowers the soft value in every state, by more than 20",
        _PRODUCT,
        _SEARCH,
    ),
    _against(
        "SAC-T1",
        "NOT-TIED-BEST",
        "Shared parameters: no best policy",
        "policies-that-share-parameters",
        "tied_best",
        "every policy of the set falls short of the set's best by more than 7 in some state",
        _PRODUCT,
        _SEARCH,
    ),
    _against(
        "SAC-T1",
        "NOT-TIED-CONVERGENT",
        "Shared parameters: a cycle",
        "policies-that-share-parameters",
        "tied_oscillation",
        "soft policy iteration alternates between two policies for ever",
        _PRODUCT,
        _SEARCH,
    ),
    _against(
        "SQL-T3",
        "NOT-ANY-SOFTMAX",
        "The Boltzmann average",
        "not-any-softmax-the-boltzmann-average",
        "boltzmann_average",
        "the mean of q under its own Boltzmann policy has three fixed points, two of them stable",
        "the soft value is alpha log sum exp(Q/alpha), which contracts",
        "Asadi, Littman (2017), An Alternative Softmax Operator",
    ),
    _against(
        "SQL-T3",
        "NOT-UNDISCOUNTED",
        "No discount, no end",
        "not-undiscounted-no-discount-no-end",
        "undiscounted",
        "values grow linearly with the horizon, for ever",
        "the discount is below 1, or every policy of interest surely ends (is proper)",
        "Puterman (1994), Markov Decision Processes",
    ),
    _against(
        "SQL-T3",
        "NOT-UNBOUNDED",
        "An infinite partition sum",
        "not-unbounded-an-infinite-partition-sum",
        "unbounded_partition",
        "the soft value rises without bound as more of the actions are counted, at every "
        "temperature from 1 on, and at none below",
        "the partition sum (the sum over actions of exp(Q/alpha)) is finite",
        "direct computation (the p-series)",
    ),
    _against(
        "SQL-T3",
        "NOT-BARE-RESIDUAL",
        "A small change, a large error",
        "not-bare-residual-a-small-change-a-large-error",
        "bare_residual",
        "a change of 0.001 leaves an error of 10 at discount 0.9999",
        "a residual is multiplied by gamma/(1-gamma) before it is called an error",
        "Puterman (1994), Markov Decision Processes; the forest of Chades et al. (2014)",
    ),
    _against(
        "INFERENCE",
        "NOT-STOCHASTIC",
        "Inference wins by luck",
        "not-stochastic-control-as-inference",
        "stochastic_inference",
        "alpha log Z exceeds V*, and the posterior is not the law under pi*",
        "the dynamics are deterministic",
        "Levine (2018), RL and Control as Probabilistic Inference",
    ),
    _against(
        "LIMIT-INFINITY",
        "NOT-UNIFORM",
        "Infinite temperature, not uniform",
        "not-uniform-infinite-temperature",
        "non_uniform_limit",
        "the limit policy prefers the action that keeps choices open: probability 0.835, not 0.5",
        "gamma E[V_inf(s')|s,a] is the same for all actions (equal |A(s)| and no terminal state)",
        "direct computation",
    ),
    _against(
        "LIMIT-INFINITY",
        "NOT-HARD-Q",
        "A bound with the wrong Q",
        "not-hard-q-the-bound-for-high-temperatures",
        "hard_q_in_the_bound",
        "with Q*_0 in its place the bound is exceeded many times over",
        "the Q in the bound is Q*_alpha, or that of the uniform policy",
        "direct computation",
    ),
    _against(
        "FIRST-EXIT",
        "NOT-FREE-LOOP",
        "A loop that costs nothing",
        "not-free-loop-a-loop-that-costs-nothing",
        "free_loop",
        "the Bellman equation holds for every number from the value up, and sweeps from above stay "
        "there",
        "every part that can be stayed in for ever has a gain below 0",
        "Bertsekas, Tsitsiklis (1991), An Analysis of Stochastic Shortest Path Problems",
    ),
)

STATEMENTS: dict[str, Statement] = {row.key: row for row in (*_ROWS, *_COUNTEREXAMPLES)}
"""Every key in the order of the theory, SQL and SAC first; the counter-examples last."""

FAMILIES = (
    *(soft_q_learning, soft_policy_iteration, soft_maximum, newtons_method, policy_gradients),
    *(limits, along_the_temperature, transformations, occupancies, trade_off, convex_program),
    *(path_consistency, control_as_inference, linearly_solvable_mdps, linear_quadratic_regulator),
    *(performance_differences, robustness, convergence_rates, balance, without_discount),
    known_answers,
)


def _clauses(about: Statement) -> list[Clause]:
    """The clauses of a statement, with its hypotheses, and its source where they name none."""
    defined = (each for family in FAMILIES for each in vars(family).values())
    return [
        replace(
            each,
            hypotheses=(*about.hypotheses, *each.hypotheses),
            source=each.source or about.source,
        )
        for each in defined
        if isinstance(each, Clause) and each.key == about.key
    ]


CLAUSES: tuple[Clause, ...] = tuple(
    each for about in STATEMENTS.values() for each in _clauses(about)
)
"""Every clause, by key."""


def listing(key: str | None = None) -> str:
    """What is stated, as text within 80 columns: a line a key; or, of one key, all of it.

    >>> print(listing("SQL-T2").splitlines()[0])
    SQL-T2  The soft Bellman equation
    """
    if key is None:
        return "\n".join(_line(about) for about in STATEMENTS.values())
    if key not in STATEMENTS:
        raise ConfigError(f"no statement has the key {key!r}; {nearest(key, STATEMENTS)}")
    about = STATEMENTS[key]
    facts = {
        "source": about.source,
        "assumes": "; ".join(each.words for each in about.hypotheses),
        "against": about.against,
        "missing": about.missing,
        "about": ", ".join(about.functions),
        "docs": about.anchor,
    }
    lines = [f"{key}  {about.title}", _indented(about.plain, 2, 2), ""]
    lines += [_indented(f"{name}: {text}", 2, 4) for name, text in facts.items() if text]
    for each in (clause for clause in CLAUSES if clause.key == key):
        lines += ["", _indented(f"{each.name}: {each.statement}", 2, 4)]
        own = "; ".join(hypothesis.words for hypothesis in each.hypotheses[len(about.hypotheses) :])
        lines += [_indented(f"assumes also: {own}", 4, 6)] if own else []
        if each.source != about.source:
            lines.append(_indented(f"source: {each.source}", 4, 6))
    return "\n".join(lines)


def _line(about: Statement) -> str:
    count = sum(clause.key == about.key for clause in CLAUSES)
    end = f"against {about.against}" if about.against else f"{count} clause{'s' * (count != 1)}"
    return f"{about.key:<20} {about.title:<{59 - len(end)}}{end}"


def _indented(text: str, first: int, rest: int) -> str:
    return textwrap.fill(
        text,
        80,
        initial_indent=" " * first,
        subsequent_indent=" " * rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
