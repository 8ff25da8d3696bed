"""The package as a whole: what imports what, what an import costs, what the public names are."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import maxent

ROOT = Path(maxent.__file__).parent

# Who may import whom, from the ground up: a module may import from its own line and those above.
LAYERS = [
    ["errors"],
    ["files", "frames", "grid", "memory", "proof_checker", "validation"],
    ["storage", "transitions"],
    ["mdp", "solution"],
    [
        "map_text",
        "maps",
        "grid_rules",
        "gridworlds",
        "random_mdps",
        "rendering",
        "registration",
        "environments",
    ],
    ["tabular.operators"],
    ["tabular.bounds"],
    ["tabular.kernels"],
    ["tabular.corrections", "tabular.occupancy", "tabular.worlds"],
    ["simulation", "tabular.estimators", "tabular.rules"],
    ["tabular.loop"],
    ["tabular.choice"],
    ["tabular.restricted", "tabular.finite_horizon", "tabular.solvers"],
    ["tabular.convergence", "tabular.policy_gradient", "tabular.tradeoff", "tabular.reference"],
    ["tabular.learning", "tabular.sampled", "tabular.inverse", "tabular.composition"],
    ["continuous"],
    ["theorems"],
    ["neural.spaces", "neural.networks", "neural.gaussian", "neural.settings", "neural.statistics"],
    ["neural.adam", "neural.replay", "neural.collect", "neural.policies"],
    ["neural.proposals", "neural.stein", "neural.operators"],
    ["neural.losses"],
    ["neural.sac"],
    ["neural.sac_v1", "neural.sac_discrete", "neural.soft_q_learning", "neural.soft_q_discrete"],
    ["neural.algorithms"],
    ["neural.agent", "neural.diagnostics", "neural.composition"],
    ["neural.runs"],
    ["neural.learner"],
    ["neural.training"],
    ["plots"],
    ["learn"],
    ["testing"],
    ["reports"],
    ["tour.problems"],
    ["tour.state"],
    ["tour.solving", "tour.published", "tour.theorems"],
    ["tour.figures"],
    ["tour"],
    ["cli.exit_codes", "cli.arguments", "cli.process"],
    ["cli.model"],
    ["cli.outputs"],
    ["cli.solve", "cli.verify", "cli.check", "cli.tradeoff", "cli.maps", "cli.tour"],
    ["cli.train", "cli.resume", "cli.evaluate", "cli.compare", "cli.diagnose"],
    ["cli.program"],
    ["cli"],
    ["__main__"],
]
HEAVY_ONLY_IN = {  # library: the only modules that may import it
    "matplotlib": ("plots",),
    "gymnasium": (
        "environments",
        "registration",
        "rendering",
        "continuous.environments",
        "neural",
    ),
    "tyro": ("cli",),
    "pandas": ("frames",),
    "flint": ("theorems.balls", "proof_checker"),
    "torch": ("neural",),
}


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imports(path):
    """Every module a file imports, at whatever depth of the code, absolute names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(name):
    for number, names in enumerate(LAYERS):
        if any(name == known or name.startswith(known + ".") for known in names):
            return number
    return None


def test_every_module_has_a_layer():
    unknown = [name for name, _ in modules() if layer(name) is None]
    assert set(unknown) == {"__init__", "neural", "tabular"}  # folders, their pages only


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_imports_point_down(name, path):
    own = layer(name)
    for target in imports(path):
        if not target.startswith("maxent."):
            continue
        other = layer(target.removeprefix("maxent."))
        if own is not None and other is not None:
            assert other <= own, f"maxent.{name} imports {target}, which stands above it"


def test_both_halves_stand_apart_but_for_the_diagnostics():
    exact = ("maxent.tabular", "maxent.theorems", "maxent.continuous")
    for name, path in modules():
        seen = tuple(imports(path))
        if name.startswith("neural") and not name.startswith("neural.diagnostics"):
            assert not [target for target in seen if target.startswith(exact)], name
        if f"maxent.{name}".startswith(exact):
            assert not [target for target in seen if target.startswith("maxent.neural")], name


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_heavy_libraries_stay_where_they_are_used(name, path):
    for target in imports(path):
        allowed = HEAVY_ONLY_IN.get(target.partition(".")[0])
        if allowed is not None:
            assert any(name == room or name.startswith(room + ".") for room in allowed), (
                f"maxent.{name} imports {target}"
            )


def test_no_file_runs_what_it_reads():
    """No pickle, no eval: nothing that a file contains is ever executed."""
    banned = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    for name, path in modules():
        assert not banned & {target.partition(".")[0] for target in imports(path)}, name
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                word = getattr(called, "id", getattr(called, "attr", ""))
                assert not (isinstance(called, ast.Name) and word in {"eval", "exec"}), name
                for keyword in node.keywords:
                    risky = keyword.arg in {"allow_pickle", "shell"}
                    value = getattr(keyword.value, "value", None)
                    assert not (risky and value is not False), name


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_maxent_imports_next_to_nothing():
    loaded = run("import sys, maxent; print(*sorted(sys.modules))").split()
    heavy = {
        "numpy",
        "scipy",
        "matplotlib",
        "torch",
        "gymnasium",
        "numba",
        "pandas",
        "tyro",
        "flint",
    }
    assert not heavy & set(loaded)


def test_solving_needs_neither_figures_nor_environments():
    code = """
import sys, maxent
maxent.solve(maxent.gridworld("four-rooms", discount=0.9), 0.1)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    loaded = set(run(code).split())
    assert not {"matplotlib", "torch", "gymnasium", "pandas", "tyro"} & loaded


def test_every_public_name_resolves_and_is_documented():
    for name in maxent.__all__:
        value = getattr(maxent, name)
        if callable(value):
            assert (value.__doc__ or "").strip(), name
    assert set(maxent.__all__) <= set(dir(maxent))
    with pytest.raises(AttributeError, match="no attribute 'solv'"):
        _ = maxent.solv
    star = {}
    exec("from maxent import *", star)
    assert "solve" in star


def test_an_environment_is_registered_once_gymnasium_is_there():
    for order in ("import gymnasium, maxent", "import maxent, gymnasium"):
        code = f"""
{order}
mdp = maxent.gridworld("four-rooms", discount=0.9)
env = gymnasium.make("maxent/MDP-v0", mdp=mdp)
print(env.reset(seed=1)[0] in env.observation_space)
"""
        assert run(code) == "True"
