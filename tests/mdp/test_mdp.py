"""The MDP: what it accepts, what it stores, that it comes back from a file unchanged."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse

import maxent


def tables(seed=0, n_states=5, n_actions=3):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(n_states), size=(n_states, n_actions))
    return transition, rng.normal(size=(n_states, n_actions, n_states))


def csr(transition):
    return sparse.csr_array(transition.reshape(-1, transition.shape[-1]))


def test_rewards_by_their_dimensions():
    transition, reward = tables()
    by_transition = maxent.MDP(transition, reward, discount=0.9)
    np.testing.assert_allclose(by_transition.reward, (transition * reward).sum(axis=2))
    np.testing.assert_array_equal(by_transition.transition_reward, reward)
    by_action = maxent.MDP(transition, reward[:, :, 0], discount=0.9)
    np.testing.assert_array_equal(by_action.reward, reward[:, :, 0])
    assert by_action.transition_reward is None
    by_state = maxent.MDP(transition, reward[:, 0, 0], discount=0.9)
    np.testing.assert_array_equal(by_state.reward, np.repeat(reward[:, :1, 0], 3, axis=1))
    whole = maxent.MDP(transition, np.ones(5, dtype=int), discount=0)
    assert whole.reward.dtype == np.float64 and whole.discount == 0.0


def test_sparse_rewards_by_transition():
    transition, reward = tables()
    dense = maxent.MDP(transition, reward, discount=0.9)
    for given in (
        maxent.MDP(csr(transition), transition_reward=csr(reward), discount=0.9),
        maxent.MDP(csr(transition), reward, discount=0.9),
        dense.to_sparse(),
    ):
        assert given.is_sparse
        np.testing.assert_allclose(given.reward, dense.reward, atol=1e-15)
        np.testing.assert_array_equal(given.transition_reward.toarray(), reward.reshape(15, 5))
        np.testing.assert_array_equal(given.to_dense().transition, transition)


def test_a_sparse_reward_need_not_store_its_zeros_but_must_keep_to_the_pattern():
    transition = np.array([[[0.5, 0.5, 0.0]], [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]])
    reward = np.zeros((3, 1, 3))
    reward[0, 0, 1] = 4.0
    mdp = maxent.MDP(csr(transition), transition_reward=csr(reward), discount=0.9)
    assert mdp.reward.tolist() == [[2.0], [0.0], [0.0]]
    assert np.array_equal(mdp.transition_reward.indices, mdp.transition.indices)
    reward[0, 0, 2] = 1.0
    with pytest.raises(maxent.ModelError, match="state 0, action 0, next state 2"):
        maxent.MDP(csr(transition), transition_reward=csr(reward), discount=0.9)


def test_duplicate_sparse_entries_are_summed():
    rows = sparse.coo_array(([0.25, 0.75, 1.0], ([0, 0, 1], [1, 1, 1])), shape=(2, 2))
    mdp = maxent.MDP(rows, np.zeros(2), discount=0.9)
    assert mdp.transition.toarray().tolist() == [[0.0, 1.0], [0.0, 1.0]]


def test_action_first_layouts():
    transition, reward = tables()
    expected = maxent.MDP(transition, reward, discount=0.9)
    first = transition.transpose(1, 0, 2)
    paid = reward.transpose(1, 0, 2)
    matrices = [sparse.csr_array(matrix) for matrix in first]
    payments = [sparse.csr_array(matrix) for matrix in paid]
    for mdp in (
        maxent.MDP.from_action_first(first, paid, discount=0.9),
        maxent.MDP.from_action_first(matrices, paid, discount=0.9).to_dense(),
        maxent.MDP.from_action_first(matrices, payments, discount=0.9).to_dense(),
        maxent.MDP.from_action_first(first, payments, discount=0.9),
    ):
        np.testing.assert_allclose(mdp.transition, transition)
        np.testing.assert_allclose(mdp.reward, expected.reward)
    by_action = maxent.MDP.from_action_first(matrices, reward[:, :, 0], discount=0.9)
    np.testing.assert_array_equal(by_action.reward, reward[:, :, 0])
    with pytest.raises(maxent.ModelError, match=r"\(A, S, S\)"):
        maxent.MDP.from_action_first(first[0], paid, discount=0.9)
    with pytest.raises(maxent.ModelError, match="reward has shape"):
        maxent.MDP.from_action_first(first, paid[:2], discount=0.9)
    with pytest.raises(maxent.ModelError, match=r"all must be \(S, S\)"):
        maxent.MDP.from_action_first([matrices[0], matrices[1][:3]], paid, discount=0.9)


def test_terminal_states_by_mask_or_index():
    transition, reward = tables()
    by_index = maxent.MDP(transition, reward, discount=0.9, terminal=[4, 1])
    expected = [False, True, False, False, True]
    by_mask = maxent.MDP(transition, reward, discount=0.9, terminal=by_index.terminal)
    assert by_index.terminal.tolist() == by_mask.terminal.tolist() == expected
    assert (by_index.reward[[1, 4]] == 0).all() and (by_index.transition[[1, 4]] == 0).all()
    np.testing.assert_allclose(by_index.initial_distribution, [1 / 3, 0, 1 / 3, 1 / 3, 0])
    assert by_index.discount_on_arrival.tolist() == [0.9, 0.0, 0.9, 0.9, 0.0]
    for wrong in ([5], [-1], [0.5], "end", [[0]]):
        with pytest.raises(maxent.ModelError, match="terminal"):
            maxent.MDP(transition, reward, discount=0.9, terminal=wrong)
    two = np.full((2, 1, 2), 0.5)
    with pytest.raises(maxent.ModelError, match="could be a mask or a list of states"):
        maxent.MDP(two, np.zeros(2), discount=0.9, terminal=[0, 1])
    all_mask = maxent.MDP(transition, reward, discount=0.9, terminal=[0, 1, 0, 0, 1])
    assert all_mask.terminal.tolist() == by_mask.terminal.tolist()


def test_terminal_rows_and_masked_actions_need_no_transitions():
    transition, reward = tables()
    transition[2] = 0.0
    transition[0, 1] = 0.0
    mask = np.ones((5, 3), dtype=bool)
    mask[0, 1] = False
    reward[0, 1] = -np.inf
    mdp = maxent.MDP(transition, reward, discount=0.9, terminal=[2], action_mask=mask)
    assert mdp.reward[0, 1] == 0.0 and mdp.log_mask[0, 1] == -np.inf
    with pytest.raises(maxent.ModelError, match="state 0, action 1 sum to 0"):
        maxent.MDP(transition, np.zeros(5), discount=0.9, terminal=[2])


def test_inputs_are_copied_and_the_mdp_cannot_be_changed():
    transition, reward = tables()
    given = transition.copy()
    mdp = maxent.MDP(given, reward, discount=0.9)
    given[:] = 0.0
    np.testing.assert_array_equal(mdp.transition, transition)
    with pytest.raises(ValueError, match="read-only"):
        mdp.transition[0, 0, 0] = 1.0
    with pytest.raises(AttributeError):
        mdp.discount = 0.5
    rows = csr(transition)
    lean = maxent.MDP(rows, np.zeros(5), discount=0.9)
    rows.data[:] = 0.0
    assert lean.transition.data.sum() == pytest.approx(15)
    assert copy.deepcopy(mdp) is mdp
    for stored in (mdp, lean):
        back = pickle.loads(pickle.dumps(stored))
        assert back.reward.tobytes() == stored.reward.tobytes()
        with pytest.raises(ValueError, match="read-only"):
            back.reward[:] = 0.0


def test_replace():
    mdp = maxent.garnet(6, 2, discount=0.9, branching=3, transition_rewards=True, terminal=1)
    shorter = mdp.replace(discount=0.5)
    assert shorter.discount == 0.5 and mdp.discount == 0.9
    np.testing.assert_array_equal(
        shorter.transition_reward.toarray(), mdp.transition_reward.toarray()
    )
    richer = mdp.replace(reward=mdp.reward + 1.0)
    assert richer.transition_reward is None
    np.testing.assert_array_equal(richer.reward[:-1], mdp.reward[:-1] + 1.0)
    dense = mdp.to_dense()
    np.testing.assert_array_equal(
        dense.replace(discount=0.5).transition_reward, dense.transition_reward
    )
    with pytest.raises(TypeError, match="gamma"):
        mdp.replace(gamma=0.5)


FILED = {
    "dense": lambda: maxent.garnet(6, 2, discount=0.9, seed=1),
    "dense, by transition": lambda: maxent.garnet(6, 2, discount=0.9, transition_rewards=True),
    "sparse": lambda: maxent.garnet(6, 2, discount=0.9, branching=3, masked=0.4, terminal=2),
    "sparse, by transition": lambda: maxent.garnet(
        6, 2, discount=0.9, branching=3, transition_rewards=True
    ),
    "gridworld": lambda: maxent.gridworld("four-rooms", slip=0.1, discount=0.95),
    "named": lambda: maxent.garnet(2, 2, discount=0.0).replace(
        state_names=["début", "fin"], action_names=["a", "b"]
    ),
}


@pytest.mark.parametrize("name", FILED)
def test_a_saved_mdp_comes_back_bit_for_bit(name, tmp_path):
    mdp = FILED[name]()
    mdp.save(tmp_path / "mdp.npz")
    back = maxent.MDP.load(tmp_path / "mdp.npz")
    for field in ("reward", "initial_distribution", "terminal", "action_mask"):
        np.testing.assert_array_equal(getattr(back, field), getattr(mdp, field))
    for field in ("transition", "transition_reward"):
        a, b = getattr(back, field), getattr(mdp, field)
        if sparse.issparse(b):
            for part in ("data", "indices", "indptr"):
                np.testing.assert_array_equal(getattr(a, part), getattr(b, part))
        elif b is None:
            assert a is None
        else:
            np.testing.assert_array_equal(a, b)
    for field in ("discount", "state_names", "action_names"):
        assert getattr(back, field) == getattr(mdp, field)
    if mdp.grid is not None:
        assert back.grid.text == mdp.grid.text
        np.testing.assert_array_equal(back.grid.cells, mdp.grid.cells)
        np.testing.assert_array_equal(back.grid.moves, mdp.grid.moves)


def test_saving_never_overwrites_unasked_and_leaves_nothing_behind(tmp_path):
    mdp = FILED["dense"]()
    path = tmp_path / "mdp.npz"
    path.write_bytes(b"precious")
    with pytest.raises(maxent.OutputExistsError, match="--overwrite"):
        mdp.save(path)
    with pytest.raises(FileExistsError):
        mdp.save(path)
    assert path.read_bytes() == b"precious"
    mdp.save(path, overwrite=True)
    assert maxent.MDP.load(path).n_states == 6
    with pytest.raises(maxent.ConfigError, match="npz"):
        mdp.save(tmp_path / "mdp.pickle")
    with pytest.raises(maxent.ConfigError, match="does not exist"):
        mdp.save(tmp_path / "nowhere" / "mdp.npz")
    assert [entry.name for entry in tmp_path.iterdir()] == ["mdp.npz"]


def test_a_file_that_is_no_mdp_is_refused(tmp_path):
    truncated = tmp_path / "cut.npz"
    FILED["gridworld"]().save(truncated)
    truncated.write_bytes(truncated.read_bytes()[:-200])
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    empty = tmp_path / "empty.npz"
    empty.write_bytes(b"")
    other = tmp_path / "other.npz"
    np.savez(other, weights=np.ones(3))
    objects = tmp_path / "objects.npz"
    np.savez(objects, format=np.array([{}], dtype=object))
    newer = tmp_path / "newer.npz"
    np.savez(newer, format=np.array("maxent-mdp-9"))
    broken = tmp_path / "broken.npz"
    with np.load(_saved(tmp_path)) as archive:
        arrays = dict(archive)
    arrays["transition.indices"] = arrays["transition.indices"] + 100
    np.savez(broken, **arrays)
    for path in (truncated, text, empty, other, objects, newer, broken):
        with pytest.raises(maxent.ModelError):
            maxent.MDP.load(path)
    with pytest.raises(FileNotFoundError):
        maxent.MDP.load(tmp_path / "missing.npz")


def test_no_damage_escapes_as_anything_but_a_model_error(tmp_path):
    path = _saved(tmp_path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            maxent.MDP.load(path)
        except maxent.ModelError:
            refused += 1
    assert refused > 50  # the rest hit bytes that carry nothing, such as dates
    good = dict(np.load(_again(tmp_path, whole)))
    for name, value in {
        "action_mask": np.array(True),
        "discount": np.array("x"),
        "state_names": np.array("[1"),
        "grid.text": np.array("5"),
        "transition.indptr": np.zeros(3, dtype=int),
    }.items():
        np.savez(path, **(good | {name: value}))
        with pytest.raises(maxent.ModelError):
            maxent.MDP.load(path)
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(maxent.ModelError):
        maxent.MDP.load(tmp_path / "array.npz")


def _again(tmp_path, content):
    path = tmp_path / "again.npz"
    path.write_bytes(content)
    return path


def test_a_reward_by_transition_shares_its_pattern():
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.9)
    assert np.shares_memory(mdp.transition.indices, mdp.transition_reward.indices)


def _saved(tmp_path):
    path = tmp_path / "whole.npz"
    FILED["sparse"]().save(path)
    return path


def test_garnets_are_seeded_and_shaped():
    one, two = (maxent.garnet(20, 3, discount=0.9, branching=4, seed=7) for _ in range(2))
    assert one.transition.data.tobytes() == two.transition.data.tobytes()
    assert (np.diff(one.transition.indptr) == 4).all()
    ends = maxent.garnet(20, 3, discount=0.9, branching=4, terminal=2, absorbing=3)
    assert ends.terminal.sum() == 2
    for state in (15, 16, 17):
        assert ends.transition[[state * 3]].toarray()[0, state] == pytest.approx(1.0)
    assert maxent.garnet(20, 3, discount=0.9, masked=1.0).action_mask.sum() == 20
    for bad in (
        {"terminal": 20},
        {"terminal": 10, "absorbing": 11},
        {"masked": 1.5},
        {"branching": 0},
    ):
        with pytest.raises(maxent.ConfigError):
            maxent.garnet(20, 3, discount=0.9, **bad)


@pytest.mark.parametrize("matrix_free", [False, True])
def test_expectations_are_of_numbers_whatever_their_type(matrix_free):
    world = maxent.gridworld("S.S\n..G", discount=0.9, goals="restart", matrix_free=matrix_free)
    x = np.array([1, 0, 0, 0, 0, 0])
    for same in (x, x.astype(bool), x.astype(np.float32), x.tolist()):
        np.testing.assert_array_equal(world.expect(same), world.expect(x.astype(float)))
    assert world.expect(x).max() == 1.0 and 0.5 in world.expect(x)  # half of the restarts
    with pytest.raises(maxent.ModelError, match="x has shape"):
        world.expect(np.ones(3))


def test_what_solvers_read_cannot_be_written_to():
    world = maxent.gridworld("S.S\n..G", discount=0.9, goals="terminal", matrix_free=True)
    for array in (world.nonterminal, world.directions.target, world.directions.starts):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
