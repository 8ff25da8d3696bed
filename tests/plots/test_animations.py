"""GIFs: frames that say what they show, whole files, the same bytes, no display."""

import os
import subprocess
import sys
import time

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageSequence

import maxent
from maxent import plots
from maxent.plots.maps import animations, gifs


def small():
    return maxent.gridworld("russell-norvig-4x3", discount=0.9)


def frames(path):
    with Image.open(path) as image:
        assert image.format == "GIF" and image.info["loop"] == 0
        return [
            (np.array(frame.convert("RGB")), frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
        ]


@pytest.fixture
def titles(monkeypatch):
    """The titles of the frames, as they are drawn."""
    seen = []
    original = gifs.write_gif

    def write(destination, overwrite, mdp, shown, draw, *rest):
        def spy(ax, frame):
            seen.append(draw(ax, frame))
            return seen[-1]

        result = original(destination, overwrite, mdp, shown, spy, *rest)
        del seen[0]  # the frame that settles the layout
        return result

    monkeypatch.setattr(gifs, "write_gif", write)
    return seen


def test_iterations_tell_their_error_and_its_bound(tmp_path, titles):
    mdp = small()
    path = tmp_path / "sweeps.gif"
    assert plots.animate_iterations(mdp, 0.1, path, frames=8, fps=5.0, dpi=50) == path
    record = []
    solution = maxent.soft_value_iteration(mdp, 0.1, callback=record.append)
    shown = frames(path)
    assert len(shown) == len(titles) == 8
    assert [duration for _, duration in shown] == [200] * 7 + [2000]
    assert titles[0].endswith(f"iteration 0: error {np.abs(solution.v).max():.2g}, start")
    optimum = maxent.soft_policy_iteration(mdp, 0.1).v
    for title in titles[1:]:
        count = int(title.split("iteration ")[-1].split(":")[0])
        error = float(title.split("error ")[1].split(",")[0])
        bound = float(title.split("certified ≤ ")[1])
        assert bound == pytest.approx(record[count - 1].error_bound, rel=0.06)
        truth = np.abs(record[count - 1].v - optimum).max()
        assert error == pytest.approx(truth, rel=0.06, abs=1e-9) and error <= bound
        assert title.split("\n")[:2] == [
            "soft value iteration: russell-norvig-4x3, slip 0.2",
            "temperature 0.1, discount 0.9",
        ]
    assert f"iteration {solution.iterations}:" in titles[-1]
    assert any((shown[0][0] != other).any() for other, _ in shown[1:])


def test_an_exact_hit_is_not_called_error_zero(tmp_path, titles):
    solver = maxent.soft_policy_iteration
    plots.animate_iterations(small(), 0.1, tmp_path / "newton.gif", solver=solver, dpi=40)
    assert "error 0," not in "".join(titles) and "soft policy iteration" in titles[0]
    assert len(titles) < 15


def test_few_frames_are_first_and_last():
    record = animations._Record(np.zeros(2))
    for count in range(1, 1001):
        record(maxent.Iteration(count, np.full(2, float(count)), 1.0, 1.0, -1.0, 1.0))
    assert len(record.kept) < 100
    for most in (2, 5, 40):
        chosen = record.chosen(most)
        assert len(chosen) == most and chosen[0][0] == 0 and chosen[-1][0] == 1000
        assert (np.diff([count for count, _, _ in chosen]) > 0).all()
        assert all((v == count).all() for count, v, _ in chosen)


def test_rollouts_follow_the_policy(tmp_path, titles, monkeypatch):
    mdp = maxent.gridworld("S..G", discount=0.9)
    right = np.zeros((4, 4))
    right[:, mdp.action_names.index("right")] = 1.0
    plots.animate_rollouts(mdp, right, tmp_path / "walk.gif", episodes=3, seed=1, dpi=50)
    assert [title.split("\n")[-1] for title in titles] == [
        "step 0, 0 of 3 ended",
        "step 1, 0 of 3 ended",
        "step 2, 0 of 3 ended",
        "step 3, 3 of 3 ended",
    ]
    assert titles[0].startswith("Rollouts, seed 1\ndiscount 0.9\n")
    assert len(frames(tmp_path / "walk.gif")) == 4


def test_agents_are_drawn_where_they_are():
    mdp = small()
    policy = maxent.solve(mdp, 0.3).policy
    runs = maxent.simulate(mdp, policy, episodes=3, seed=2, horizon=9, trajectories=True)
    figure = mpl.figure.Figure()
    ax = figure.add_subplot()
    animations._on_map(ax, mdp, policy, runs, 5)
    agents = [line for line in ax.lines if line.get_zorder() == 8]
    for episode, agent in enumerate(agents):
        state = runs.states[episode, min(5, runs.lengths[episode])]
        x, y = (float(part[0]) for part in agent.get_data())
        assert (round(y), round(x)) == tuple(mdp.grid.cells[state])
    assert len({agent.get_marker() for agent in agents}) == 3
    offsets = animations._offsets(12)
    assert min(np.linalg.norm(offsets[0] - other) for other in offsets[1:]) > 0.1


def test_the_same_input_gives_the_same_bytes(tmp_path):
    mdp = small()
    solution = maxent.solve(mdp, 0.1)
    before = dict(mpl.rcParams)
    for name in ("a", "b"):
        plots.animate_rollouts(mdp, solution, tmp_path / f"{name}.gif", seed=3, max_steps=6, dpi=50)
        plots.animate_iterations(mdp, 0.1, tmp_path / f"{name}v.gif", frames=4, dpi=50)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    assert (tmp_path / "av.gif").read_bytes() == (tmp_path / "bv.gif").read_bytes()
    plots.animate_rollouts(mdp, solution, tmp_path / "c.gif", seed=4, max_steps=6, dpi=50)
    assert (tmp_path / "a.gif").read_bytes() != (tmp_path / "c.gif").read_bytes()
    assert dict(mpl.rcParams) == before


def test_four_rooms_is_small_and_quick(tmp_path):
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    started = time.process_time()
    plots.animate_iterations(mdp, 0.02, tmp_path / "v.gif")
    plots.animate_rollouts(mdp, maxent.solve(mdp, 0.02), tmp_path / "r.gif")
    assert time.process_time() - started < 60.0
    for name in ("v.gif", "r.gif"):
        assert (tmp_path / name).stat().st_size < 2_000_000
    image, _ = frames(tmp_path / "v.gif")[0]
    assert (image[0] == 255).all()  # paper is white


@pytest.mark.parametrize("n_states", [8, 40])
def test_without_a_map(tmp_path, titles, n_states):
    mdp = maxent.garnet(n_states, 3, discount=0.9, seed=2)
    plots.animate_iterations(mdp, 0.3, tmp_path / "v.gif", frames=3, dpi=50)
    plots.animate_rollouts(mdp, maxent.solve(mdp, 0.3), tmp_path / "r.gif", max_steps=3, dpi=50)
    assert len(frames(tmp_path / "v.gif")) == 3 and len(frames(tmp_path / "r.gif")) == 4
    assert titles[-1].endswith("step 3")  # nothing can end here


def test_files_are_whole_or_absent(tmp_path, monkeypatch):
    mdp, path = small(), tmp_path / "a.gif"
    path.write_bytes(b"precious")
    for animate, what in ((plots.animate_iterations, 0.1), (plots.animate_rollouts, None)):
        given = np.full((11, 4), 0.25) if what is None else what
        with pytest.raises(maxent.OutputExistsError, match="overwrite"):
            animate(mdp, given, path)
        with pytest.raises(maxent.ConfigError, match=r"end it in \.gif"):
            animate(mdp, given, tmp_path / "a.png")
        assert path.read_bytes() == b"precious"
    plots.animate_iterations(mdp, 0.1, path, frames=2, dpi=40, overwrite=True)
    assert path.read_bytes().startswith(b"GIF89a")

    def full(image, staged, **kwargs):
        staged.write_bytes(b"GIF89a, half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="disk full"):
        plots.animate_iterations(mdp, 0.1, tmp_path / "b.gif", frames=2, dpi=40)
    assert [file.name for file in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("settings", [{"frames": 0}, {"frames": 201}, {"fps": 0.0}, {"dpi": -1.0}])
def test_bad_settings_of_iterations(tmp_path, settings):
    with pytest.raises(maxent.ConfigError, match=next(iter(settings))):
        plots.animate_iterations(small(), 0.1, tmp_path / "a.gif", **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [{"episodes": 13}, {"max_steps": 0}, {"seed": -1}])
def test_bad_settings_of_rollouts(tmp_path, settings):
    with pytest.raises(maxent.ConfigError, match=next(iter(settings))):
        plots.animate_rollouts(small(), np.full((11, 4), 0.25), tmp_path / "a.gif", **settings)
    assert list(tmp_path.iterdir()) == []


def test_no_display_and_no_pyplot(tmp_path):
    code = f"""
import sys, maxent
from maxent import plots
mdp = maxent.gridworld("corridor")
plots.animate_iterations(mdp, 0.1, {str(tmp_path / "a.gif")!r}, frames=2, dpi=40)
print("matplotlib.pyplot" in sys.modules)
"""
    settings = {k: v for k, v in os.environ.items() if k != "DISPLAY"} | {"MPLBACKEND": "TkAgg"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=settings, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"
