"""Engines: the same sweeps by other machinery, inside the same certified bounds."""

import numpy as np
import pytest
from scipy import sparse

import maxent
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers import engines
from maxent.tabular.solvers.kernels import SoftKernel

UNIT = 2.0**-53


def worst(found, exact_function, arguments):
    """The largest relative error, in units of 2^-53, against 50 digits."""
    from mpmath import mp, mpf

    with mp.workdps(50):
        return max(
            float(abs(mpf(float(y)) / exact_function(mpf(float(x))) - 1) / mpf(UNIT))
            for x, y in zip(arguments, found, strict=True)
        )


def test_the_exponential_is_within_what_is_proved():
    pytest.importorskip("numba")
    from mpmath import mp

    from maxent.tabular.solvers.engines.elementary import exp

    rng = np.random.default_rng(0)
    half = np.arange(-800, 1) * (np.log(2.0) / 2)  # where the reduction is at its worst
    samples = np.concatenate(
        [
            -rng.random(4000),
            -(10.0 ** rng.uniform(-17, 2.8, 4000)),
            np.nextafter(half, 0.0)[half > -700],
            np.nextafter(half, -1e9)[half > -700],
            [-707.0, -706.9999999999999, -5e-324, -2.2e-308, -1e-17],
        ]
    )
    samples = samples[samples >= -707.0]
    found = np.array([exp(x) for x in samples])
    assert worst(found, mp.exp, samples) <= 1.82
    assert exp(0.0) == 1.0 and exp(-0.0) == 1.0 and exp(-5e-324) == 1.0
    for tiny in (-np.inf, -1e308, -1e9, -745.2, np.nextafter(-707.0, -np.inf)):
        assert exp(tiny) == 0.0


def test_the_logarithm_is_within_what_is_proved():
    pytest.importorskip("numba")
    from mpmath import mp

    from maxent.tabular.solvers.engines.elementary import log

    rng = np.random.default_rng(0)
    root = 2.0 ** (np.arange(-5, 60) / 2)
    samples = np.concatenate(
        [
            1.0 + 10.0 ** rng.uniform(-15.9, 0.0, 3000),
            1.0 - 10.0 ** rng.uniform(-15.9, -0.31, 2000),
            rng.uniform(1.0, 20.0, 3000),
            10.0 ** rng.uniform(-307, 307, 500),
            np.nextafter(root, 0.0),
            np.nextafter(root, 1e9),
            [2.0**-1022, 2.0**1023 * 1.9999999999999998],
        ]
    )
    samples = samples[samples != 1.0]
    found = np.array([log(y) for y in samples])
    assert worst(found, mp.log, samples) <= 2.7
    assert log(1.0) == 0.0


def problems():
    yield maxent.garnet(300, 3, branching=4, discount=0.99, seed=1, masked=0.3, terminal=2)
    yield maxent.gridworld("four-rooms", slip=0.2, discount=0.99)
    yield maxent.gridworld("maze-21x31", discount=0.99)
    yield maxent.gridworld("sutton-barto-5x5")


@pytest.mark.parametrize("temperature", [0.0, 1e-3, 0.1, 10.0])
def test_compiled_answers_are_those_of_numpy(temperature):
    pytest.importorskip("numba")
    for mdp in problems():
        ours = maxent.solve(mdp, temperature, engine="numba")
        theirs = maxent.solve(mdp, temperature, engine="numpy")
        assert ours.converged
        assert (ours.lower <= theirs.upper).all() and (theirs.lower <= ours.upper).all()


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_compiled_sweeps_and_policies_are_those_of_the_kernel(temperature):
    pytest.importorskip("numba")
    from maxent.tabular.solvers.engines.stored import StoredKernel

    rng = np.random.default_rng(3)
    for mdp in problems():
        prior = rng.dirichlet(np.ones(mdp.n_actions), mdp.n_states) * mdp.action_mask
        prior /= prior.sum(axis=1, keepdims=True)
        log_prior = mdp.log_prior(prior)
        compiled = StoredKernel(mdp, temperature, log_prior, 1)
        plain = SoftKernel(mdp, temperature, log_prior)
        v = rng.normal(size=mdp.n_states) * ~mdp.terminal
        difference = np.abs(compiled.apply(v) - plain.apply(v)).max()
        assert difference <= 2 * plain.bounds.rounding(np.abs(v).max())
        ours, theirs = compiled.policy_transition(), sparse.csr_array(plain.policy_transition())
        nonterminal = (~mdp.terminal).astype(float)
        assert np.abs(ours.toarray() * nonterminal - theirs.toarray()).max() <= 1e-14
        b = v.copy()
        expected = b
        for _ in range(5):
            expected = b + theirs @ expected
        assert np.abs(compiled.evaluate(b, 5, 0.0) - expected).max() <= 1e-13


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_threads_change_nothing(temperature):
    pytest.importorskip("numba")
    mdp = maxent.garnet(9_000, 3, branching=3, discount=0.95, seed=2)
    one = maxent.solve(mdp, temperature, engine="numba")
    two = maxent.solve(mdp, temperature, engine="numba", threads=2)
    for name in ("v", "q", "log_policy", "lower", "upper", "residuals"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()


def test_relaxation_is_gauss_seidel_without_the_diagonal():
    pytest.importorskip("numba")
    from maxent.tabular.solvers.engines.gauss_seidel import of_directions, of_rows

    def rows(mdp):
        reward = mdp.reward if mdp.log_mask is None else mdp.reward + mdp.log_mask
        csr = mdp.transition
        return of_rows(
            mdp, soft_bounds(mdp, 0.0, None), 1, (csr.indptr, csr.indices, csr.data), reward
        )

    rng = np.random.default_rng(0)
    made = []
    for mdp in problems():
        mdp = mdp.replace(reward=mdp.reward + rng.random(mdp.reward.shape))  # no ties
        made.append((mdp, rows(mdp)))
    for goals in ("absorbing", "terminal"):
        free = maxent.gridworld("maze-9x9", slip=0.3, discount=0.97, goals=goals, matrix_free=True)
        made.append((free, of_directions(free, soft_bounds(free, 0.0, None), 1)))
    for mdp, relaxation in made:
        b = np.where(mdp.terminal, 0.0, -rng.random(mdp.n_states))
        tv = np.where(mdp.terminal, 0.0, rng.random(mdp.n_states))
        expected = relaxation.start(tv, b)
        assert expected.max() < 0.0 or mdp.terminal.any()
        found = relaxation(tv, b, 2)
        transition = mdp.to_dense().transition * mdp.discount
        best = np.zeros(mdp.n_states, int)
        for sweep in range(6):
            states = range(mdp.n_states)
            for s in states if sweep % 2 else reversed(states):
                if mdp.terminal[s]:
                    continue
                stays = transition[s, :, s]
                q = mdp.reward[s] + transition[s] @ expected - stays * expected[s]
                q = np.where(mdp.action_mask[s], q / (1.0 - stays), -np.inf)
                best[s] = q.argmax() if sweep < 2 else best[s]
                expected[s] = q[best[s]]
        assert np.abs(found - expected).max() <= 1e-11


@pytest.mark.parametrize("slip", [0.0, 0.2])
@pytest.mark.parametrize("goals", ["absorbing", "terminal", "restart"])
def test_matrix_free_mazes_are_relaxed_too(goals, slip):
    pytest.importorskip("numba")
    settings = {"slip": slip, "discount": 0.99, "goals": goals}
    free = maxent.gridworld("maze-41x41", matrix_free=True, **settings)
    stored = maxent.gridworld("maze-41x41", matrix_free=False, **settings)
    ours = maxent.solve(free, 0.0, engine="numba", tolerance=1e-6)
    theirs = maxent.solve(stored, 0.0, engine="numpy", tolerance=1e-6)
    assert ours.method == "Gauss-Seidel policy iteration" and ours.iterations <= 60
    assert (ours.lower <= theirs.upper).all() and (theirs.lower <= ours.upper).all()


@pytest.mark.parametrize("discount", [0.9, 0.99, 0.9999])
@pytest.mark.parametrize("slip", [0.0, 0.2])
@pytest.mark.parametrize("goals", ["absorbing", "terminal", "restart"])
def test_far_rewards_take_few_relaxations(goals, slip, discount):
    pytest.importorskip("numba")
    text = "S" + "." * 39 + "\n" + ("." * 40 + "\n") * 38 + "." * 39 + "G"
    mdp = maxent.gridworld(text, discount=discount, slip=slip, goals=goals)
    tolerance = 1e-8 / (1.0 - discount)
    ours = maxent.solve(mdp, 0.0, engine="numba", tolerance=tolerance)
    theirs = maxent.solve(mdp, 0.0, engine="numpy", tolerance=tolerance)
    assert ours.iterations <= 60
    if goals != "restart":  # round and round, without slip and near discount 1, is factorised
        assert ours.method == "Gauss-Seidel policy iteration" and ours.iterations <= 30
    assert (ours.lower <= theirs.upper).all() and (theirs.lower <= ours.upper).all()


@pytest.mark.parametrize("matrix_free", [False, True])
def test_relaxations_that_lead_nowhere_are_given_up(matrix_free):
    """From anywhere to a goal that restarts: they threw the interval open again without end."""
    pytest.importorskip("numba")
    lines = ["." * 30] * 30
    lines[14] = "." * 12 + "G" + "." * 17
    mdp = maxent.gridworld(
        "\n".join(lines), discount=0.999, slip=0.1, goals="restart", matrix_free=matrix_free
    )
    found = maxent.solve(mdp, 0.0, engine="numba", tolerance=1e-5, max_iterations=100)
    assert found.converged and found.iterations <= 30


def test_parts_of_a_relaxation_are_the_same_on_any_number_of_threads(monkeypatch):
    pytest.importorskip("numba")
    from maxent.tabular.solvers.engines import gauss_seidel

    mdp = maxent.gridworld("open-30x30", slip=0.2, discount=0.99)
    whole = maxent.solve(mdp, 0.0, engine="numba")
    monkeypatch.setattr(gauss_seidel, "PART", 225)
    one, two = (maxent.solve(mdp, 0.0, engine="numba", threads=count) for count in (1, 2))
    assert one.v.tobytes() == two.v.tobytes() and one.iterations == two.iterations
    assert one.converged and (one.lower <= whole.upper).all() and (whole.lower <= one.upper).all()


def test_the_engine_is_compiled_where_that_pays(monkeypatch):
    pytest.importorskip("numba")
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9)
    assert engines.engine_of(mdp, None, None, None) == "numpy"
    assert engines.engine_of(mdp, None, None, 2) == "numba"
    monkeypatch.setattr(engines, "WORK", 100)
    assert engines.engine_of(mdp, None, None, None) == "numba"
    assert engines.engine_of(mdp.to_dense(), None, None, None) == "numpy"
    assert engines.engine_of(mdp.replace(discount=1.0), None, None, None) == "numpy"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "nunba"}, "numba"),
        ({"engine": "numpy", "threads": 2}, "threads = 2"),
        ({"engine": "numba", "threads": 0}, "threads"),
        ({"engine": "numba", "device": "cpu"}, "device = 'cpu'"),
        ({"engine": "torch", "threads": 2}, "set_num_threads"),
    ],
)
def test_an_engine_that_cannot_is_refused(options, words):
    mdp = maxent.gridworld("four-rooms", discount=0.9)
    with pytest.raises(maxent.ConfigError, match=words):
        maxent.solve(mdp, 0.1, **options)
    with pytest.raises(maxent.ConfigError, match="to_sparse"):
        maxent.solve(mdp.to_dense(), 0.1, engine="numba")
    with pytest.raises(maxent.ConfigError, match="discount = 1"):
        maxent.solve(mdp.replace(discount=1.0), 0.0, engine="numba")


def test_without_numba_it_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "numba", None)
    mdp = maxent.gridworld("four-rooms", discount=0.9)
    with pytest.raises(maxent.MissingExtraError, match="pip install numba"):
        maxent.solve(mdp, 0.1, engine="numba")


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_sweeps_in_torch_are_those_of_the_kernel(temperature, monkeypatch):
    pytest.importorskip("torch")
    from maxent.tabular.solvers.engines import tensors

    monkeypatch.setattr(tensors, "CHUNK", 37)
    rng = np.random.default_rng(3)
    free = maxent.gridworld("open-20x30", slip=0.2, discount=0.95, matrix_free=True)
    maze = maxent.gridworld("maze-21x31", discount=0.95, goals="restart", matrix_free=True)
    for mdp in (*problems(), maxent.garnet(20, 3, branching=None, discount=0.9), free, maze):
        kernel = tensors.TensorKernel(mdp, temperature, mdp.log_prior(), "cpu")
        plain = SoftKernel(mdp, temperature, mdp.log_prior())
        v = rng.normal(size=mdp.n_states) * ~mdp.terminal
        allowed = sum(each.bounds.rounding(np.abs(v).max()) for each in (kernel, plain))
        assert np.abs(kernel.apply(v) - plain.apply(v)).max() <= allowed
        expected = once = plain.apply(v)
        for _ in range(3):
            expected = plain.apply(expected)
        assert np.abs(kernel.sweep_on(3) - (expected - once)).max() <= 1e-12


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_answers_of_a_device_are_certified_too(temperature):
    pytest.importorskip("torch")
    free = maxent.gridworld("open-20x30", slip=0.2, discount=0.95, matrix_free=True)
    masked = maxent.garnet(60, 3, branching=4, discount=0.9, seed=1, masked=0.3, terminal=2)
    for mdp in (free, free.to_sparse(), masked, masked.to_dense()):
        ours = maxent.solve(mdp, temperature, device="cpu")
        theirs = maxent.solve(mdp, temperature, engine="numpy")
        assert ours.converged
        assert (ours.lower <= theirs.upper).all() and (theirs.lower <= ours.upper).all()


def test_a_device_that_is_not_there_is_refused():
    torch = pytest.importorskip("torch")
    mdp = maxent.gridworld("four-rooms", discount=0.9)
    wrong = ["tpu9"] if torch.cuda.is_available() else ["tpu9", "cuda"]
    for device in wrong:
        with pytest.raises(maxent.ConfigError, match=f"device = '{device}' cannot be used"):
            maxent.solve(mdp, 0.1, device=device)


def test_the_benchmark_for_devices_sweeps_the_open_map():
    torch = pytest.importorskip("torch")
    from importlib import util
    from pathlib import Path
    from time import perf_counter

    from maxent.tabular.solvers.engines import tensors

    path = Path(maxent.__file__).parents[1] / "benchmarks/exact_speed/gpu.py"
    spec = util.spec_from_file_location("gpu_benchmark", path)
    gpu = util.module_from_spec(spec)
    spec.loader.exec_module(gpu)
    mdp = maxent.gridworld("open-9x9", slip=gpu.SLIP, discount=gpu.DISCOUNT, matrix_free=True)
    device = torch.device("cpu")
    v = torch.randn(81, dtype=torch.float64)
    v[-1] = 0.0
    for temperature in (0.0, 0.1):
        expected = tensors.swept(tensors.plan_of(mdp.directions, 0.99, device), v, temperature)
        for table in (False, True):
            found = tensors.swept(gpu.open_plan(9, device, table), v, temperature)
            assert torch.equal(found, expected)
        ours = tensors.directions_bounds(mdp, temperature)
        theirs = gpu.open_bounds(temperature)
        assert theirs.gain_low <= ours.gain_low and theirs.scale >= ours.scale
        assert theirs.gain_high >= ours.gain_high * (1 - 1e-15)
        assert theirs.relative >= ours.relative and theirs.absolute >= ours.absolute * (1 - 1e-15)
    plan = gpu.open_plan(9, device, False)
    assert gpu.solved(plan, 81, 0.1, device, perf_counter() + 60.0)["error_bound"] <= 1e-6


def test_slow_compiled_solves_end_in_a_factorisation():
    pytest.importorskip("numba")
    mdp = maxent.gridworld("open-40x40", slip=0.2, discount=0.9999)
    solution = maxent.solve(mdp, 0.1, engine="numba", tolerance=1e-5)
    assert solution.converged and solution.method == "soft policy iteration"
