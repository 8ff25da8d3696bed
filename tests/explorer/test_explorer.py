"""The interactive gridworld: the page from Python and, in headless Chromium, the page itself."""

import json
import warnings

import numpy as np
import pytest

import maxent
from maxent import cli
from maxent.errors import ConfigError, OutputExistsError

SHORT_SIGHTED = 0.95  # of maps whose own discount is 1, which the explorer does not have


def gridworld(name, **settings):
    own = maxent.MAPS[name].settings["discount"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", maxent.errors.MaxEntWarning)  # goals cut off by wind
        return maxent.gridworld(name, **{"discount": min(own, SHORT_SIGHTED)} | settings)


def test_a_page_is_one_file_with_everything_in_it(tmp_path):
    page = maxent.explore(gridworld("four-rooms"), 0.03, title="a < b")
    assert page.save(tmp_path / "a.html").read_text() == page.page
    assert "<title>a &lt; b</title>" in page.page
    assert not any(word in page.page for word in ("https:", "src=", "@import", "$model"))
    with pytest.raises(OutputExistsError):
        page.save(tmp_path / "a.html")
    with pytest.raises(ConfigError, match=r"\.html"):
        page.save(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("mdp", "temperature", "words"),
    [
        (maxent.garnet(4, 2, seed=0, discount=0.9), 0.1, "maxent.gridworld"),
        (maxent.gridworld("S.G", discount=0.9).replace(reward=np.zeros((3, 4))), 0.1, "changed"),
        (maxent.gridworld("open-50x50"), 0.1, "2,500 states"),
        (maxent.gridworld("S.G", discount=0.9), 11.0, "slider ends"),
        (maxent.gridworld("S.G", discount=0.9), -1.0, "temperature"),
    ],
)
def test_what_cannot_be_explored_is_refused(mdp, temperature, words):
    with pytest.raises(ConfigError, match=words):
        maxent.explore(mdp, temperature)


def test_other_discounts_and_forms_of_a_gridworld_are_still_it():
    mdp = maxent.gridworld("S.G", discount=0.9)
    assert '"discount": 0.5' in maxent.explore(mdp.replace(discount=0.5)).page
    assert maxent.explore(mdp.to_dense()).page == maxent.explore(mdp).page


def test_the_command_writes_the_page(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["explore", "four-rooms", "--out", "a.html"]) == 0
    assert "wrote a.html" in capsys.readouterr().out
    assert cli.main(["explore", "four-rooms", "--out", "a.html"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert cli.main(["explore", "four-rooms"]) == 2
    assert "--out" in capsys.readouterr().err


# in the browser

STATE = """
const { state, mdp, solution, shown, walker } = window.maxentExplorer;
return { v: [...solution.v], policy: [...solution.policy], shown: [...shown.v], error: shown.error,
         temperature: state.temperature, slip: state.world.slip, rows: state.world.rows,
         chosen: state.chosen, sweeps: state.sweeps, mode: state.mode, view: state.view,
         occupancy: [...MaxentModel.occupancy(mdp, solution.policy)],
         alpha: MaxentModel.balance(mdp), walker };
"""
SLIDE = """
const [id, value] = arguments, slider = document.getElementById(id);
slider.value = value;
slider.dispatchEvent(new Event("input"));
"""
SOLVE = """
const [world, temperature] = arguments, mdp = MaxentModel.build(world);
const { v, policy } = MaxentModel.solve(mdp, temperature);
return [[...v], [...policy], [...MaxentModel.occupancy(mdp, policy)], MaxentModel.balance(mdp)];
"""


PRESS_KEYS = """
document.querySelector("[role=gridcell][tabindex='0']").focus();
for (const key of arguments[0]) {
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}
"""
CLICK = "document.querySelector(arguments[0]).click()"
AXE = """
return axe.run().then((r) => r.violations.map((v) => [v.id, v.impact, v.nodes[0].html]));
"""


@pytest.fixture
def page(chromium, tmp_path):
    def opened(mdp, temperature=0.1, **look):
        path = tmp_path / "page.html"
        maxent.explore(mdp, temperature).save(path, overwrite=True)
        chromium.look(**look)
        chromium.open(path)
        return chromium

    return opened


def press(chromium, text):
    chromium.run(
        "[...document.querySelectorAll('button')]"
        ".find((each) => each.textContent === arguments[0]).click()",
        text,
    )


def click_cell(chromium, row, column):
    chromium.run(CLICK, f"[data-row='{row}'][data-column='{column}']")


def choose(chromium, group, name):
    chromium.run(CLICK, f"#{group} input[value='{name}']")


@pytest.mark.browser
@pytest.mark.parametrize("name", maxent.MAPS)
def test_it_agrees_with_python_on_every_named_map(page, name):
    chromium = page(gridworld("corridor"))
    variants = (
        {},
        {"slip": 0.2},
        {"moves": 8, "slip": 0.1},
        {"goals": "absorbing"},
        {"goals": "restart"},
    )
    for settings in (*variants, {"bump_reward": -0.3, "discount": 0.99}):
        mdp = gridworld(name, **settings)
        found = maxent.explore(mdp).page
        data = found.partition('id="world">')[2].partition("</script>")[0]
        world = json.loads(data)["world"]
        for temperature in (0.0, 0.03, 1.0):
            exact = maxent.solve(mdp, temperature, tolerance=2e-10)
            v, policy, visits, alpha = chromium.run(SOLVE, world, temperature)
            live = ~mdp.terminal
            assert np.abs(np.array(v) - exact.v).max() < 1e-9
            policy = np.reshape(policy, exact.policy.shape)
            assert np.abs(policy - exact.policy)[live].max() < 1e-6
            occupancy = maxent.occupancy(mdp, policy / policy.sum(axis=1, keepdims=True)).sum(
                axis=1
            )
            assert np.abs(np.array(visits) - occupancy).max() < 1e-9 / (1.0 - mdp.discount)
        try:
            assert alpha == pytest.approx(maxent.balance_temperature(mdp), rel=1e-9)
        except ConfigError:
            assert alpha is None


@pytest.mark.browser
def test_sliders_walls_and_rewards_change_the_solution(page):
    chromium = page(gridworld("four-rooms"))
    chromium.run(SLIDE, "temperature", -1.5)
    chromium.run(SLIDE, "slip", 0.3)
    chromium.run(SLIDE, "discount", 0.9)
    chromium.run(SLIDE, "step", -0.1)
    chromium.run(SLIDE, "goal", 2.0)
    choose(chromium, "tools", "wall")
    click_cell(chromium, 2, 3)
    now = chromium.run(STATE)
    rows = list(maxent.MAPS["four-rooms"].text.split("\n"))
    rows[2] = rows[2][:3] + "#" + rows[2][4:]
    assert now["rows"] == rows
    changed = {"slip": 0.3, "discount": 0.9, "step_reward": -0.1, "rewards": {"G": 2.0}}
    exact = maxent.solve(maxent.gridworld("\n".join(rows), **changed), 10**-1.5, tolerance=1e-10)
    assert np.abs(np.array(now["v"]) - exact.v).max() < 1e-9
    click_cell(chromium, 2, 3)  # floor again, then a reward there
    choose(chromium, "tools", "reward")
    click_cell(chromium, 2, 3)
    now = chromium.run(STATE)
    rows[2] = rows[2][:3] + "$" + rows[2][4:]
    changed["rewards"]["$"] = 0.5
    exact = maxent.solve(maxent.gridworld("\n".join(rows), **changed), 10**-1.5, tolerance=1e-10)
    assert np.abs(np.array(now["v"]) - exact.v).max() < 1e-9
    assert chromium.complaints() == [] and chromium.external_requests() == []


@pytest.mark.browser
def test_the_iterations_are_those_of_the_theory(page):
    mdp = gridworld("four-rooms", slip=0.1)
    chromium = page(mdp, 0.1)
    choose(chromium, "modes", "value iteration")
    for _ in range(3):
        press(chromium, "Next step")
    now = chromium.run(STATE)
    v = np.zeros(mdp.n_states)
    for _ in range(3):
        v = np.where(mdp.terminal, 0.0, maxent.soft_value(maxent.backup(mdp, v), 0.1))
    assert now["sweeps"] == 3 and np.abs(np.array(now["shown"]) - v).max() < 1e-12
    choose(chromium, "modes", "policy iteration")
    press(chromium, "Next step")
    now = chromium.run(STATE)
    uniform = np.full((mdp.n_states, 4), 0.25)
    first = maxent.soft_policy_evaluation(mdp, uniform, 0.1)
    policy = np.exp(maxent.boltzmann_policy(first.q, 0.1))
    improved = maxent.soft_policy_evaluation(mdp, policy, 0.1, tolerance=1e-10)
    assert np.abs(np.array(now["shown"]) - improved.v).max() < 1e-9
    text = chromium.run("return document.querySelector('#equation').innerText")
    state = mdp.grid.state_at(*now["chosen"])
    assert f"V = {improved.v[state]:.4g}".rstrip("0") in text


@pytest.mark.browser
def test_keys_reach_everything_on_the_map(page):
    chromium = page(gridworld("open-10x10"))
    chromium.run(PRESS_KEYS, ["ArrowRight", "ArrowRight", "ArrowDown", "w"])
    now = chromium.run(STATE)
    assert now["chosen"] != [0, 0] and now["rows"][1][2] == "#"
    label = chromium.run("return document.activeElement.getAttribute('aria-label')")
    assert label.startswith("row 2, column 3: wall")


@pytest.mark.browser
def test_a_link_carries_the_state(page, tmp_path):
    chromium = page(gridworld("two-goals"))
    chromium.run(SLIDE, "temperature", -0.5)
    choose(chromium, "views", "entropy")
    choose(chromium, "tools", "wall")
    click_cell(chromium, 0, 1)
    before = chromium.run(STATE)
    anchor = chromium.run("return location.hash")
    chromium.open(tmp_path / "page.html")
    assert chromium.run(STATE)["v"] != before["v"]
    chromium.run("location.hash = arguments[0]", anchor)
    chromium.run("return new Promise(done => setTimeout(done, 100))")
    after = chromium.run(STATE)
    assert (after["v"], after["view"], after["rows"]) == (before["v"], "entropy", before["rows"])
    chromium.open(tmp_path / "page.html", anchor="#%7Bbroken")
    assert chromium.run(STATE)["view"] == "value" and chromium.complaints() == []


@pytest.mark.browser
def test_the_agent_walks_until_it_arrives(page):
    chromium = page(gridworld("corridor"), 0.01)
    for _ in range(60):
        press(chromium, "One step")
        if (walker := chromium.run(STATE)["walker"])["over"]:
            break
    assert walker["over"] and walker["steps"] > 3
    assert "arrived" in chromium.run("return document.querySelector('#walked').textContent")


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_is_accessible(page, width, dark):
    axe = pytest.importorskip("axe_core_python")
    chromium = page(gridworld("four-rooms", slip=0.1), width=width, dark=dark)
    script = (files_of(axe) / "axe.min.js").read_text()
    for view in ("value", "policy", "entropy", "occupancy"):
        choose(chromium, "views", view)
        chromium.run(script + "; window.axe = axe;")
        found = chromium.run(
            "return axe.run().then(r => r.violations.map(v => [v.id, v.impact, v.nodes[0].html]))"
        )
        assert [each for each in found if each[1] in ("serious", "critical")] == []
    assert chromium.run("return document.documentElement.scrollWidth") <= width
    assert chromium.complaints() == [] and chromium.external_requests() == []


def files_of(module):
    from importlib.resources import files

    return files(module)


@pytest.mark.browser
def test_it_works_embedded_in_a_notebook(chromium, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(
        f"<!doctype html><p>cell</p>{maxent.explore(gridworld('corridor'))._repr_html_()}"
    )
    chromium.look()
    chromium.open(path)
    chromium.driver.switch_to.frame(0)
    assert len(chromium.run(STATE)["v"]) > 3
    chromium.driver.switch_to.default_content()
    assert chromium.complaints() == [] and chromium.external_requests() == []
