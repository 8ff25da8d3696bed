"""Learners from samples near the exact solution; wrong variants do not; sampled soft values."""

import functools
import itertools
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from scipy import integrate

import maxent
from maxent import plots
from maxent.environments import MDPEnv
from maxent.tabular.sampled import (
    ErrorCurves,
    Learned,
    RobbinsMonro,
    error_curves,
    expected_soft_sarsa,
    soft_actor_critic,
    soft_q_learning,
    updates,
)
from maxent.tabular.sampled.estimators import (
    effective_sample_size,
    first_order_bias,
    importance_bias,
    importance_sampled_soft_value,
)

STEPS = 12_000


def small(discount=0.8, **changes):
    """Six states with a terminal one, masks, and rewards by transition."""
    family = {"branching": 3, "terminal": 1, "masked": 0.3, "transition_rewards": True, "seed": 4}
    return maxent.garnet(6, 3, discount=discount, **(family | changes))


def curves(method, temperature, mdp=None, **settings):
    settings = {"steps": STEPS, "seeds": 8, "exploration": 0.3} | settings
    return error_curves(method, small() if mdp is None else mdp, temperature, **settings)


# --- convergence -------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("method", ["soft_q_learning", "soft_actor_critic"])
def test_learners_near_the_exact_solution_at_the_expected_rate(method, temperature):
    found = curves(method, temperature)
    scale = np.abs(maxent.solve(small(), temperature).q).max()
    assert found.mean[-1] < 0.12 * scale and found.mean[-1] < 0.15 * found.mean[0]
    # n^-0.375 in the long run; the transient is steeper
    assert -0.75 < found.slope() < -0.2
    exact = maxent.solve(small(), temperature)
    for run in found.runs:
        assert np.abs(run.policy - exact.policy)[~small().terminal].mean() < 0.05
        assert np.abs(run.v - exact.v).max() < 0.25 * scale
        assert (run.policy[~small().action_mask] == 0).all()


@pytest.mark.parametrize("exponent", [0.6, 0.75, 1.0])
def test_where_noise_rules_errors_fall_like_the_root_of_the_step_size(exponent):
    mdp = maxent.garnet(4, 2, discount=0.3, branching=2, transition_rewards=True, seed=1)
    settings = {"step_size": RobbinsMonro(exponent), "exploration": 1.0, "measure": "rms"}
    found = error_curves("soft_q_learning", mdp, 1.0, steps=10_000, seeds=24, **settings)
    assert found.slope(0.02) == pytest.approx(-exponent / 2, abs=0.06)


def test_at_temperature_zero_it_is_q_learning():
    found = curves("soft_q_learning", 0.0)
    assert found.mean[-1] < 0.1 * np.abs(maxent.solve(small(), 0.0).q).max()


def test_expected_sarsa_learns_the_soft_value_of_a_policy():
    mdp = small()
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    found = curves("expected_soft_sarsa", 1.0, policy=policy)
    exact = maxent.soft_policy_evaluation(mdp, policy, 1.0)
    assert found.mean[-1] < 0.08 * np.abs(exact.q).max()
    assert -0.75 < found.slope() < -0.2
    assert np.abs(found.runs[0].v - exact.v).max() < 0.5
    np.testing.assert_allclose(found.runs[0].policy[:5], policy[:5])


def test_expected_sarsa_without_exploration_is_soft_q_learning():
    settings = {"steps": 3000, "seed": 1, "exploration": 0.0}
    one = expected_soft_sarsa(small(), 0.5, **settings)
    other = soft_q_learning(small(), 0.5, **settings)
    np.testing.assert_allclose(one.q, other.q, atol=1e-9)


def test_expected_sarsa_pays_for_its_own_exploration():
    """On the cliff, who counts the steps that exploration takes over the edge values it less."""
    mdp = maxent.gridworld("cliff-walking", discount=0.95)
    settings = {"steps": 12_000, "seed": 0, "exploration": 0.2, "episode_steps": 200}
    careful = expected_soft_sarsa(mdp, 0.1, **settings)
    bold = soft_q_learning(mdp, 0.1, **settings)
    beside = [mdp.grid.state_at(2, column) for column in range(3, 9)]
    assert (careful.v[beside] < bold.v[beside] - 5).all()


def test_the_actor_follows_the_critic():
    run = soft_actor_critic(small(), 0.5, steps=5000, exploration=0.3, policy_step=1.0)
    target = np.exp(maxent.boltzmann_policy(run.q, 0.5, small().log_mask))
    assert np.abs(run.policy - target).max() < 0.05
    slow = soft_actor_critic(small(), 0.5, steps=50, exploration=0.3, policy_step=1e-6)
    uniform = small().action_mask / small().action_mask.sum(axis=1, keepdims=True)
    assert np.abs(slow.policy - uniform).max() < 0.01


# --- wrong variants ----------------------------------------------------------------------------


class NoEntropy(updates.SoftQ):
    def next_value(self, states):
        return (self.policy(states) * self.q[self.offsets + states]).sum(axis=1)


class HardMaximum(updates.SoftQ):
    def next_value(self, states):
        q = self.q[self.offsets + states]
        return (q if self.episodes.log_mask is None else q + self.episodes.log_mask[states]).max(
            axis=1
        )


class ThroughTheEnd(updates.SoftQ):
    def learn(self, seen):
        super().learn(seen._replace(discounts=np.full_like(seen.discounts, 0.8)))


class NoMask(updates.SoftQ):
    def next_value(self, states):
        q = self.q[self.offsets + states] / self.temperature
        return self.temperature * np.log(np.exp(q).sum(axis=1))


class ConstantSteps(updates.SoftQ):
    def learn(self, *sample):
        self.step_size = lambda n: np.full(len(n), 0.5)
        super().learn(*sample)


# little noise, so that what is left is the target's own fault
HARD = {"terminal": 2, "masked": 0.5, "transition_rewards": False, "reward_scale": 0.3}


@functools.cache
def error_of_the_right_one():
    return curves("soft_q_learning", 1.0, small(**HARD), steps=6000).mean[-1]


@pytest.mark.parametrize("wrong", [NoEntropy, HardMaximum, ThroughTheEnd, NoMask, ConstantSteps])
def test_wrong_targets_do_not_converge(monkeypatch, wrong):
    right = error_of_the_right_one()
    monkeypatch.setattr("maxent.tabular.sampled.SoftQ", wrong)
    found = curves("soft_q_learning", 1.0, small(**HARD), steps=6000)
    assert found.mean[-1] > 2.5 * right


# --- termination and truncation ----------------------------------------------------------------


class Ending(gymnasium.Env):
    """One state; every step pays 1 and then terminates, is truncated, or both."""

    observation_space, action_space = spaces.Discrete(2), spaces.Discrete(2)

    def __init__(self, terminated, truncated):
        self.ending = terminated, truncated

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        return (1 if self.ending[0] else 0), 1.0, *self.ending, {}


@pytest.mark.parametrize("learner", [soft_q_learning, expected_soft_sarsa, soft_actor_critic])
def test_termination_ends_the_target_and_truncation_does_not(learner):
    settings = {"discount": 0.5, "steps": 600, "step_size": lambda n: np.full(len(n), 0.5)}
    for truncated in (False, True):
        ended = learner(Ending(True, truncated), 1.0, **settings)
        np.testing.assert_allclose(ended.q[0], 1.0)
        assert ended.v[1] == 0.0
    cut, endless = (learner(Ending(False, cut), 1.0, **settings) for cut in (True, False))
    # V = 1 + alpha log 2 + gamma V; a truncation changes nothing
    for run in (cut, endless):
        assert run.v[0] == pytest.approx((1 + np.log(2)) / 0.5, abs=0.2)
    assert cut.q[0].max() == pytest.approx(1 + 0.5 * (1 + np.log(2)) / 0.5, abs=0.2)


def test_cutting_episodes_short_changes_the_samples_not_the_answer():
    mdp = small()
    for episodes in (mdp, MDPEnv(mdp)):
        extra = {} if episodes is mdp else {"discount": mdp.discount, "exact": mdp}
        run = soft_q_learning(
            episodes, 0.5, steps=8000, episode_steps=1, exploration=0.5, seed=3, **extra
        )
        # starts are uniform, so that every state is tried although no episode has a second step
        assert run.visits[~mdp.terminal].sum(axis=1).min() > 700
        assert run.errors[-1] < 0.12 * np.abs(maxent.solve(mdp, 0.5).q).max()


# --- environments ------------------------------------------------------------------------------


class Chain(gymnasium.Env):
    """No table: states 1..4, action 5 goes on, 6 back, noise stays; leaving state 4 ends it, for 1.

    In state 1 action 6 is not available, which only `info` says.
    """

    observation_space = spaces.Discrete(4, start=1)
    action_space = spaces.Discrete(2, start=5)

    def _info(self):
        return {"action_mask": np.array([1, self.state > 1], dtype=np.int8)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = 1
        return self.state, self._info()

    def step(self, action):
        assert self.action_space.contains(action) and not (self.state == 1 and action == 6)
        if self.np_random.random() < 0.2:
            return self.state, -0.1, False, False, self._info()
        if action == 5 and self.state == 4:
            return 1, 1.0, True, False, {"action_mask": np.zeros(2, dtype=np.int8)}
        self.state += 1 if action == 5 else -1
        return self.state, -0.1, False, False, self._info()


def chain_mdp(discount, mask=None):
    transition, reward = np.zeros((5, 2, 5)), np.zeros((5, 2))
    for s, a in itertools.product(range(4), range(2)):
        transition[s, a, s] += 0.2
        transition[s, a, s + 1 if a == 0 else max(s - 1, 0)] += 0.8
        reward[s, a] = 0.8 * 1.0 - 0.2 * 0.1 if (s, a) == (3, 0) else -0.1
    if mask is None:
        mask = np.ones((5, 2), dtype=bool)
        mask[0, 1] = False
    return maxent.MDP(transition, reward, discount=discount, terminal=[4], action_mask=mask)


@pytest.mark.parametrize("learner", [soft_q_learning, soft_actor_critic])
def test_an_environment_without_a_table(learner):
    exact = maxent.solve(chain_mdp(0.9), 0.2)
    run = learner(Chain(), 0.2, discount=0.9, steps=10_000, seed=2, exploration=0.3)
    assert run.q.shape == (4, 2) and len(run.errors) == len(run.checkpoints) == 0
    used = chain_mdp(0.9).action_mask[:4]
    assert np.abs(run.q - exact.q[:4])[used].max() < 0.08
    assert np.abs(run.policy - exact.policy[:4]).max() < 0.08
    assert run.visits[0, 1] == 0 and run.policy[0, 1] == 0.0 and run.visits.sum() == 10_000


def test_masked_actions_of_an_mdp_environment_are_never_tried():
    mdp = small(masked=0.5)
    run = soft_q_learning(
        MDPEnv(mdp), 0.5, discount=0.8, exact=mdp, steps=6000, exploration=1.0, seed=1
    )
    assert (run.visits[~mdp.action_mask] == 0).all()
    assert run.errors[-1] < 0.15 * np.abs(maxent.solve(mdp, 0.5).q).max()


@pytest.mark.parametrize(
    ("name", "temperature", "limit"), [("FrozenLake-v1", 0.02, 0.45), ("CliffWalking-v1", 1.0, 0.6)]
)
def test_gymnasium_environments(name, temperature, limit):
    mdp = maxent.from_gymnasium(name, discount=0.9)
    found = error_curves(
        "soft_q_learning",
        gymnasium.make(name, max_episode_steps=100),
        temperature,
        discount=0.9,
        exact=mdp,
        steps=10_000,
        seeds=2,
        exploration=0.3,
        measure="rms",
    )
    assert found.mean[-1] < limit * found.mean[0]
    assert found.errors.shape == (2, len(found.checkpoints))


# --- what is exact -----------------------------------------------------------------------------


class Remembers(gymnasium.Wrapper):
    """Keeps the action mask of every state that the agent has seen."""

    def __init__(self, env):
        super().__init__(env)
        self.seen = {}

    def reset(self, **settings):
        state, info = self.env.reset(**settings)
        self.seen[int(state)] = info["action_mask"].astype(bool)
        return state, info

    def step(self, action):
        state, reward, terminated, truncated, info = self.env.step(action)
        if not terminated:
            self.seen[int(state)] = info["action_mask"].astype(bool)
        return state, reward, terminated, truncated, info


def test_taxi_against_its_table_without_the_actions_that_it_rules_out():
    """The table has a terminal state more than the environment, and every action in every state."""
    mdp = maxent.from_gymnasium("Taxi-v4", discount=0.5)
    env = Remembers(gymnasium.make("Taxi-v4"))
    assert mdp.n_states == env.observation_space.n + 1 and mdp.action_mask.all()
    settings = {"discount": 0.5, "steps": 12_000, "exploration": 0.5, "episode_steps": 20}
    run = soft_q_learning(env, 1.0, exact=mdp, checkpoints=[1, 12_000], **settings)
    available = mdp.action_mask.copy()
    for state, mask in env.seen.items():
        available[state] = mask
    exact = maxent.solve(mdp.replace(reward=mdp.reward, action_mask=available), 1.0)
    loose = maxent.solve(mdp, 1.0)
    reachable = maxent.occupancy(mdp, loose.policy).sum(axis=1) > 0
    pairs = (available & reachable[:, None] & ~mdp.terminal[:, None])[:500]
    gaps = np.abs(run.q - exact.q[:500])[pairs]
    assert run.errors[-1] == pytest.approx(gaps.max(), rel=1e-6)
    assert run.rms_errors[-1] == pytest.approx(np.sqrt((gaps**2).mean()), rel=1e-6)
    assert run.rms_errors[-1] < 0.8 * run.rms_errors[0]
    assert np.abs(exact.q - loose.q)[:500][pairs].max() > 0.5  # the masks do matter


def test_states_beyond_those_learned_must_be_terminal():
    with_end = chain_mdp(0.9)
    settings = {"discount": 0.9, "steps": 2000, "exploration": 0.3, "checkpoints": [2000]}
    run = soft_q_learning(Chain(), 0.2, exact=with_end, **settings)
    gaps = np.abs(run.q - maxent.solve(with_end, 0.2).q[:4])[with_end.action_mask[:4]]
    assert run.errors[-1] == pytest.approx(gaps.max())
    loose = chain_mdp(0.9, np.ones((5, 2), dtype=bool))  # what info rules out
    assert soft_q_learning(Chain(), 0.2, exact=loose, **settings).errors == run.errors
    policy = np.array([[1.0, 0.0], *np.full((3, 2), 0.5)])
    found = expected_soft_sarsa(Chain(), 0.2, policy=policy, exact=loose, **settings)
    assert found.errors[-1] < 0.3
    with pytest.raises(maxent.ConfigError, match="state 4 is not terminal"):
        soft_q_learning(Chain(), 0.2, exact=maxent.garnet(5, 2, discount=0.9), **settings)


def test_an_action_that_the_exact_mdp_rules_out_is_warned_of():
    mdp = small(masked=0.0)
    mask = mdp.action_mask.copy()
    mask[2, 1] = False
    for problem, extra in ((mdp, {}), (MDPEnv(mdp), {"discount": 0.8})):
        with pytest.warns(maxent.MaxEntWarning, match="rules out action 1 of state 2"):
            soft_q_learning(
                problem,
                0.5,
                exact=mdp.replace(action_mask=mask),
                steps=300,
                exploration=1.0,
                **extra,
            )
    only = np.zeros((5, 2), dtype=bool)
    only[:, 1] = True
    with pytest.raises(maxent.ModelError, match="state 0: exact rules out every action"):
        exact = chain_mdp(0.9, only)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            soft_q_learning(Chain(), 0.5, exact=exact, discount=0.9, steps=10)


def lake(discount=0.9):
    return maxent.from_gymnasium("FrozenLake-v1", discount=discount)


@pytest.mark.parametrize(
    ("exact", "message"),
    [
        (lambda: maxent.garnet(32, 2, discount=0.9), "32 states and 2 actions"),  # of equal size
        (lambda: maxent.garnet(8, 4, discount=0.9), "8 states and 4 actions"),
        (lambda: maxent.garnet(17, 4, discount=0.9), "16 is not terminal"),
        (lambda: lake(0.8), "use one discount"),
        (lambda: lake().replace(initial_distribution=np.eye(16)[15]), "every start of exact"),
        (lambda: maxent.solve(lake(), 0.1), "give the MDP behind"),
    ],
)
def test_an_exact_mdp_that_does_not_fit_an_environment_is_refused(exact, message):
    with pytest.raises(maxent.ConfigError, match=message):
        soft_q_learning(gymnasium.make("FrozenLake-v1"), 0.1, discount=0.9, exact=exact(), steps=9)


def test_a_solution_must_be_of_the_mdp_that_is_learned():
    mdp, settings = small(), {"steps": 300, "checkpoints": 3}
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    evaluated = maxent.soft_policy_evaluation(mdp, policy, 0.5)
    plain = soft_q_learning(mdp, 0.5, **settings)
    given = soft_q_learning(mdp, 0.5, exact=maxent.solve(mdp, 0.5), **settings)
    np.testing.assert_allclose(given.errors, plain.errors, atol=1e-6)
    assert 0.0 < given.reference_error < 1e-6
    expected_soft_sarsa(mdp, 0.5, policy=policy, exact=evaluated, **settings)
    others = [
        maxent.solve(small(0.5), 0.5),
        maxent.solve(mdp, 0.5, prior=policy),
        maxent.solve(small(masked=0.0), 0.5),
        evaluated,
    ]
    for other in others:
        with pytest.raises(maxent.ConfigError, match="misses the soft Bellman equation"):
            soft_q_learning(mdp, 0.5, exact=other, **settings)
    with pytest.raises(maxent.ConfigError, match="misses the soft Bellman equation"):
        expected_soft_sarsa(mdp, 0.5, policy=policy, exact=maxent.solve(mdp, 0.5), **settings)
    with pytest.raises(maxent.ConfigError, match="exact has shape"):
        soft_q_learning(mdp, 0.5, exact=maxent.solve(lake(0.8), 0.5), **settings)


# --- seeds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("learner", [soft_q_learning, expected_soft_sarsa, soft_actor_critic])
def test_a_run_is_the_same_alone_and_beside_others(learner):
    settings = {"steps": 1500, "exploration": 0.2}
    alone = learner(small(), 0.5, seed=3, **settings)
    again = learner(small(), 0.5, seed=3, **settings)
    beside = error_curves(learner.__name__, small(), 0.5, seeds=[5, 3, 0], **settings)
    assert alone.q.tobytes() == again.q.tobytes() == beside.runs[1].q.tobytes()
    assert alone.log_policy.tobytes() == beside.runs[1].log_policy.tobytes()
    assert alone.errors.tobytes() == beside.errors[1].tobytes()
    assert [run.seed for run in beside.runs] == [5, 3, 0]
    assert beside.runs[0].q.tobytes() != alone.q.tobytes()
    env = [learner(MDPEnv(small()), 0.5, seed=3, discount=0.8, **settings) for _ in range(2)]
    assert env[0].q.tobytes() == env[1].q.tobytes()


def made(errors, checkpoints):
    shape = np.zeros((1, 1))
    runs = tuple(
        Learned("m", shape, shape[0], shape, shape, 1.0, 0.9, 9, i, checkpoints, row, row, 1e-9)
        for i, row in enumerate(errors)
    )
    return ErrorCurves("m", "max", 1.0, 0.9, checkpoints, np.array(errors), runs)


def test_means_intervals_and_slopes_over_seeds():
    x = np.array([10, 100, 1000, 10_000])
    record = made([2 * x**-0.5, 8 * x**-0.5], x)
    np.testing.assert_allclose(record.mean, 4 * x**-0.5)
    assert record.slope(0.0) == pytest.approx(-0.5)
    low, high = record.interval(0.5)  # Student's t with 1 degree of freedom: quartile 1
    np.testing.assert_allclose(high / record.mean, 2.0)
    np.testing.assert_allclose(record.mean / low, 2.0)
    table = record.to_frame()
    assert len(table) == 8 and set(table.columns) == {"method", "seed", "samples", "max_error"}
    assert table["max_error"].iloc[4] == pytest.approx(8 * 10**-0.5)
    for wrong in (0.0, 1.0, float("nan"), None):
        with pytest.raises(maxent.ConfigError, match="level"):
            record.interval(wrong)
    alone = made([np.zeros(4)], x)
    assert np.isinf(alone.interval()[1]).all()
    np.testing.assert_allclose(alone.mean, 1e-9)  # no smaller than the exact values are known
    assert np.isnan(alone.slope(1.5))


def test_intervals_over_seeds_cover_the_mean():
    rng = np.random.default_rng(0)
    x = np.arange(1, 301)
    record = made(np.exp(rng.normal(size=(8, 300))), x)
    low, high = record.interval()
    assert 0.91 < ((low < 1) & (high > 1)).mean() < 0.99


def test_step_sizes_are_those_of_robbins_and_monro():
    n = np.arange(1, 200_001)
    for exponent in (0.51, 0.75, 1.0):
        steps = RobbinsMonro(exponent, offset=10.0)(n)
        assert steps[0] == 1.0 and (np.diff(steps) < 0).all()
        tail = np.log(steps[-1] / steps[99_999]) / np.log(2)
        assert tail == pytest.approx(-exponent, abs=1e-3)
        # between N and 2 N: the sum does not fall with N, that of squares does
        blocks = [steps[n : 2 * n] for n in (25_000, 50_000, 100_000)]
        sums, squares = (np.array([(b**power).sum() for b in blocks]) for power in (1, 2))
        assert (np.diff(sums) > -1e-3).all() and (squares[1:] < squares[:-1]).all()
    for wrong in (0.5, 1.01, 0.0, float("nan"), True, "1"):
        with pytest.raises(maxent.ConfigError, match="exponent"):
            RobbinsMonro(wrong)
    for wrong in ({"offset": -1.0}, {"scale": 0.0}, {"scale": 1.5}):
        with pytest.raises(maxent.ConfigError, match=next(iter(wrong))):
            RobbinsMonro(**wrong)


# --- bad arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"seed": -1}, "seed"),
        ({"temperature": -1.0}, "temperature"),
        ({"exploration": 1.5}, "exploration"),
        ({"episode_steps": 0}, "episode_steps"),
        ({"checkpoints": [0, 5]}, "checkpoint"),
        ({"checkpoints": [5, 500]}, "checkpoints"),
        ({"checkpoints": 2.5}, "checkpoints = 2.5"),
        ({"checkpoints": None}, "checkpoints = None"),
        ({"checkpoints": True}, "checkpoints"),
        ({"checkpoints": []}, "checkpoints"),
        ({"q0": float("inf")}, "q0"),
        ({"q0": 1.1e280}, "q0 = 1.1e[+]280 is beyond"),
        ({"step_size": 0.0}, "step_size = 0.0 is outside"),
        ({"step_size": 1.5}, "step_size = 1.5 is outside"),
        ({"step_size": float("nan")}, "step_size"),
        ({"step_size": "0.1"}, "step_size"),
        ({"step_size": lambda n: 5}, "step_size of the counts .1. is 5"),
        ({"step_size": lambda n: 0.0 * n}, "step_size of the counts"),
        ({"step_size": lambda n: np.nan * n}, "step_size of the counts"),
        ({"step_size": lambda n: np.full(len(n) + 1, 0.5)}, "each of the 1 counts"),
        ({"step_size": lambda n: [[0.5], [0.5, 0.5]]}, "step_size of the counts"),
        ({"step_size": lambda n: None}, "step_size of the counts"),
        ({"discount": 0.5}, "an MDP has its own"),
        ({"exact": 3}, "exact is int"),
        ({"exact": small(0.5)}, "use one discount"),
        ({"exact": maxent.solve(small(), 0.1)}, "exact has the temperature"),
        ({"problem": small().replace(discount=1.0)}, "just below 1"),
        ({"problem": MDPEnv(small())}, "discount = None"),
        ({"problem": MDPEnv(small()), "discount": 1.5}, "outside"),
        ({"problem": gymnasium.Env(), "discount": 0.5}, "Discrete"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    given = {"problem": small(), "temperature": 0.5, "steps": 100} | wrong
    with pytest.raises(maxent.ConfigError, match=message):
        soft_q_learning(given.pop("problem"), given.pop("temperature"), **given)


def test_a_number_is_a_constant_step_size():
    settings = {"steps": 200, "exploration": 0.5}
    function = soft_q_learning(small(), 0.5, step_size=lambda n: np.full(len(n), 0.25), **settings)
    for same in (0.25, np.float64(0.25), lambda n: 0.25):
        assert (soft_q_learning(small(), 0.5, step_size=same, **settings).q == function.q).all()
    both = error_curves("soft_q_learning", small(), 0.5, step_size=1, seeds=2, **settings)
    assert np.isfinite(both.errors).all()


def test_counts_may_be_those_of_numpy():
    settings = {"steps": 100, "checkpoints": np.int64(4)}
    found = error_curves("soft_q_learning", small(), 0.5, seeds=np.int64(3), **settings)
    assert found.errors.shape[0] == 3 and len(found.checkpoints) <= 4
    same = error_curves("soft_q_learning", small(), 0.5, seeds=np.arange(3), **settings)
    assert (same.errors == found.errors).all()
    for wrong in (2.5, None, True, 0, [1.5]):
        with pytest.raises(maxent.ConfigError, match="seeds"):
            error_curves("soft_q_learning", small(), 0.5, seeds=wrong, steps=10)
    assert len(soft_q_learning(small(), 0.5, steps=10, checkpoints=10**12).checkpoints) == 8


def test_a_large_start_gives_finite_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = soft_q_learning(small(), 0.5, steps=50, q0=1e280)
    assert np.isfinite(run.errors).all() and np.isfinite(run.rms_errors).all()


def test_more_bad_arguments():
    with pytest.raises(maxent.ConfigError, match="did you mean 'soft_q_learning'"):
        error_curves("soft_q_learnin", small(), 0.5, steps=10)
    with pytest.raises(maxent.ConfigError, match="exact = None"):
        error_curves("soft_q_learning", MDPEnv(small()), 0.5, steps=10, discount=0.9)
    with pytest.raises(maxent.ConfigError, match="measure"):
        error_curves("soft_q_learning", small(), 0.5, steps=10, measure="mean")
    with pytest.raises(maxent.ConfigError, match="seeds"):
        error_curves("soft_q_learning", small(), 0.5, steps=10, seeds=[])
    with pytest.raises(maxent.ConfigError, match="above 0"):
        soft_actor_critic(small(), 0.0, steps=10)
    with pytest.raises(maxent.ConfigError, match="policy_step"):
        soft_actor_critic(small(), 1.0, steps=10, policy_step=0.0)
    with pytest.raises(maxent.ModelError, match="unavailable"):
        expected_soft_sarsa(small(), 1.0, steps=10, policy=[0.3, 0.3, 0.4])
    with pytest.raises(maxent.ModelError, match="not available in state 0"):
        expected_soft_sarsa(Chain(), 1.0, steps=10, policy=[0.5, 0.5], discount=0.9)
    ended = small().replace(initial_distribution=np.eye(6)[5])
    with pytest.raises(maxent.ConfigError, match="every start is terminal"):
        soft_q_learning(ended, 1.0, steps=10, exact=maxent.solve(small(), 1.0))


class Broken(Ending):
    def __init__(self, observation=0, reward=0.0, mask=(1, 1)):
        super().__init__(False, False)
        self.answer = observation, reward, False, False, {"action_mask": mask}

    def step(self, action):
        return self.answer


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"reward": float("nan")}, "must be finite"),
        ({"reward": None}, "step 1, state 0, action .: the environment paid None"),
        ({"reward": 1e300}, "at most 1e[+]280"),
        ({"reward": 10**400}, "must be finite"),
        ({"observation": 2}, "outside"),
        ({"observation": 1.0}, "step 1: observation 1.0 .float. is outside"),
        ({"observation": None}, "NoneType"),
        ({"mask": (0, 0)}, "action_mask"),
        ({"mask": (1, 1, 1)}, "action_mask"),
    ],
)
def test_a_broken_environment_is_named(fault, message):
    with pytest.raises(maxent.ModelError, match=message):
        soft_q_learning(Broken(**fault), 1.0, discount=0.9, steps=10)


def test_extreme_temperatures_stay_finite():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for temperature in (1e-300, 1e-9, 1e9):
            run = soft_q_learning(small(), temperature, steps=500, exploration=0.5)
            assert np.isfinite(run.q).all()


# --- the importance-sampled soft value ---------------------------------------------------------

Q = np.array([0.3, -0.4, 1.1])
PROPOSALS = {"uniform": np.full(3, 1 / 3), "skewed": np.array([0.7, 0.2, 0.1])}


def soft_value(q, temperature):
    return float(maxent.soft_value(q[None, :], temperature)[0])


def enumerated(q, proposal, temperature, n):
    """Expected estimate from n samples, over all (A^n) draws."""
    total = 0.0
    for draw in itertools.product(range(len(q)), repeat=n):
        draw = list(draw)
        estimate = importance_sampled_soft_value(q[draw], np.log(proposal[draw]), temperature)
        total += proposal[draw].prod() * float(estimate)
    return total


@pytest.mark.parametrize("name", PROPOSALS)
@pytest.mark.parametrize("temperature", [0.2, 2.0])
def test_the_sampled_soft_value_is_biased_low_as_enumeration_says(name, temperature):
    proposal = PROPOSALS[name]
    exact = soft_value(Q, temperature)
    log_policy = maxent.boltzmann_policy(Q, temperature)
    gaps = [enumerated(Q, proposal, temperature, n) - exact for n in (1, 2, 3, 6)]
    assert all(gap < 0 for gap in gaps) and gaps == sorted(gaps)
    divergence = maxent.kl_divergence(np.log(proposal)[None, :], log_policy[None, :])[0]
    assert gaps[0] == pytest.approx(-temperature * divergence, rel=1e-12)
    record = importance_bias(Q, {name: proposal}, temperature, samples=(1, 2, 3, 6))
    assert (np.abs(record.biases[0] - gaps) <= 4 * record.errors[0] + 1e-12).all()
    assert (record.errors[0] < 0.05 * temperature).all()
    # without the control variate
    drawn = np.random.default_rng(0).choice(3, size=(20_000, 3), p=proposal)
    plain = importance_sampled_soft_value(Q[drawn], np.log(proposal[drawn]), temperature)
    assert abs(plain.mean() - exact - gaps[2]) < 4 * plain.std() / np.sqrt(20_000)


def test_the_first_order_bias_is_the_limit():
    temperature = 1.0
    exact = soft_value(Q, temperature)
    proposal = np.array([0.3, 0.25, 0.45])
    weights = np.exp(Q / temperature) / proposal
    variance = proposal @ weights**2 - (proposal @ weights) ** 2
    for n in (1, 5):
        found = float(first_order_bias(Q, np.log(proposal), temperature, n))
        assert found == pytest.approx(
            -temperature * variance / (2 * n * (proposal @ weights) ** 2), rel=1e-12
        )
    ratios = [
        (enumerated(Q, proposal, temperature, n) - exact)
        / float(first_order_bias(Q, np.log(proposal), temperature, n))
        for n in (2, 4, 8)
    ]
    gaps = np.abs(np.array(ratios) - 1)
    assert gaps[2] < 0.04 and (np.diff(gaps) < 0).all()
    assert gaps[2] / gaps[1] == pytest.approx(0.5, abs=0.15)  # the next term is of order 1/N^2
    with np.errstate(divide="ignore"):
        assert first_order_bias(Q, np.log([0.5, 0.5, 0.0]), 1.0, 3) == -np.inf


def test_the_boltzmann_proposal_has_neither_variance_nor_bias():
    for temperature in (1e-3, 0.5, 1e6):
        log_policy = maxent.boltzmann_policy(Q, temperature)
        drawn = np.random.default_rng(1).choice(3, size=(50, 4), p=np.exp(log_policy))
        found = importance_sampled_soft_value(Q[drawn], log_policy[drawn], temperature)
        np.testing.assert_allclose(found, soft_value(Q, temperature), rtol=1e-12)
        np.testing.assert_allclose(
            effective_sample_size(Q[drawn], log_policy[drawn], temperature), 4.0, rtol=1e-6
        )
        assert abs(float(first_order_bias(Q, log_policy, temperature, 1))) < 1e-9 * temperature


def test_the_sampled_soft_value_of_a_density_against_quadrature():
    def q(a):
        return -(a**2) / (2 * 0.3**2)

    exact = np.log(integrate.quad(lambda a: np.exp(q(a)), -1, 1)[0])
    rng = np.random.default_rng(0)
    a = rng.uniform(-1, 1, size=(40_000, 16))
    found = importance_sampled_soft_value(q(a), np.full(a.shape, -np.log(2)), 1.0)
    second = integrate.quad(lambda a: np.exp(2 * q(a)) * 2, -1, 1)[0] / np.exp(2 * exact)
    assert found.mean() - exact == pytest.approx(-(second - 1) / 32, abs=0.01)
    assert found.mean() - exact == pytest.approx(-0.03, abs=0.01)  # the published figure
    effective = effective_sample_size(q(a), np.full(a.shape, -np.log(2)), 1.0)
    assert effective.mean() == pytest.approx(16 / second, rel=0.15)
    one = np.array([[0.0, -1e9]])
    assert effective_sample_size(one, np.zeros((1, 2)), 1.0) == pytest.approx(1.0)


def test_sampled_soft_values_at_extreme_temperatures():
    log_p = np.log([0.2, 0.3, 0.5])
    assert importance_sampled_soft_value(Q, log_p, 0.0) == 1.1
    assert importance_sampled_soft_value(Q, log_p, 1e-300) == pytest.approx(1.1)
    mean = importance_sampled_soft_value(Q, np.zeros(3), 1e12)
    assert mean == pytest.approx(Q.mean(), abs=1e-3)
    np.testing.assert_allclose(
        importance_sampled_soft_value(Q + 5, log_p, 0.3),
        importance_sampled_soft_value(Q, log_p, 0.3) + 5,
    )


def test_bad_samples_are_refused():
    with pytest.raises(maxent.ModelError, match="positive"):
        importance_sampled_soft_value([1.0, 2.0], [0.0, -np.inf], 1.0)
    with pytest.raises(maxent.ModelError, match="shape"):
        importance_sampled_soft_value([1.0, 2.0], [0.0], 1.0)
    with pytest.raises(maxent.ModelError, match="finite"):
        importance_sampled_soft_value([1.0, np.nan], [0.0, 0.0], 1.0)
    with pytest.raises(maxent.ConfigError, match="temperature"):
        importance_sampled_soft_value([1.0], [0.0], -1.0)
    with pytest.raises(maxent.ConfigError, match="temperature"):
        effective_sample_size([1.0], [0.0], 0.0)
    with pytest.raises(maxent.ConfigError, match="samples"):
        first_order_bias([1.0], [0.0], 1.0, 0)
    with pytest.raises(maxent.ModelError, match="proposal 'half'"):
        importance_bias(Q, {"half": [0.5, 0.0, 0.0]}, 1.0)
    with pytest.raises(maxent.ConfigError, match="at least one"):
        importance_bias(Q, {}, 1.0)
    with pytest.raises(maxent.ConfigError, match="at least one"):
        importance_bias(Q, PROPOSALS, 1.0, samples=[])
    with pytest.raises(maxent.ConfigError, match="proposals is list"):
        importance_bias(Q, [np.full(3, 1 / 3)], 1.0)
    for wrong in (5, None, [2.5]):
        with pytest.raises(maxent.ConfigError, match="samples"):
            importance_bias(Q, PROPOSALS, 1.0, samples=wrong)
    for size in (10**9, 10**30):
        with pytest.raises(maxent.MemoryBudgetError, match="fewer samples or repetitions"):
            importance_bias(Q, PROPOSALS, 1.0, samples=[size], repetitions=10**6)
    with pytest.raises(maxent.ModelError, match=r"at most 1e\+280"):
        importance_bias([1e308, -1e308], {"half": [0.5, 0.5]}, 1.0)
    for function in (importance_sampled_soft_value, effective_sample_size):
        with pytest.raises(maxent.ModelError, match=r"at most 1e\+280"):
            function([1e308, -1e308], [0.0, 0.0], 0.1)
        with pytest.raises(maxent.ModelError, match=r"at most 1e\+280"):
            function([1.0, 2.0], [0.0, -1e308], 1e15)


def test_the_largest_values_have_finite_estimates():
    q, log_p = np.array([1e280, -1e280]), np.log([0.5, 0.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for temperature in (1e-300, 0.1, 1e15):
            assert effective_sample_size(q, log_p, temperature) == 1.0
            assert importance_sampled_soft_value(q, log_p, temperature) == pytest.approx(1e280)
        assert effective_sample_size([1.0, 2.0], [-1e280, 0.0], 1e15) == 1.0
        assert first_order_bias(q, [0.0, -np.inf], 1e-300, 1) == 0.0  # never taken
        record = importance_bias(q, {"half": [0.5, 0.5]}, 1.0, samples=(1, 2), repetitions=50)
    assert np.isfinite(record.biases).all() and np.isfinite(record.errors).all()


# --- figures -----------------------------------------------------------------------------------


def words(figure):
    figure.draw_without_rendering()
    texts = [t.get_text() for ax in figure.axes for t in (*ax.texts, ax.title, ax.xaxis.label)]
    texts += [ax.get_ylabel() for ax in figure.axes] + [ax.get_title("left") for ax in figure.axes]
    texts += [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    return "\n".join(texts)


def test_the_figure_of_error_curves(tmp_path):
    both = [error_curves("soft_q_learning", small(), t, steps=300, seeds=3) for t in (0.1, 1.0)]
    figure = plots.error_curves(*both)
    text = words(figure)
    for word in ("temperature 0.1", "discount 0.8", "samples", "reward units", "3 seeds", "0.375"):
        assert word in text
    (ax,) = figure.axes
    assert ax.get_xscale() == ax.get_yscale() == "log"
    line = next(each for each in ax.lines if each.get_linewidth() > 1.5)
    np.testing.assert_allclose(line.get_ydata(), both[0].mean)
    plots.save(figure, tmp_path / "errors.png")
    assert "named" in words(plots.error_curves(both[0], names=["named"], exponent=None))
    plots.error_curves(made([np.ones(4)], np.array([1, 10, 100, 1000])))  # one seed
    with pytest.raises(maxent.ConfigError, match="one or more"):
        plots.error_curves()
    with pytest.raises(maxent.ConfigError, match="names"):
        plots.error_curves(both[0], names=[])


def test_the_figure_of_the_importance_bias(tmp_path):
    policy = np.exp(maxent.boltzmann_policy(Q, 0.5))
    record = importance_bias(Q, PROPOSALS | {"Boltzmann": policy}, 0.5, samples=(1, 2, 4))
    figure = plots.importance_bias(record)
    text = words(figure)
    for word in ("temperature 0.5", "uniform", "no bias seen: Boltzmann", "reward units", "N"):
        assert word in text
    assert figure.axes[0].get_yscale() == "log"
    plots.save(figure, tmp_path / "bias.svg")
    table = record.to_frame()
    assert len(table) == 9 and (table["effective_sample_size"] <= table["samples"] + 1e-9).all()
