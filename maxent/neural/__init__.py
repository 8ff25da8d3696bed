"""Soft Q-learning and soft actor-critic as neural networks, with the exact half's names and axes.

=======================  ====================================================================
`operators.py`           the formulas of `maxent.tabular.operators`, on tensors
`gaussian.py`            densities of the policies, squashed and not
`losses.py`              one function an equation of the papers: tensors -> scalar
`stein.py`               kernels and Stein variational gradients
`proposals.py`           actions to sample the soft value from, with their densities
`networks.py`            a network is a function of its parameters, a dictionary of tensors
`optim.py`                the optimiser and the moving average of the targets
`replay.py`              `Batch` and the buffer it is drawn from
`spaces.py`              what an environment's spaces mean to a network
`collect.py`             environments stepped, transitions told right at every kind of ending
`settings.py`            what every algorithm can be told
`sac.py`                 soft actor-critic as used today: twin Q, tuned temperature
`sac_v1.py`              soft actor-critic as first published: value network, fixed temperature
`sac_discrete.py`        soft actor-critic with exact sums over discrete actions
`sql.py`     soft Q-learning with a sampling network
`sql_discrete.py`     soft Q-learning with exact sums over discrete actions
`policies.py`            the Gaussian policies of both soft actor-critics
`algorithms.py`          the five by name
`learner.py`             the loop around all five, and the way back into it
`training.py`            `train`, `resume`, `load_agent`
`agent.py`               what comes out: acts, is evaluated, is held against an MDP
`runs/`                  checkpoints that survive whatever happens to the process
`diagnostics/`           an agent held against the theory: the one place that knows both halves
`statistics.py`          interquartile means, bootstrap intervals
=======================  ====================================================================

An algorithm is a module of three functions, `init`, `act` and `update`, and a `Config`.  Read one
beside the paper; the loop, the files and the environments are elsewhere.
"""
