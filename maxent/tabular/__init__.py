"""The exact half: operators, certified bounds, solvers, for any finite MDP (NumPy and SciPy).

From the ground up; each imports only from those before it:

=====================  ============================================================================
`operators`            one formula a function: the page to read first (`arrays`, `products` and
                       `linear_systems` are what it and the solvers compute with)
`bounds`               from a residual to an interval that holds V*, rounding included
`occupancy`            discounted visits, returns and entropies of a policy
`finite_horizon`       backward induction
`restricted/`          improvement inside a set of policies
`solvers/`             value and policy iteration, and the choice between them
`composition`          several tasks at once: sums of their Q's, and what these lose
`softmax_policies`     tables of logits
`policy_gradient`      the gradient of the soft return, and what it is at the optimum
`balance`              the temperature at which leaving and staying are worth the same
`known_answers`        rewards made for a solution that is chosen first
`tradeoff/`            return against entropy, over all temperatures
`inverse/`             rewards that explain a policy or demonstrations
`sampled/`             learners, estimators and simulation
=====================  ============================================================================
"""
