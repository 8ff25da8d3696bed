"""`read_model`: the explicit files of PRISM and Storm."""

import numpy as np
import pytest

import maxent
from maxent.cli import main

# Two choices in state 0, a goal that loops, a state without transitions; as PRISM exports it.
PRISM = "4 4 5\n0 0 1 0.5 safe\n0 0 2 0.5 safe\n0 1 3 1 risky\n1 0 0 1 safe\n2 0 2 1 safe\n"
STORM = "mdp\n" + PRISM.partition("\n")[2].replace(" safe", "").replace(" risky", "")
LABELS = '0="init" 1="deadlock" 2="goal"\n0: 0\n2: 2\n3: 1\n'
STORM_LABELS = "#DECLARATION\ninit deadlock goal\n#END\n0 init\n2 goal\n3 deadlock\n"


@pytest.fixture
def files(tmp_path):
    def write(**texts):
        for ending, text in texts.items():
            (tmp_path / f"model.{ending.replace('_', '.')}").write_text(text)
        return tmp_path / "model.tra"

    return write


@pytest.mark.parametrize("text", [PRISM, STORM, "# a comment\n" + STORM, STORM.partition("\n")[2]])
@pytest.mark.parametrize("labels", [LABELS, STORM_LABELS])
def test_transitions_and_labels(files, text, labels):
    mdp = maxent.read_model(files(tra=text, lab=labels), discount=0.9)
    assert mdp.transition.toarray()[0].tolist() == [0.0, 0.5, 0.5, 0.0]
    assert mdp.transition.toarray()[1].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert mdp.action_mask[:3].tolist() == [[True, True], [True, False], [True, False]]
    assert mdp.terminal.tolist() == [False, False, False, True]
    assert mdp.initial_distribution.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert (mdp.reward == 0.0).all()
    assert mdp.action_names == (("safe", "risky") if text is PRISM else None)
    ended = maxent.read_model(files(), discount=0.9, terminal="goal")
    assert ended.terminal.tolist() == [False, False, True, True]
    assert maxent.read_model(files(), discount=0.9, terminal=[2]).terminal[2]


@pytest.mark.parametrize("header", ["", "4 2\n"])
def test_rewards_of_states(files, header):
    mdp = maxent.read_model(files(tra=PRISM, rew=header + "1 2.5\n3 9\n"), discount=0.9)
    assert mdp.reward.tolist() == [[0.0, 0.0], [2.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert mdp.initial_distribution.tolist() == [1 / 3, 1 / 3, 1 / 3, 0.0]


@pytest.mark.parametrize("header", ["", "4 5 1\n"])
def test_rewards_of_choices(files, header):
    mdp = maxent.read_model(files(tra=PRISM, rew=header + "0 1 -4\n"), discount=0.9)
    assert mdp.reward[0].tolist() == [0.0, -4.0]


@pytest.mark.parametrize("header", ["", "4 5 2\n"])
def test_rewards_of_transitions(files, header):
    rewards = header + "0 0 2 8\n1 0 0 1\n"
    mdp = maxent.read_model(files(tra=PRISM, rew=rewards, srew="4 1\n0 1\n"), discount=0.9)
    assert mdp.reward.tolist() == [[5.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert mdp.transition_reward.toarray()[0].tolist() == [0.0, 1.0, 9.0, 0.0]


@pytest.mark.parametrize("text", ["2 3\n", "dtmc\n", ""])
def test_a_markov_chain(files, text):
    path = files(tra=text + "0 0 0.5\n0 1 0.5\n1 1 1\n", rew="0 1\n", trans_rew="0 1 2\n")
    mdp = maxent.read_model(path, discount=0.5)
    assert mdp.n_actions == 1 and mdp.reward[:, 0].tolist() == [2.0, 0.0]
    np.testing.assert_allclose(maxent.solve(mdp, 0.0).v, [2 / 0.75, 0.0], atol=1e-8)


@pytest.mark.parametrize(
    "texts, words",
    [
        ({"tra": "ctmc\n0 1 3.5\n"}, "kind 'ctmc'; an MDP or a DTMC"),
        ({"tra": ""}, "holds no transitions"),
        ({"tra": "2 2 2\n0 0 1 x\n"}, "model.tra, line 2: '0 0 1 x'; a line is state choice"),
        ({"tra": "2 2 2\n0 0 5 1\n"}, "line 2: state 5 of 2 states"),
        ({"tra": "2 2 3\n0 0 1 1\n1 0 1 1\n"}, "2 transitions where its first line says 3"),
        ({"tra": "2 2\n0 0 1\n"}, "1 transitions where its first line says 2"),
        ({"tra": "2 2 2\n0 0 1 nan\n1 0 1 1\n"}, "line 2: '0 0 1 nan'"),
        ({"tra": "2 2 3\n0 0 0 .3333333\n0 0 1 .6666666\n1 0 1 1\n"}, "17 significant digits"),
        ({"tra": "2 2 2\n0 0 1 0.5\n1 0 1 1\n"}, "state 0, action 0 sum to 0.5"),
        ({"tra": PRISM, "rew": "7 1\n"}, "model.rew, line 1: '7 1' is no reward of a state"),
        ({"tra": PRISM, "rew": "0 0 3 1\n"}, "'0 0 3 1' is no reward"),
    ],
)
def test_bad_files(files, texts, words):
    with pytest.raises(maxent.ModelError, match=words):
        maxent.read_model(files(**texts), discount=0.9)


def test_sizes_are_looked_at_before_anything_is_allocated(files):
    for text in ("99999999999 1 1\n0 0 0 1\n", "mdp\n0 99999999999 0 1\n"):
        with pytest.raises(maxent.MemoryBudgetError, match=r"model\.tra with .* needs"):
            maxent.read_model(files(tra=text), discount=0.9)


def test_bad_arguments(files, tmp_path):
    path = files(tra=PRISM, lab=LABELS)
    with pytest.raises(maxent.ConfigError, match=r"'end' is no label of .*: init, goal"):
        maxent.read_model(path, discount=0.9, terminal="end")
    with pytest.raises(maxent.ConfigError, match=r"does not end in \.tra"):
        maxent.read_model(tmp_path / "model.lab", discount=0.9)
    with pytest.raises(maxent.ModelError, match="no ordinary file"):
        maxent.read_model(tmp_path / "none.tra", discount=0.9)


def test_the_command_line(files, capsys):
    path = str(files(tra=PRISM, lab=LABELS, rew="0 1 -4\n"))
    asked = ["solve", path, "--temperature", "0.1"]
    assert main(asked) == 2 and "add, say, --discount" in capsys.readouterr().err
    assert main([*asked, "--discount", "0.9"]) == 0
    assert "4 states, 2 actions, 1 terminal" in capsys.readouterr().out
    for terminal in ("goal", "2"):
        assert main([*asked, "--discount", "0.9", "--terminal", terminal]) == 0
        assert "2 terminal" in capsys.readouterr().out
    assert main([*asked, "--discount", "0.9", "--slip", "0.1"]) == 2
    assert "--slip does not concern a .tra file" in capsys.readouterr().err
