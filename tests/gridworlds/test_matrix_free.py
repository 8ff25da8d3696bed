"""Gridworlds without stored transitions: the same MDP, solved alike, in less memory."""

import importlib.util
import pickle

import numpy as np
import pytest

import maxent
from maxent.mdp import directions
from maxent.mdp.directions import usual_steps
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers.kernels import SoftKernel

SETTINGS = [
    {},
    {"slip": 0.3},
    {"goals": "restart", "slip": 0.2},
    {"goals": "absorbing", "slip": 0.1},
    {"moves": 8, "slip": 0.2},
]
NAMES = [*maxent.MAPS, "maze-21x31", "open-20x40"]
ENGINES = ["numpy", "numba"] if importlib.util.find_spec("numba") else ["numpy"]
pytestmark = pytest.mark.filterwarnings("ignore:no start leads")


def both(name, **settings):
    return [maxent.gridworld(name, matrix_free=way, **settings) for way in (False, True)]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_is_the_same_mdp(settings):
    for name in NAMES:
        stored, free = both(name, **settings)
        assert free.is_matrix_free and not stored.is_matrix_free
        x = np.random.default_rng(0).normal(size=stored.n_states)
        assert np.abs(stored.expect(x) - free.expect(x)).max() <= 1e-14
        size = np.abs(stored.reward).max()
        assert np.abs(stored.reward - free.reward).max() <= 8 * np.finfo(float).eps * size
        assert (stored.transition != free.transition).nnz == 0
        assert np.array_equal(stored.transition_reward.data, free.transition_reward.data)
        assert np.array_equal(stored.initial_distribution, free.initial_distribution)
        assert "matrix-free" in repr(free)


@pytest.mark.parametrize("temperature", [0.0, 0.1])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_sweep_is_that_of_the_stored_one(settings, temperature):
    for name in NAMES:
        stored, free = both(name, **settings)
        v = np.random.default_rng(1).normal(size=stored.n_states) * ~stored.terminal
        truth = SoftKernel(stored, temperature, None).apply(v)
        kernels = [SoftKernel(free, temperature, None)]
        if "numba" in ENGINES:
            from maxent.tabular.solvers.engines.stencil import StencilKernel

            kernels.append(StencilKernel(free, temperature, 1))
        own = soft_bounds(stored, temperature, None).rounding(np.abs(v).max())
        for kernel in kernels:
            allowed = own + kernel.bounds.rounding(np.abs(v).max())
            assert np.abs(kernel.apply(v) - truth).max() <= allowed


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_intervals_overlap(engine, temperature):
    for name, settings in zip(("four-rooms", "open-30x40", "maze-21x31"), SETTINGS[1:]):
        stored, free = both(name, discount=0.95, **settings)
        ours = maxent.solve(free, temperature, engine=engine)
        theirs = maxent.solve(stored, temperature)
        assert ours.converged
        assert (ours.lower <= theirs.upper).all() and (theirs.lower <= ours.upper).all()
        assert np.abs(ours.q - theirs.q).max() <= ours.error_bound + theirs.error_bound
    assert "transition" not in vars(free)  # it was never made


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_threads_change_nothing(temperature):
    pytest.importorskip("numba")
    mdp = maxent.gridworld("open-100x130", slip=0.2, discount=0.8, matrix_free=True)
    one, two = (maxent.solve(mdp, temperature, engine="numba", threads=n) for n in (1, 2))
    for name in ("v", "q", "log_policy", "lower", "upper", "residuals"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def test_a_prior_and_other_solvers_are_answered_too():
    _, free = both("four-rooms", slip=0.1)
    stored = free.to_sparse()
    assert not stored.is_matrix_free
    prior = [0.4, 0.3, 0.2, 0.1]
    a, b = (maxent.solve(mdp, 0.1, prior=prior) for mdp in (free, stored))
    assert (a.lower <= b.upper).all() and (b.lower <= a.upper).all()
    for solver in (maxent.soft_policy_iteration, maxent.modified_soft_policy_iteration):
        a, b = (solver(mdp, 0.1) for mdp in (free, stored))
        assert (a.lower <= b.upper).all() and (b.lower <= a.upper).all()
    visits = [maxent.occupancy(mdp, a.policy).sum() for mdp in (free, stored)]
    assert visits[0] == pytest.approx(visits[1])


def test_changes_files_and_copies(tmp_path):
    _, free = both("four-rooms", slip=0.1)
    assert free.replace(discount=0.5).is_matrix_free and free.replace(discount=0.5).discount == 0.5
    assert not free.replace(state_names=range(free.n_states)).is_matrix_free
    free.save(tmp_path / "mdp.npz")
    loaded = maxent.MDP.load(tmp_path / "mdp.npz")
    assert (loaded.transition != free.transition).nnz == 0
    again = pickle.loads(pickle.dumps(free))
    assert again.is_matrix_free and np.array_equal(again.reward, free.reward)
    assert maxent.MDPEnv(free).reset(seed=0)[0] == maxent.MDPEnv(loaded).reset(seed=0)[0]


def test_what_does_not_fit_is_refused(monkeypatch):
    free = maxent.gridworld("open-40x40", slip=0.1, matrix_free=True)

    def refuse(needed, what, advice="", **_):
        raise maxent.MemoryBudgetError(f"{what} needs {needed}; {advice}")

    monkeypatch.setattr(directions, "require_memory", refuse)
    with pytest.raises(maxent.MemoryBudgetError, match=r"1600 states.*maxent\.solve"):
        maxent.occupancy(free, np.full(free.reward.shape, 0.25))
    assert maxent.solve(free, 0.1).converged


def test_transitions_are_stored_up_to_a_size(monkeypatch):
    from maxent.gridworlds import build

    assert not maxent.gridworld("four-rooms").is_matrix_free
    monkeypatch.setattr(build, "MATRIX_FREE_FROM", 100)
    assert maxent.gridworld("four-rooms").is_matrix_free
    with pytest.raises(maxent.ConfigError, match="matrix_free = 1"):
        maxent.gridworld("four-rooms", matrix_free=1)


def test_the_usual_step_leaves_few_states():
    mdp = maxent.gridworld("open-50x70", matrix_free=True)
    for target, edge in zip(mdp.directions.target, (70, 50, 70, 50)):
        steps, others = usual_steps(target, len(target))
        assert len(steps) == 1 and edge <= len(others) <= edge + 1


@pytest.mark.slow
def test_a_large_one_is_stored_in_no_more_than_three_copies(tmp_path):
    import subprocess
    import sys

    code = """
import resource, maxent
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
maxent.gridworld("open-10x10", slip=0.2)
before = peak()
mdp = maxent.gridworld("open-1000x1000", slip=0.2, matrix_free=False)
rows, paid = mdp.transition, mdp.transition_reward
parts = [rows.data, rows.indices, rows.indptr, paid.data, mdp.reward, mdp.action_mask]
held = sum(part.nbytes for part in parts) + mdp.grid.cells.nbytes + 9 * mdp.n_states
assert peak() - before <= 3 * held, (peak() - before, held)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_the_interval_holds_the_truth(temperature):
    from truth import optimal_value

    text = "S.$.\n.#.X\n...G"
    settings = {"slip": 0.3, "discount": 0.95, "rewards": {"$": 1e3 / 3}, "bump_reward": -0.1}
    free = maxent.gridworld(text, matrix_free=True, **settings)
    engines = [*ENGINES, "torch"] if importlib.util.find_spec("torch") else ENGINES
    for engine in engines:
        solution = maxent.solve(free, temperature, engine=engine)
        assert solution.converged
        truth = optimal_value(free, temperature, solution.v)
        for lower, exact, upper in zip(solution.lower, truth, solution.upper):
            assert lower <= exact <= upper
