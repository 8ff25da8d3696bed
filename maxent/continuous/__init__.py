"""Continuous problems with an exact answer: what a learned policy is held against (no torch).

Two ways lead to an exact answer.

- A linear system with a quadratic cost has one in closed form: a `LinearQuadratic` problem
  (`linear_quadratic`), its optimum and the value of any linear-Gaussian policy (`lqr`), and how far
  a learned gain, covariance or value is from them (`distances`).
- A small task with any deterministic dynamics (`tasks`) is put on a grid of states and actions
  (`discretise`), which is a finite MDP with certified bounds.  Three tasks come with the package:
  `pendulum`, the four goals of the soft Q-learning paper (`multigoal`), and the smallest task
  on which soft Q-learning can go wrong (`corridor`).

The same problems are Gymnasium environments in `environments`: `maxent/LQR-v0`,
`maxent/Multigoal-v0`.  `matrices` holds the linear algebra.
"""
