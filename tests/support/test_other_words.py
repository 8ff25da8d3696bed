"""Words of other libraries: every error names ours, and the page of the docs has the same table."""

import inspect
from pathlib import Path

import pytest

import maxent
from maxent.cli import main
from maxent.cli.train import SETTINGS
from maxent.support import other_words
from maxent.support.other_words import WORDS, hint

pytest.importorskip("torch")  # words of the neural half too
PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
SOLVERS = [
    maxent.solve,
    maxent.soft_value_iteration,
    maxent.soft_policy_iteration,
    maxent.modified_soft_policy_iteration,
]
TINY = {"learning_starts": 5, "batch_size": 4, "hidden": (4,)}


@pytest.fixture(scope="module")
def mdp():
    return maxent.gridworld("S.G", discount=0.9)


def test_the_page_holds_the_table():
    assert PAGE.read_text(encoding="utf-8").endswith("\n" + other_words.markdown() + "\n")


def test_attributes_of_other_libraries_are_told_ours(mdp):
    agent = maxent.train("sql", lambda: maxent.MDPEnv(mdp), steps=10, discount=0.9, **TINY)
    page = PAGE.read_text(encoding="utf-8")
    objects = (mdp, maxent.solve(mdp, 0.1), agent)
    for theirs, ours in other_words.ATTRIBUTES.items():
        assert f"`{theirs}`" in page
        having = [each for each in objects if hasattr(each, ours)]
        assert having
        for each in having:
            with pytest.raises(AttributeError, match=f"'{theirs}'; here it is {ours}$"):
                getattr(each, theirs)
    for each in objects:
        with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
            _ = each.nothing
        assert not hasattr(each, "_nothing")


def test_a_word_that_nobody_has_is_not_taken_for_self(mdp):
    with pytest.raises(TypeError, match=r"keyword argument 'slip'$"):
        mdp.replace(slip=0.5)


OURS = {name for meanings in WORDS.values() for names, *_ in meanings for name in names}


def test_every_public_function_that_takes_such_a_word_answers_theirs():
    for name in maxent.__all__:
        function = getattr(maxent, name)
        if not inspect.isfunction(function) or function.__module__ == "maxent.tabular.operators":
            continue  # the formulas stand by themselves
        taken = inspect.signature(function).parameters
        open_ended = any(each.kind is each.VAR_KEYWORD for each in taken.values())
        for word, meanings in WORDS.items():
            meant = {ours for names, *_ in meanings for ours in names} & set(taken)
            if meant and word not in taken and not open_ended:
                with pytest.raises(TypeError, match="here it is"):
                    function(**{word: 1})


def test_every_word_of_ours_is_one():
    from dataclasses import fields

    from maxent.neural.algorithms import ALGORITHMS

    public = [getattr(maxent, name) for name in maxent.__all__ if name != "__version__"]
    known = {
        name
        for each in public
        if inspect.isfunction(each)
        for name in inspect.signature(each).parameters
    }
    known |= set(inspect.signature(maxent.MDP).parameters)
    settings = {field.name for module in ALGORITHMS.values() for field in fields(module.Config)}
    assert OURS - known - settings - {"transitions", "states", "actions"} == set()
    assert set(SETTINGS) == OURS & settings
    assert not set(WORDS) & settings


@pytest.mark.parametrize("solver", SOLVERS, ids=lambda solver: solver.__name__)
@pytest.mark.parametrize(
    "word, words",
    [
        ("tol", "here it is tolerance="),
        ("epsilon", "here it is tolerance="),
        ("max_iter", "here it is max_iterations="),
        ("alpha", "here it is temperature="),
        ("ent_coef", "here it is temperature="),
        ("beta", "here it is temperature=1/beta"),
        ("reward_scale", "here it is temperature=1/reward_scale"),
        ("v_init", "here it is v0="),
        ("temprature", "did you mean 'temperature'?"),
        ("verbose", "here it is progress=True"),
    ],
)
def test_solvers(mdp, solver, word, words):
    for settings in ({}, {"temperature": 0.1}):
        with pytest.raises(TypeError) as error:
            solver(mdp, **settings, **{word: 1.0})
        said = f"{solver.__name__}() got an unexpected keyword argument '{word}'; {words}"
        assert str(error.value) == said


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: maxent.gridworld("S.G", gamma=0.9), "discount="),
        (lambda: maxent.MDP([[[1.0]]], [0.0], gamma=0.9), "discount="),
        (lambda: maxent.MDP([[[1.0]]], [0.0], beta=0.9), "discount="),
        (lambda: maxent.MDP(P=[[[1.0]]], R=[0.0]), "transition="),
        (lambda: maxent.MDP.from_action_first([[[1.0]]], [0.0], gamma=0.9), "discount="),
        (lambda: maxent.from_gymnasium("FrozenLake-v1", gamma=0.9), "discount="),
        (lambda: maxent.train("sac", "Pendulum-v1", total_timesteps=9), "steps="),
        (lambda: maxent.train("sac", env_id="Pendulum-v1", steps=9), "env="),
        (lambda: maxent.average_reward(maxent.MDP([[[1.0]]], [0.0], discount=0), alpha=1), "temp"),
        (lambda: maxent.known_answer("Pendulum-v1", None, None, ent_coef=0.1), "temperature="),
        (lambda: maxent.explore(None, beta=10.0), "temperature=1/beta"),
        (lambda: maxent.resume(tensorboard_log="run"), "run="),
    ],
)
def test_type_errors_elsewhere(call, words):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '.*'; here it is {words}"):
        call()


@pytest.mark.parametrize(
    "setting, words",
    [
        ({"learning_rate": 3e-4}, "actor_rate= and critic_rate="),
        ({"lr": 3e-4}, "actor_rate= and critic_rate="),
        ({"gamma": 0.9}, "discount="),
        ({"tau": 0.01}, "target_rate="),
        ({"ent_coef": "auto"}, "temperature="),
        ({"alpha": 0.1}, "temperature="),
        ({"beta": 10.0}, "temperature=1/beta"),
        ({"reward_scale": 5.0}, "temperature=1/reward_scale"),
        ({"buffer_size": 1000}, "replay_capacity="),
        ({"net_arch": [64]}, "hidden="),
        ({"n_envs": 2}, "num_envs="),
        ({"gradient_steps": 1}, "updates_per_step="),
        ({"autotune": True}, "temperature=None"),
        ({"total_timesteps": 9}, "steps="),
        ({"eval_freq": 100}, "evaluate_every="),
        ({"start_steps": 100}, "learning_starts="),
        ({"utd": 1}, "updates_per_step="),
    ],
)
def test_settings_of_algorithms(setting, words):
    with pytest.raises(maxent.ConfigError, match=f"is unknown; here it is {words}"):
        maxent.train("sac", "Pendulum-v1", steps=9, **TINY, **setting)


def test_a_setting_that_an_algorithm_has_not_is_not_taken_for_another():
    with pytest.raises(maxent.ConfigError, match=r"unknown; sac has nothing of the kind\. Known:"):
        maxent.train("sac", "Pendulum-v1", steps=9, **TINY, target_network_frequency=1)


def test_the_discount_of_a_solver_is_the_mdps(mdp):
    for solver in (maxent.solve, maxent.average_reward, maxent.tradeoff, maxent.verify):
        for word in ("gamma", "discount"):
            with pytest.raises(TypeError, match=r"the MDP's: mdp.replace\(discount=\.\.\.\)"):
                solver(mdp, 0.1, **{word: 0.9})


def test_an_algorithm_without_an_actor():
    with pytest.raises(maxent.ConfigError, match=r"here it is critic_rate=$"):
        maxent.train("sql", "CartPole-v1", steps=9, **TINY, learning_rate=1e-3)


@pytest.mark.parametrize(
    "asked, words",
    [
        ("solve four-rooms --temperature .1 --gamma .9", "--gamma; here it is --discount"),
        ("solve four-rooms --temperature .1 --max-iter 9", "here it is --max-iterations"),
        ("solve four-rooms --tol 1e-9", "here it is --tolerance"),
        ("solve four-rooms --alpha .1", "here it is --temperature"),
        ("solve four-rooms --beta 10", "here it is --temperature 1/beta, or --discount"),
        ("train sac --env Pendulum-v1 --total-timesteps 9", "here it is --steps"),
        ("train sac --env Pendulum-v1 --lr 1e-3", "--set actor_rate= and --set critic_rate="),
        ("train sac --env Pendulum-v1 --buffer_size 9", "here it is --set replay_capacity="),
        ("train sac --env-id Pendulum-v1", "here it is --env"),
        ("train sql --env Pendulum-v1 --policy resampled", "given as --set policy=VALUE"),
        (
            "train sac --env Pendulum-v1 --steps 9 --set learning_rate=1e-3",
            "sac has no setting 'learning_rate'; here it is actor_rate= and critic_rate=",
        ),
    ],
)
def test_the_command_line(asked, words, capsys):
    assert main(asked.split()) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_what_nobody_says():
    assert hint("nonsense", ["temperature"]) == hint("tol", ["temperature"]) == ""


def test_signatures_and_help_are_kept():
    solve = inspect.signature(maxent.solve)
    assert list(solve.parameters)[:3] == ["mdp", "temperature", "prior"]
    assert solve.return_annotation == "Solution"
    assert maxent.solve.__module__ == "maxent.tabular.solvers"
    assert list(inspect.signature(maxent.MDP).parameters)[:2] == ["transition", "reward"]


def test_a_warning_points_at_the_caller(mdp):
    calls = [
        lambda: maxent.solve(mdp, 0.1, max_iterations=1),
        lambda: maxent.soft_policy_evaluation(
            mdp, [0.25] * 4, 0.1, max_iterations=1, method="iterative"
        ),
        lambda: maxent.average_reward(mdp, 0.1, max_iterations=1),
        lambda: maxent.gridworld("S#G", discount=0.9),
        lambda: maxent.gridworld(["#####", "#@ $#", "#####"], legend="sokoban", discount=0.9),
    ]
    for call in calls:
        with pytest.warns(maxent.MaxEntWarning) as caught:
            call()
        assert Path(caught[0].filename) == Path(__file__)


def test_a_word_for_one_names_the_argument_that_takes_several():
    mdp = maxent.gridworld("S.G", discount=0.9)
    with pytest.raises(TypeError, match="here it is temperatures="):
        maxent.tradeoff(mdp, alpha=[0.1])
