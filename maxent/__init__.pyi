"""The public names of maxent: what each is, and the one table of where it lives.

Type checkers and editors read this file; `maxent/__init__.py` reads it when maxent is imported and
finds a name by its line when the name is first used.  One line a name.
"""

from maxent import errors as errors
from maxent import plots as plots
from maxent import testing as testing
from maxent.continuous.lqr import LinearQuadratic as LinearQuadratic
from maxent.continuous.lqr import solve_lqr as solve_lqr
from maxent.environments import MDPEnv as MDPEnv
from maxent.environments import from_gymnasium as from_gymnasium
from maxent.errors import CheckpointWriteError as CheckpointWriteError
from maxent.errors import ConfigError as ConfigError
from maxent.errors import CorruptCheckpointError as CorruptCheckpointError
from maxent.errors import MapError as MapError
from maxent.errors import MaxEntError as MaxEntError
from maxent.errors import MaxEntWarning as MaxEntWarning
from maxent.errors import MemoryBudgetError as MemoryBudgetError
from maxent.errors import ModelError as ModelError
from maxent.errors import OutputExistsError as OutputExistsError
from maxent.errors import ResumeMismatchError as ResumeMismatchError
from maxent.errors import RunLockedError as RunLockedError
from maxent.errors import ToleranceError as ToleranceError
from maxent.errors import TrainingDivergedError as TrainingDivergedError
from maxent.gridworlds import MAPS as MAPS
from maxent.gridworlds import gridworld as gridworld
from maxent.gridworlds import maze as maze
from maxent.gridworlds import read_map as read_map
from maxent.mdp import MDP as MDP
from maxent.mdp.grid import Grid as Grid
from maxent.mdp.random_mdps import garnet as garnet
from maxent.neural.composition import compose_agents as compose_agents
from maxent.neural.diagnostics import diagnose as diagnose
from maxent.neural.training import load_agent as load_agent
from maxent.neural.training import resume as resume
from maxent.neural.training import train as train
from maxent.neural.training.agent import Agent as Agent
from maxent.proofs.certificate import write_certificate as write_certificate
from maxent.proofs.checker import CertificateCheck as CertificateCheck
from maxent.proofs.checker import check_certificate as check_certificate
from maxent.proofs.enclosure import Enclosure as Enclosure
from maxent.proofs.enclosure import enclose as enclose
from maxent.proofs.prove import prove as prove
from maxent.proofs.prove import verify_rigorously as verify_rigorously
from maxent.solution import Iteration as Iteration
from maxent.solution import Solution as Solution
from maxent.tabular.composition import Composition as Composition
from maxent.tabular.composition import compose as compose
from maxent.tabular.finite_horizon import FiniteHorizonSolution as FiniteHorizonSolution
from maxent.tabular.finite_horizon import finite_horizon as finite_horizon
from maxent.tabular.finite_horizon import finite_horizon_evaluation as finite_horizon_evaluation
from maxent.tabular.inverse import recover_reward as recover_reward
from maxent.tabular.occupancy import discounted_entropy as discounted_entropy
from maxent.tabular.occupancy import occupancy as occupancy
from maxent.tabular.occupancy import policy_return as policy_return
from maxent.tabular.operators import backup as backup
from maxent.tabular.operators import boltzmann_policy as boltzmann_policy
from maxent.tabular.operators import entropy as entropy
from maxent.tabular.operators import kl_divergence as kl_divergence
from maxent.tabular.operators import mellowmax as mellowmax
from maxent.tabular.operators import policy_value as policy_value
from maxent.tabular.operators import soft_bellman as soft_bellman
from maxent.tabular.operators import soft_policy_bellman as soft_policy_bellman
from maxent.tabular.operators import soft_policy_improvement as soft_policy_improvement
from maxent.tabular.operators import soft_value as soft_value
from maxent.tabular.policy_gradient import natural_policy_gradient as natural_policy_gradient
from maxent.tabular.policy_gradient import policy_gradient as policy_gradient
from maxent.tabular.policy_gradient import policy_gradient_ascent as policy_gradient_ascent
from maxent.tabular.restricted import Choices as Choices
from maxent.tabular.restricted import EntropyFloor as EntropyFloor
from maxent.tabular.restricted import EpsilonFloor as EpsilonFloor
from maxent.tabular.sampled.simulation import simulate as simulate
from maxent.tabular.solvers import modified_soft_policy_iteration as modified_soft_policy_iteration
from maxent.tabular.solvers import soft_policy_evaluation as soft_policy_evaluation
from maxent.tabular.solvers import soft_policy_iteration as soft_policy_iteration
from maxent.tabular.solvers import soft_value_iteration as soft_value_iteration
from maxent.tabular.solvers import solve as solve
from maxent.tabular.tradeoff import Tradeoff as Tradeoff
from maxent.tabular.tradeoff import temperature_for_entropy as temperature_for_entropy
from maxent.tabular.tradeoff import tradeoff as tradeoff
from maxent.theorems.catalogue import verify as verify
from maxent.theorems.check import Check as Check
from maxent.theorems.report import CheckFailedError as CheckFailedError
from maxent.theorems.report import Report as Report

__version__: str
