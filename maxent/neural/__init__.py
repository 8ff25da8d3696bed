"""Soft Q-learning and soft actor-critic as neural networks, with the exact half's names and axes.

====================  =======================================================================
`operators.py`        the formulas of `maxent.tabular.operators`, on tensors
`losses.py`           one function an equation of the papers: tensors -> scalar
`composition.py`      agents put together without training: the average of networks
`algorithms/`         one file an algorithm, read beside its paper
  `sac.py`            soft actor-critic as used today: twin Q, tuned temperature
  `sac_v1.py`         soft actor-critic as first published: value network, fixed temperature
  `sac_discrete.py`   soft actor-critic with exact sums over discrete actions
  `sql.py`            soft Q-learning, continuous actions
  `sql_discrete.py`   soft Q-learning with exact sums over discrete actions
  `temperature.py`    the step of a tuned temperature
  `settings.py`       the settings that all share
  `__init__.py`       the five by name, and `Algorithm`: what a module needs to be one
`parts/`              what they are made of
  `networks.py`       a network is a function of its parameters, a dictionary of tensors
  `gaussian.py`       densities of Gaussian policies, squashed and not
  `policies.py`       the kinds of policy: categorical, Gaussian, sampling network, ...
  `mixture.py`        ... a mixture of Gaussians
  `flow.py`           ... a spline flow
  `actors.py`         ... whichever of them soft actor-critic learns
  `resampling.py`     ... one of many candidates by its weight
  `proposals.py`      actions to sample the soft value from, with their densities
  `stein.py`          kernels and Stein variational gradients
  `optim.py`          the optimiser and the moving average of the targets
  `replay.py`         `Batch` and the buffer it is drawn from
  `normalise.py`      observations in units of what was seen
  `spaces.py`         what an environment's spaces mean to a network
`diagnostics/`        an agent held against the theory: the one place that knows both halves
`runs/`               checkpoints that survive whatever happens to the process
`training/`           `train`, `resume`, `load_agent`; the loop around all five; the `Agent`
====================  =======================================================================

An algorithm is a module: a `Config`, and pure functions of a state that holds everything that
learns.  `init` makes it, `act` acts, `draw` draws the noise of an update and `update` takes it;
`policy`, `log_policy`, `q_values` and `state_values` say what was learned.  The loop, the files and
the environments are elsewhere, and know of no algorithm more than that.
"""

from maxent.support.extras import require_neural

require_neural()
