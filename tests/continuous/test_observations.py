"""What an agent sees, and what an action number stands for: two fields that an MDP may carry."""

import gymnasium
import numpy as np
import pytest

import maxent

SEEN = np.arange(12.0).reshape(6, 2)
MEANT = np.array([[-1.0, 0.5], [0.0, 2.0], [1.0, 0.0]])


def carrying(sparse=False, **fields):
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0, terminal=1).to_dense()
    mdp = mdp.replace(**{"observations": SEEN, "actions": MEANT} | fields)
    return mdp.to_sparse() if sparse else mdp


def test_left_out_they_are_none():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0)
    assert mdp.observations is None and mdp.actions is None


@pytest.mark.parametrize("sparse", [False, True])
def test_they_are_kept_by_every_copy(sparse, tmp_path):
    mdp = carrying(sparse)
    mdp.save(tmp_path / "kept.npz")
    copies = [mdp.replace(discount=0.5), mdp.to_sparse(), mdp.to_dense()]
    for copy in [*copies, maxent.MDP.load(tmp_path / "kept.npz")]:
        np.testing.assert_array_equal(copy.observations, SEEN)
        np.testing.assert_array_equal(copy.actions, MEANT)
        with pytest.raises(ValueError, match="read-only"):
            copy.observations[0, 0] = 1.0


def test_they_are_copied_and_floats():
    given = np.arange(6).reshape(6, 1)
    mdp = carrying(observations=given)
    given[0, 0] = 7
    assert mdp.observations.dtype == np.float64 and mdp.observations[0, 0] == 0.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"observations": SEEN[:5]}, r"observations has shape \(5, 2\); it must be \(6, d, ...\)"),
        ({"observations": SEEN[:, 0]}, r"a vector of length 1"),
        ({"observations": np.zeros((6, 0))}, r"observations has shape \(6, 0\)"),
        ({"observations": np.full((6, 2), np.nan)}, r"observations at \(0, 0\) is nan"),
        ({"actions": MEANT[:2]}, r"actions has shape \(2, 2\); it must be \(3, d\)"),
        ({"actions": MEANT[:, :, None]}, r"actions has shape \(3, 2, 1\)"),
        ({"actions": [["a"], ["b"], ["c"]]}, "actions has dtype"),
    ],
)
def test_what_does_not_fit_is_refused(fields, message):
    with pytest.raises(maxent.ModelError, match=message):
        carrying(**fields)


def test_the_environment_shows_them():
    mdp = carrying(actions=None)
    env = gymnasium.make("maxent/MDP-v0", mdp=mdp)
    assert env.observation_space == gymnasium.spaces.Box(
        SEEN.min(axis=0), SEEN.max(axis=0), dtype=np.float64
    )
    numbers = gymnasium.make("maxent/MDP-v0", mdp=mdp.replace(observations=None))
    assert numbers.observation_space == gymnasium.spaces.Discrete(6)
    seen, state = env.reset(seed=3)[0], numbers.reset(seed=3)[0]
    for step in range(30):
        np.testing.assert_array_equal(seen, SEEN[state])
        assert env.unwrapped.state == state
        seen, *rest = env.step(step % 3)
        state, *same = numbers.step(step % 3)
        assert rest[:3] == same[:3]
        if rest[1]:
            break
    seen[:] = -1.0  # what an agent does with its copy is its own affair
    assert (mdp.observations >= 0.0).all()
    np.testing.assert_array_equal(env.reset(options={"state": 2})[0], SEEN[2])


def test_images_are_observations_too():
    mdp = carrying(observations=np.random.default_rng(0).random((6, 4, 5)))
    env = gymnasium.make("maxent/MDP-v0", mdp=mdp)
    assert env.reset(seed=0)[0].shape == (4, 5)
