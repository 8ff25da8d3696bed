"""What comes where an optional library is missing: the same error from Python and in the shell."""

import subprocess
import sys

import pytest

from maxent.cli import main
from maxent.errors import MissingExtraError
from maxent.support import extras

HIDE = "import sys; sys.modules[{!r}] = None; import maxent\n"
"""Without the library, as far as Python can tell."""
CALLS = {
    "maxent.train": "torch",
    "maxent.Agent": "safetensors",
    "maxent.load_agent": "torch",
    "from maxent.neural.runs import Run": "torch",
    "maxent.enclose(maxent.gridworld('S.G', discount=0.9), 0.1)": "flint",
    "maxent.check_certificate('proof.json')": "flint",
    "maxent.tradeoff(maxent.gridworld('S.G', discount=0.9), [1.0]).to_frame()": "pandas",
    "maxent.testing.mdps()": "hypothesis",
}
COMMANDS = {
    "train sac --env Pendulum-v1 --steps 9": "torch",
    "train --list": "torch",
    "resume run": "torch",
    "evaluate run": "safetensors",
    "compare run": "torch",
    "diagnose run": "torch",
    "check proof.json": "flint",
}


def _skip_without_what_comes_first(missing):
    """PyTorch is asked for before safetensors is."""
    if missing == "safetensors":
        pytest.importorskip("torch")


@pytest.mark.parametrize("call", CALLS)
def test_from_python(call):
    """In a process of its own: here the modules are loaded already."""
    _skip_without_what_comes_first(CALLS[call])
    attempt = (
        f"try: {call}\n"
        "except maxent.MissingExtraError as error:\n"
        "    assert isinstance(error, maxent.ConfigError) and isinstance(error, ImportError)\n"
        "    print(error)"
    )
    program = HIDE.format(CALLS[call]) + attempt
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    name, source = extras.LIBRARIES[CALLS[call]]
    assert f"{name}, which is not installed: pip install {source}" in done.stdout, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_from_the_shell(command, monkeypatch, capsys):
    _skip_without_what_comes_first(COMMANDS[command])
    monkeypatch.setitem(sys.modules, COMMANDS[command], None)
    assert main(command.split()) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("maxent: error: ") and said.err.count("\n") == 1
    name, source = extras.LIBRARIES[COMMANDS[command]]
    assert f"{name}, which is not installed: pip install {source}" in said.err


def test_a_library_that_is_there_but_broken_says_why(monkeypatch):
    def broken(name):
        raise ImportError("libflint.so.20: cannot open shared object file")

    monkeypatch.setattr(extras.importlib, "import_module", broken)
    with pytest.raises(MissingExtraError, match=r"cannot be imported \(libflint\.so\.20"):
        extras.optional_module("flint", "proofs need")
