"""check_agent: right agents pass, each planted mistake is named, and what the numbers rest on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces
from small_sac import MISTAKES, SmallSac

import maxent
from maxent import testing
from maxent.environments.small_worlds import Clock, Curve, Drifting, Ring, taken_of, unit_of
from maxent.environments.trials import ALPHA, LEVELS, cases
from maxent.testing import agent_faults as faults
from maxent.testing import agent_policies, agent_targets
from maxent.testing.agent_look import SAMPLES, Look, entropy_of, grid

CASES = {case.name: case for case in cases(discrete=False)}
DISCRETE = {case.name: case for case in cases(discrete=True)}

NAMED = {  # mistake of SmallSac: what the suite calls it
    "entropy missing in the target": "entropy left out of the next state's value",
    "temperature missing in the target": "temperature left out of the next state's entropy",
    "wrong sign of the entropy in the target": "entropy of the next state with the wrong sign",
    "termination bootstrapped": faults.TERMINATION,
    "termination at the time limit bootstrapped": faults.AT_LIMIT,
    "truncation cut": faults.CUT,
    "next episode's observation": faults.NEXT_EPISODE,
    "autoreset step stored": faults.AUTORESET,
    "termination inverted": faults.INVERTED,
    "entropy bonus after the end": faults.BONUS_AFTER_END,
    "current observation stored as the next": faults.CURRENT,
    "temperature squared in the target": faults.BONUS_SQUARED,
    "bonus of the current state": faults.BONUS_OF_BOTH,
    "target frozen": faults.FROZEN,
    "discount missing": "discount ignored",
    "discount squared": "discount applied twice",
    "entropy missing in the actor": faults.NO_ENTROPY,
    "temperature missing in the actor": "temperature left out of the policy's loss",
    "wrong sign of the entropy in the actor": faults.ENTROPY_SIGN,
    "temperature inverted": "temperature inverted in the policy's loss",
    "jacobian missing": faults.JACOBIAN,
    "tanh clamped": "log of a clamped tanh",
    "unbounded box squashed": "unbounded box squashed",
    "box not scaled": faults.SCALED,
    "box taken as symmetric": faults.SYMMETRIC,
    "critic sees actions in units of the box": faults.MIXED_UNITS,
    "target entropy's sign": faults.TARGET_SIGN,
    "target entropy of one dimension": "target entropy of one dimension",
    "temperature's loss with the wrong sign": faults.TARGET_SIGN,
    "temperature not tuned": "temperature is not tuned (1)",
    "density in units of the box": faults.BOX_UNITS,
    "replay normalised at collection": "stale normalisation of observations",
    "policy sees other statistics": "stale normalisation of observations",
    "observation ignored by the policy": faults.IGNORES,
    "observations clipped": faults.CUT_OFF,
    "rewards scaled": faults.REWARDS_SCALED,
    "reward discounted": faults.REWARDS_DISCOUNTED,
    "constant in the reward": faults.REWARDS_SHIFTED,
    "reported density without jacobian": "tanh's Jacobian left out of the reported density",
    "reported density in units of the box": "reported density in the units of the box",
}


# --- the worlds and the estimates -----------------------------------------------------------------


def ring_as_mdp(case):
    """A discrete ring as an MDP: an exact answer by another route."""
    states, ended = len(case.curves), case.name != "truncation"
    transition = np.zeros((states + ended, LEVELS, states + ended))
    for s in range(states):
        transition[s, :, s + 1 if ended or s + 1 < states else 0] = 1.0
    points = np.linspace(-1.0, 1.0, LEVELS)[:, None]
    reward = np.stack([curve(points) for curve in case.curves] + ended * [np.zeros(LEVELS)])
    terminal = [False] * states + [True] * ended
    return maxent.MDP(transition, reward, discount=case.discount, terminal=terminal)


def drawn(case, densities, q_of, seed=0):
    """A Look of an agent whose policy has the given densities on the grid, (K, points)."""
    points, _ = grid(case.discrete)
    source = np.random.default_rng(seed)
    unit = np.stack([source.choice(points, SAMPLES, p=p / p.sum()) for p in densities])[..., None]
    if not case.discrete:  # anywhere in its cell
        unit = unit + source.uniform(-1.0, 1.0, unit.shape) / len(points)
    entropy = np.array([entropy_of(each, case.discrete) for each in unit])
    return Look(unit, taken_of(case.space, unit), entropy, q_of(unit), None, None)


def exact_look(case, temperature=None, prediction=None, factor=1.0, more=None):
    """A Look of the exact policy at a temperature, with the Q that a faulty target settles at.

    factor : of the rewards; more : what is added to E[Q - r], a function of the entropies (K,) and
        of what should be there.
    """
    points, _ = grid(case.discrete)
    scores = np.stack([curve(points[:, None]) for curve in case.curves])
    scores = factor * scores / (temperature or case.temperature)
    densities = np.exp(scores - scores.max(axis=1, keepdims=True))

    def paid(unit):
        each = [factor * curve(actions) for curve, actions in zip(case.curves, unit)]
        return np.stack(each)

    seen = drawn(case, densities, paid)
    going_on = np.zeros(len(case.curves))
    for _ in range(300):  # the fixed point of the equation, right or wrong
        seen = Look(
            seen.unit, seen.taken, seen.entropy, paid(seen.unit) + going_on[:, None], *2 * [None]
        )
        arguments = prediction or {}
        going_on = agent_targets._prediction(seen, case, paid(seen.unit), **arguments)
        going_on = going_on + (0.0 if more is None else more(seen.entropy, going_on))
    return seen


@pytest.mark.parametrize("name", ["values", "truncation"])
def test_the_right_equation_is_that_of_the_exact_solver(name):
    case = DISCRETE[name]
    mdp = ring_as_mdp(case)
    exact = maxent.solve(mdp, case.temperature)
    states = len(case.curves)

    def q_of(unit):
        levels = np.rint((unit[..., 0] + 1.0) * (LEVELS - 1) / 2.0).astype(int)
        return np.take_along_axis(exact.q[:states], levels, 1)

    seen = drawn(case, exact.policy[:states], q_of)
    assert agent_targets.value_signs(seen, case) == []
    assert agent_policies.law_signs(seen, case) == []
    settled = exact_look(case)
    # E[Q - r] + E[r] + alpha H = V, up to sampling
    value = settled.q.mean(axis=1) + case.temperature * settled.entropy
    np.testing.assert_allclose(value, exact.v[:states], atol=0.05)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ring(CASES["values"].curves, CASES["values"].space),
        lambda: Ring(CASES["values"].curves, spaces.Discrete(LEVELS, start=3), 2),
        lambda: Drifting(Clock(), 10**6, CASES["drift"].space),
    ],
)
def test_the_worlds_are_fit_for_training(make):
    report = testing.check_environment(make)
    assert report.passed, str(report)


def test_a_ring_ends_and_is_cut_as_it_says():
    ring = Ring([Curve(1.0), Curve(2.0)], spaces.Box(-2.0, 10.0, (1,)))
    ends = []
    for _ in range(2):
        ring.reset(seed=1)
        assert ring.step(np.array([4.0]))[1:4] == (1.0, False, False)
        seen, paid, terminated, truncated, _ = ring.step(np.array([4.0]))
        assert (paid, terminated, seen.tolist()) == (2.0, True, [0.0, 1.0])
        ends.append(truncated)
    assert sorted(ends) == [False, True]
    cut = Ring([Curve(), Curve(slope=1.0)], spaces.Discrete(3), cut_after=2)
    starts = {int(cut.reset(seed=seed)[0].argmax()) for seed in range(9)}
    assert starts == {0, 1}
    assert cut.step(0)[2:4] == (False, False) and cut.step(2)[2:4] == (False, True)


@pytest.mark.parametrize("space", [spaces.Box(-2.0, 10.0, (2,)), spaces.Discrete(7, start=-3)])
def test_units_of_actions_go_there_and_back(space):
    space.seed(1)
    taken = np.array([space.sample() for _ in range(20)])
    unit = unit_of(space, taken)
    assert np.abs(unit).max() <= 1.0
    np.testing.assert_allclose(taken_of(space, unit), taken, atol=1e-6)


def test_entropies_of_samples():
    source = np.random.default_rng(1)
    for m, deviation in ((1, 0.05), (2, 0.3)):
        samples = deviation * source.standard_normal((SAMPLES, m))
        exact = m * (0.5 * np.log(2.0 * np.pi * np.e) + np.log(deviation))
        assert abs(entropy_of(samples, False) - exact) < 0.06
    uniform = source.uniform(-1.0, 1.0, (SAMPLES, 1))
    assert abs(entropy_of(uniform, False) - np.log(2.0)) < 0.05
    assert abs(entropy_of(source.integers(0, 7, (SAMPLES, 1)), True) - np.log(7.0)) < 0.01


# --- from numbers to names, without a training ----------------------------------------------------

TARGETS = [
    ({"entropy": name}, name)
    for name in (
        "entropy left out of the next state's value",
        "temperature left out of the next state's entropy",
        "temperature inverted in the next state's entropy",
        "entropy of the next state with the wrong sign",
        faults.BOX_UNITS,
    )
] + [
    ({"discount": "discount ignored"}, "discount ignored"),
    ({"discount": "discount applied twice"}, "discount applied twice"),
    ({"value": faults.FROZEN}, faults.FROZEN),
    ({"entropy": faults.BONUS_SQUARED}, faults.BONUS_SQUARED),
    ({"entropy": faults.BONUS_OF_CURRENT}, faults.BONUS_OF_CURRENT),
    *(({"ending": each}, each) for each in (faults.AUTORESET, faults.INVERTED)),
    *(({"ending": each}, each) for each in (faults.CURRENT, faults.LATER)),
]
ENDINGS = (faults.TERMINATION, faults.AT_LIMIT, faults.BONUS_AFTER_END)


@pytest.mark.parametrize(
    ("name", "wrong", "fault"),
    [("values", *each) for each in TARGETS]
    + [("values", {"ending": ending}, ending) for ending in ENDINGS]
    + [("truncation", {"ending": ending}, ending) for ending in (faults.CUT, faults.NEXT_EPISODE)],
)
def test_each_faulty_target_is_told_from_the_others(name, wrong, fault):
    case = CASES[name]
    assert agent_targets.value_signs(exact_look(case), case) == []
    (sign,) = agent_targets.value_signs(exact_look(case, prediction=wrong), case)
    assert sign.fault == fault
    assert abs(sign.measured - sign.mistaken) < abs(sign.measured - sign.right)
    assert f"{sign.right:.3f}" in sign.detail


NUMBERS = [  # what is added to E[Q - r], or the factor of the rewards
    ({"more": lambda h, right: 1.0}, faults.REWARDS_SHIFTED, "about +1.0"),
    ({"more": lambda h, right: ALPHA * h}, faults.BONUS_OF_BOTH, ""),
    (
        {"more": lambda h, right: 0.8 * ALPHA * np.append(h[1:], 0.0)},
        faults.BONUS_OTHER,
        "weight of 0.8",
    ),
    ({"more": lambda h, right: -0.4 * right}, faults.OTHER_DISCOUNT, "as if 0.48"),
    ({"factor": 0.8}, faults.REWARDS_DISCOUNTED, ""),
    ({"factor": 2.0}, faults.REWARDS_SCALED, ""),
    ({"factor": 0.1}, faults.REWARDS_SCALED, ""),
]


@pytest.mark.parametrize("cases_of", [CASES, DISCRETE])
@pytest.mark.parametrize(("wrong", "fault", "said"), NUMBERS)
def test_a_faulty_target_with_a_number_of_its_own_is_told(cases_of, wrong, fault, said):
    case = cases_of["values"]
    seen = exact_look(case, **wrong)
    (sign,) = agent_targets.value_signs(seen, case)
    assert sign.fault == fault and said in sign.detail
    assert agent_policies.law_signs(seen, case) == []


@pytest.mark.parametrize("cases_of", [CASES, DISCRETE])
def test_without_any_bootstrapping_one_mistake_is_told(cases_of):
    none = {"more": lambda h, right: -right}
    (sign,) = agent_targets.value_signs(exact_look(cases_of["values"], **none), cases_of["values"])
    assert sign.fault == faults.FROZEN
    cut = cases_of["truncation"]
    assert agent_targets.value_signs(exact_look(cut, **none), cut, [faults.FROZEN]) == []


def test_of_one_kind_of_mistake_one_is_told():
    """A discount of .99 looks like none where that is .8, and like another one where it is .5."""
    values, cut = CASES["values"], CASES["truncation"]
    (sign,) = agent_targets.value_signs(
        exact_look(values, more=lambda h, right: (0.99 / 0.8 - 1.0) * right), values
    )
    assert sign.fault == faults.NO_DISCOUNT
    seen = exact_look(cut, more=lambda h, right: 0.98 * right)
    (sign,) = agent_targets.value_signs(seen, cut)
    assert sign.fault == faults.OTHER_DISCOUNT and "as if 0.99" in sign.detail
    assert agent_targets.value_signs(seen, cut, [faults.NO_DISCOUNT]) == []


def test_two_mistakes_at_once_are_both_named():
    case = CASES["values"]
    left_out = "entropy left out of the next state's value"
    both = exact_look(case, prediction={"entropy": left_out, "ending": faults.TERMINATION})
    found = {sign.fault for sign in agent_targets.value_signs(both, case)}
    assert found == {left_out, faults.TERMINATION}


def test_mistakes_that_are_known_explain_but_are_not_told_again():
    case = CASES["truncation"]
    left_out = "entropy left out of the next state's value"
    one = exact_look(case, prediction={"entropy": left_out})
    assert (
        agent_targets.value_signs(one, case)
        and agent_targets.value_signs(one, case, [left_out]) == []
    )
    both = exact_look(case, prediction={"entropy": left_out, "ending": faults.CUT})
    assert [sign.fault for sign in agent_targets.value_signs(both, case, [left_out])] == [
        faults.CUT
    ]


def test_a_q_that_has_learnt_nothing_is_called_no_mistake_by_name():
    case = CASES["values"]
    seen = exact_look(case)
    noise = np.random.default_rng(1).normal(-2.0, 1.0, seen.q.shape)
    for q in (0.1 * noise, noise):  # as of fresh networks
        untrained = replace(seen, q=q)
        (sign,) = agent_targets.value_signs(untrained, case)
        assert sign.fault == faults.VALUE_DIFFERS


@pytest.mark.parametrize("cases_of", [CASES, DISCRETE])
@pytest.mark.parametrize(
    ("temperature", "fault"),
    [
        (1.0, "temperature left out of the policy's loss"),
        (ALPHA**2, "temperature squared in the policy's loss"),
        (1.0 / ALPHA, "temperature inverted in the policy's loss"),
        (0.01 * ALPHA, faults.NO_ENTROPY),
        (5.0, "acts at another temperature"),
    ],
)
def test_each_temperature_of_a_policy_is_told(cases_of, temperature, fault):
    case = cases_of["values"]
    assert agent_policies.law_signs(exact_look(case), case) == []
    (sign,) = agent_policies.law_signs(exact_look(case, temperature), case)
    assert sign.fault == fault
    assert sign.right == ALPHA
    if fault != faults.NO_ENTROPY:
        assert sign.measured == pytest.approx(temperature, rel=0.1)


def test_a_policy_that_collapses_onto_the_best_actions_has_lost_its_entropy():
    """On the plain it collapses too, onto anything, which it does at no temperature."""
    case, points = CASES["values"], grid(False)[0]
    exact = exact_look(case)
    np.testing.assert_allclose(
        agent_policies._entropies(case, case.curves, ALPHA), exact.entropy, atol=0.06
    )
    best = np.array([[0.23], [-0.6], [0.999]])
    densities = np.exp(-0.5 * ((points - best) / 0.005) ** 2)
    seen = replace(drawn(case, densities, lambda _: None), q=None)
    (sign,) = agent_policies.law_signs(seen, case)
    assert sign.fault == faults.NO_ENTROPY and "in each state" in sign.detail
    densities[1] = 1.0  # right on the plain: that is a low temperature
    seen = replace(drawn(case, densities, lambda _: None), q=None)
    (sign,) = agent_policies.law_signs(seen, case)
    assert "in each state" not in sign.detail


@pytest.mark.parametrize("cases_of", [CASES, DISCRETE])
def test_what_a_policy_may_be_and_what_it_is_called(cases_of):
    case = cases_of["values"]
    points, _ = grid(case.discrete)
    scores = np.stack([curve(points[:, None]) for curve in case.curves]) / ALPHA
    right = np.exp(scores - scores.max(axis=1, keepdims=True))
    right /= right.sum(axis=1, keepdims=True)
    always = np.exp(-0.5 * ((points - 1.0) / 0.01) ** 2)
    blind = np.exp(scores.mean(axis=0) - scores.mean(axis=0).max())
    policies = [  # densities, fault, what is said beside
        (np.tile(blind, (3, 1)), faults.IGNORES, "the same in every state"),
        (np.ones_like(right), faults.POLICY_DIFFERS, "nearly uniform"),
        (np.tile(always, (3, 1)), faults.POLICY_DIFFERS, ""),  # stuck at the border
        (np.roll(right, 1, axis=0), faults.POLICY_DIFFERS, ""),
        (right[:, ::-1], faults.POLICY_DIFFERS, ""),
        (0.9 * right + 0.1 / len(points), faults.OTHER_TEMPERATURE, ""),
        (right**2, faults.OTHER_TEMPERATURE, "temperature 0.2"),
        (right**0.5, faults.OTHER_TEMPERATURE, "temperature 0.798"),
    ]
    for densities, fault, said in policies:
        (sign,) = agent_policies.law_signs(drawn(case, densities, lambda _: None), case)
        assert sign.fault == fault and said in sign.detail, sign


def test_samples_that_are_one_action_are_told():
    case = CASES["values"]
    unit = np.repeat(np.array([1.0 / 3.0, -1.0, 1.0])[:, None, None], SAMPLES, axis=1)
    entropy = np.array([entropy_of(each, False) for each in unit])
    seen = Look(unit, taken_of(case.space, unit), entropy, None, None, None)
    (sign,) = agent_policies.law_signs(seen, case)
    assert sign.fault == faults.NO_NOISE and sign.measured == 0.0


@pytest.mark.parametrize(
    ("away", "strays", "fault"),
    [
        (1e-7, 0, faults.ENTROPY_SIGN),  # a saturated tanh
        (1e-7, 20, faults.JACOBIAN),  # the same of a wide u
        (5e-3, 0, faults.POLICY_DIFFERS),  # a policy that is stuck
    ],
)
def test_what_presses_actions_to_the_border_is_told(away, strays, fault):
    case = CASES["values"]
    source = np.random.default_rng(1)
    unit = 1.0 - source.uniform(0.0, away, (3, SAMPLES, 1))
    unit[:, :strays] = source.uniform(-1.0, 1.0, (3, strays, 1))
    entropy = np.array([entropy_of(each, False) for each in unit])
    seen = Look(unit, taken_of(case.space, unit), entropy, None, None, None)
    (sign,) = agent_policies.law_signs(seen, case)
    assert sign.fault == fault


def test_actions_at_both_ends_of_a_plain_are_those_without_jacobian():
    case, points = CASES["values"], grid(False)[0]
    scores = np.stack([curve(points[:, None]) for curve in case.curves]) / ALPHA
    right = np.exp(scores - scores.max(axis=1, keepdims=True))
    for ends, faulty in (((-1.0, 1.0), True), ((1.0,), False)):
        densities = right.copy()
        densities[1] = sum(np.exp(-0.5 * ((points - end) / 0.005) ** 2) for end in ends)
        signs = agent_policies.law_signs(drawn(case, densities, lambda _: None), case)
        assert (faults.JACOBIAN in {sign.fault for sign in signs}) == faulty


@pytest.mark.parametrize(
    ("means", "fault"),
    [
        ([-0.62, -0.32, -0.01, 0.36, 0.6], None),
        ([-0.57, -0.46, -0.35, -0.17, 0.25], faults.STALE),
        ([-0.12, 0.09, 0.38, 0.64, 0.78], faults.STALE),
        ([-0.2, -0.2, -0.2, -0.19, -0.2], faults.IGNORES),
        ([-0.63, -0.34, 0.22, 0.22, 0.22], faults.CUT_OFF),
        ([0.6, 0.3, 0.0, -0.3, -0.6], faults.POLICY_DIFFERS),
    ],
)
def test_what_observations_mean_to_a_policy(means, fault):
    """Means as trained agents had them."""
    unit = np.repeat(np.array(means)[:, None], 10, axis=1)[..., None]
    seen = Look(unit, unit, np.zeros(5), None, None, None)
    signs = agent_policies.drift_signs(seen, CASES["drift"])
    assert [sign.fault for sign in signs] == ([fault] if fault else [])


# --- the adapter ----------------------------------------------------------------------------------


class Uniform:
    """An agent that learns nothing, and may do something wrong."""

    name = "uniform"

    def __init__(self, answer=None, refuses=()):
        self.answer, self.refuses = answer, refuses

    def train(self, make_env, *, steps, temperature, target_entropy, discount, seed):
        self.space = make_env().action_space
        if "unbounded" in self.refuses and not np.isfinite(self.space.low).all():
            raise NotImplementedError("boxes with sides alone")
        if temperature is None:
            raise NotImplementedError
        if self.answer == "raise":
            raise KeyError("terminal_observation")

    def sample(self, observations, n, seed):
        shape = (len(observations), n, self.space.shape[0])
        actions = np.random.default_rng(seed).uniform(-1.0, 1.0, shape)
        if self.answer == "nan":
            actions[0, 0] = np.nan
        return taken_of(self.space, actions)[:, : n - (self.answer == "short")]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("raise", "raises KeyError"),
        ("nan", "not finite (NaN or inf)"),
        ("short", "unusable answer"),
    ],
)
def test_whatever_an_agent_does_ends_up_in_the_report(answer, fault):
    report = testing.check_agent(Uniform(answer), cases=["values"], steps=100)
    assert report.faults == (fault,) and not report.passed
    with pytest.raises(maxent.errors.MaxEntError, match="mistake"):
        report.raise_if_failed()


def test_what_an_agent_does_not_offer_is_told_and_no_mistake():
    agent = Uniform(refuses=["unbounded"])
    report = testing.check_agent(
        agent, cases=["values", "truncation", "temperature", "unbounded"], steps=100
    )
    assert "no q" in report.not_checked["values"] and "no q" in report.not_checked["truncation"]
    assert report.not_checked["unbounded"] == "boxes with sides alone"
    assert "temperature" in report.not_checked
    assert report.faults == (faults.POLICY_DIFFERS,) or "temperature" in report.faults[0]
    read = json.loads(json.dumps(report.to_dict()))
    assert read["agent"] == "uniform" and read["findings"][0]["fault"] == report.faults[0]
    nothing = testing.check_agent(agent, cases=["temperature"], steps=100)
    assert not nothing.passed and "nothing could be checked" in str(nothing)


def test_our_agents_offer_a_density_where_their_policy_has_one():
    case = CASES["values"]
    seen, actions = np.eye(3, dtype=np.float32), np.full((3, 2, 1), 4.0)
    for policy in ("resampled", "sampler"):
        small = {"hidden": (8,), "batch_size": 4, "learning_starts": 10}
        agent = testing.our_agent("sql", policy=policy, **small)
        how = {"temperature": 0.4, "target_entropy": None, "discount": 0.8, "seed": 0}
        agent.train(case.worlds(20), steps=20, **how)
        if policy == "resampled":
            assert np.isfinite(agent.log_density(seen, actions)).all()
        else:
            with pytest.raises(NotImplementedError):
                agent.log_density(seen, actions)


class Told(Uniform):
    """Its trainings show one thing after the other."""

    def __init__(self, *shown):
        super().__init__()
        self.shown, self.steps = list(shown), []

    def train(self, make_env, **how):
        self.steps.append(how["steps"])
        self.space = make_env().action_space
        self.answer = self.shown.pop(0)
        if self.answer == "key":
            raise KeyError


@pytest.mark.parametrize(
    ("shown", "fault", "steps"),
    [
        (["key", "nan", "key"], "raises KeyError", [100, 100, 100]),
        (["key", "nan", "short"], faults.UNSTABLE, [100, 100, 100]),
        (["key", None, "short"], faults.UNSTABLE, [100, 100, 200]),
        ([None, None, None], faults.POLICY_DIFFERS, [100, 200, 400]),
        (["short", None, "short"], "unusable answer", [100, 100, 200]),
    ],
)
def test_a_mistake_is_told_where_two_trainings_show_it(shown, fault, steps):
    agent = Told(*shown)
    assert testing.check_agent(agent, cases=["values"], steps=100).faults == (fault,)
    assert agent.steps == steps


def test_what_is_no_adapter_or_no_case_is_refused():
    with pytest.raises(maxent.errors.ConfigError, match="no method train"):
        testing.check_agent(maxent.solve)
    with pytest.raises(maxent.errors.ConfigError, match="values"):
        testing.check_agent(Uniform(), cases=["value"])
    with pytest.raises(maxent.errors.ConfigError, match="steps"):
        testing.check_agent(Uniform(), steps=3)
    with pytest.raises(maxent.errors.ConfigError, match="sac"):
        testing.our_agent("sax")


# --- agents that learn ----------------------------------------------------------------------------


SMALL = {"batch": 32, "hidden": (24, 24), "rate": 5e-3}


def test_a_right_agent_passes_and_a_wrong_one_is_told():
    assert testing.check_agent(SmallSac(**SMALL), cases="values", steps=700).passed
    wrong = SmallSac("termination bootstrapped", **SMALL)
    report = testing.check_agent(wrong, cases="values", steps=700)
    assert report.faults == (faults.TERMINATION,)
    assert "E[Q - r] in state 2" in str(report)


def test_the_table_of_names_is_that_of_the_mistakes():
    assert set(NAMED) == set(MISTAKES) and len(MISTAKES) >= 20


SHOWN_IN = {  # all others: in "values"
    "truncation cut": "truncation",
    "next episode's observation": "truncation",
    "tanh clamped": "border",
    "unbounded box squashed": "unbounded",
    "target entropy's sign": "temperature",
    "target entropy of one dimension": "temperature",
    "temperature's loss with the wrong sign": "temperature",
    "temperature not tuned": "temperature",
    "replay normalised at collection": "drift",
    "policy sees other statistics": "drift",
    "observations clipped": "drift",
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_planted_mistake_is_named(mistake):
    case = SHOWN_IN.get(mistake, "values")
    report = testing.check_agent(SmallSac(mistake), cases=case)
    also = {"temperature inverted": {"temperature inverted in the next state's entropy"}}
    assert set(report.faults) == {NAMED[mistake]} | also.get(mistake, set()), str(report)


@pytest.mark.slow
def test_the_whole_suite_names_nothing_else():
    report = testing.check_agent(SmallSac("density in units of the box", **SMALL), steps=1800)
    assert set(report.faults) == {faults.BOX_UNITS, "target entropy in the units of the box"}
    report = testing.check_agent(SmallSac("target frozen", **SMALL), steps=1800)
    assert report.faults == (faults.FROZEN,)


RIGHT = [
    {},
    {"hidden": (64, 64)},
    {"hidden": (24,) * 3},
    {"rate": 1e-3},
    {"rate": 6e-3},
    {"critics": 1},
    {"target_rate": 0.05},
    {"batch": 128},
    {"normalise": True},
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", RIGHT)
def test_no_right_variant_is_told_wrong(settings):
    report = testing.check_agent(SmallSac(**settings), seed=3)
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        ("sac", {}),
        ("sac", {"critics": 1, "hidden": (64, 64), "actor_rate": 1e-3, "critic_rate": 1e-3}),
        ("sac", {"normalize_observations": True}),
        ("sac_v1", {}),
        ("sql", {}),
        ("sac_discrete", {}),
        ("sql_discrete", {}),
    ],
)
def test_our_algorithms_pass(algorithm, settings):
    report = testing.check_agent(testing.our_agent(algorithm, **settings))
    assert report.passed, str(report)
    assert report.seconds < 300.0
