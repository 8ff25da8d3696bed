"""Input that is made to do harm, or that does it by accident: refused before it is unpacked."""

import io
import os
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from scipy import sparse

import maxent
from maxent.support import memory

POINTING_OUTSIDE = """
import numpy as np
from scipy import sparse

import maxent

def spoilt():
    for bad in (10**6, -5):
        for kind, part in (("csr", "indices"), ("csr", "indptr"), ("csc", "indices"),
                           ("csc", "indptr"), ("bsr", "indices")):
            matrix = sparse.eye_array(3, format=kind)
            getattr(matrix, part)[1] = bad
            yield matrix
        for made in (sparse.coo_array, sparse.coo_matrix):
            matrix = made(np.eye(3))
            matrix.coords[0][0] = bad
            yield matrix
            matrix = made(np.eye(3))
            matrix.coords[1][0] = bad
            yield matrix
        matrix = sparse.lil_array(np.eye(3))
        matrix.rows[0][0] = bad
        yield matrix
        matrix = sparse.dok_array(np.eye(3))
        matrix._dict[bad, 0] = 1.0
        yield matrix
    for kind in ("csr", "csc", "coo"):
        matrix = sparse.eye_array(3, format=kind)
        matrix.data = matrix.data[:1]
        yield matrix

count = 0
for matrix in spoilt():
    right, reward = sparse.eye_array(3, format="csr"), np.zeros((3, 1))
    for attempt in (
        lambda: maxent.MDP(matrix, reward, discount=0.9),
        lambda: maxent.MDP(right, transition_reward=matrix, discount=0.9),
        lambda: maxent.MDP.from_action_first([matrix], reward, discount=0.9),
        lambda: maxent.MDP.from_action_first([right], [matrix], discount=0.9),
    ):
        try:
            attempt()
        except maxent.ModelError as error:
            assert "not a valid sparse array" in str(error), error
            count += 1
        else:
            raise AssertionError(repr(matrix))
print(count)
"""


def test_indices_out_of_range_are_refused_in_every_format():
    """In a process of its own: without the check, the interpreter crashes."""
    done = subprocess.run([sys.executable, "-c", POINTING_OUTSIDE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 4 * (2 * 11 + 3)


HUGE = np.broadcast_to(0.5, (10**5, 10**5, 10**5))


@pytest.mark.parametrize(
    "settings",
    [
        {"transition": HUGE},
        {"transition": [HUGE[0]] * 3},
        {"reward": HUGE},
        {"reward": np.broadcast_to(0.0, 10**13)},
        {"observations": HUGE},
        {"actions": np.broadcast_to(0.0, (10**13, 2))},
        {"initial_distribution": np.broadcast_to(0.0, 10**13)},
        {"terminal": np.broadcast_to(False, 10**13)},
        {"action_mask": np.broadcast_to(True, (10**13, 1))},
        {"transition": sparse.coo_array((10**11, 10**11))},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_sizes_are_looked_at_before_anything_is_allocated(settings):
    right = {"transition": np.full((3, 1, 3), 1 / 3), "reward": np.zeros((3, 1)), "discount": 0.9}
    with pytest.raises(maxent.MemoryBudgetError, match=f"^{next(iter(settings))}.*GiB"):
        maxent.MDP(**(right | settings))


def test_policies_priors_and_starts_are_looked_at_too():
    mdp = maxent.garnet(3, 2, discount=0.9)
    for attempt in (
        lambda: maxent.soft_policy_evaluation(mdp, HUGE, 0.1),
        lambda: maxent.solve(mdp, 0.1, prior=HUGE),
        lambda: maxent.solve(mdp, 0.1, v0=HUGE),
    ):
        with pytest.raises(maxent.MemoryBudgetError):
            attempt()


class Unreadable:
    """An array to the eye that NumPy cannot read, as a tensor with a gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach() first")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"terminal": [[True], [True, False], []]}, "terminal is not a rectangular"),
        ({"action_mask": [[True], [True, False], []]}, "action_mask is not a rectangular"),
        ({"action_names": 5}, "action_names = 5; give a list of 1 names"),
        ({"state_names": "abc"}, "state_names = 'abc'; give a list of 3 names"),
        ({"reward": Unreadable()}, r"reward cannot be read as an array: call detach\(\) first"),
        ({"terminal": Unreadable()}, "terminal cannot be read"),
    ],
)
def test_what_is_no_array_is_a_model_error(settings, words):
    right = {"transition": np.full((3, 1, 3), 1 / 3), "reward": np.zeros((3, 1)), "discount": 0.9}
    with pytest.raises(maxent.ModelError, match=words):
        maxent.MDP(**(right | settings))


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "mdp.npz"
    maxent.gridworld("S.G", discount=0.9).save(path)
    return path


def add(path, name, content):
    """One more member in an archive."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def npy(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def test_a_member_that_does_not_belong_is_refused(saved):
    add(saved, "more.npy", npy(np.zeros(3)))
    with pytest.raises(maxent.ModelError, match=r"'more\.npy', which MDP\.save does not write"):
        maxent.MDP.load(saved)


def test_an_archive_that_unpacks_beyond_memory_is_refused(saved, monkeypatch):
    add(saved, "observations.npy", npy(np.zeros((2, 5_000_000))))
    assert saved.stat().st_size < 200_000
    monkeypatch.setattr(memory, "_available_memory", lambda: 400_000_000)
    with pytest.raises(maxent.MemoryBudgetError, match=r"the MDP in .*mdp\.npz' needs 0\.22 GiB"):
        maxent.MDP.load(saved)


def test_a_header_that_claims_more_than_there_is_is_refused(saved):
    small, large = npy(np.zeros((3, 1))), npy(np.zeros((3, 10**3)))
    header = large[: len(large) - 8 * 3 * 10**3]
    add(saved, "observations.npy", header + small[-24:])
    with pytest.raises(maxent.ModelError, match="claims an array of"):
        maxent.MDP.load(saved)


def test_what_is_no_ordinary_file_is_refused(tmp_path):
    """A device that never ends, a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(maxent.ModelError, match="no ordinary file"):
            maxent.MDP.load(path)
        with pytest.raises(maxent.ConfigError, match="no ordinary file"):
            maxent.check_certificate(path)


def test_a_path_may_be_bytes(saved):
    mdp = maxent.MDP.load(bytes(saved))
    again = bytes(saved.with_name("again.npz"))
    mdp.save(again)
    assert maxent.MDP.load(again).n_states == mdp.n_states


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("kind", ["grad", "bfloat16", "sparse", "csr", "meta", "complex"])
def test_a_tensor_is_read_or_told(kind):
    torch = pytest.importorskip("torch")
    uniform = torch.full((3, 2), 0.5)
    tensor = {
        "grad": lambda: uniform.requires_grad_(),
        "bfloat16": uniform.bfloat16,
        "sparse": uniform.to_sparse,
        "csr": uniform.to_sparse_csr,
        "meta": lambda: torch.empty(3, 2, device="meta"),
        "complex": lambda: uniform.to(torch.complex64),
    }[kind]()
    mdp = maxent.garnet(3, 2, discount=0.9)
    rows = np.full((3, 2, 3), 1 / 3)
    for attempt in (
        lambda: maxent.soft_policy_evaluation(mdp, tensor, 0.1),
        lambda: maxent.solve(mdp, 0.1, prior=tensor),
        lambda: maxent.occupancy(mdp, tensor),
        lambda: maxent.MDP(rows, tensor, discount=0.9),
    ):
        with pytest.raises(maxent.ModelError, match=r"cannot be read|has dtype|rectangular"):
            attempt()


LONG = np.broadcast_to(1.0, (10**9,))
"""Eight bytes that would be 8 GB as an array of its own."""


@pytest.mark.parametrize(
    "call",
    [
        lambda mdp: maxent.MDP(mdp.transition, LONG, discount=0.9),
        lambda mdp: mdp.replace(initial_distribution=LONG),
        lambda mdp: mdp.replace(observations=LONG),
        lambda mdp: maxent.solve(mdp, 0.1, v0=LONG),
        lambda mdp: maxent.solve(mdp, 0.1, prior=LONG),
        lambda mdp: maxent.occupancy(mdp, LONG),
        lambda mdp: maxent.finite_horizon_evaluation(mdp, LONG, 0.1, 3),
        lambda mdp: maxent.recover_reward(mdp, LONG, 0.1),
        lambda mdp: maxent.known_answer(mdp, np.full((3, 2), 0.5), LONG, 0.1),
    ],
)
def test_the_shape_is_looked_at_before_anything_is_copied(call):
    mdp = maxent.garnet(3, 2, discount=0.9).to_dense()
    tracemalloc.start()
    try:
        with pytest.raises(maxent.ModelError, match=r"shape \(1000000000,\)"):
            call(mdp)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
