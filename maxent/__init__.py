"""Maximum-entropy reinforcement learning: exact first, then lifted to networks.

`__init__.pyi` lists the public names, one line each with the module it comes from: type checkers
and editors read it, and so does this file.  A name's module is imported when the name is first
used, so `import maxent` costs next to nothing.
"""

from __future__ import annotations

import importlib
import sys

from maxent.support import moved

__version__ = "0.2.0"


def _public_names() -> dict[str, str]:
    """Each public name with its module, from the lines `from MODULE import NAME as NAME`."""
    stub = __loader__.get_data(f"{__path__[0]}/__init__.pyi")
    lines = [line.split() for line in stub.decode().splitlines()]
    return {words[3]: words[1] for words in lines if words[:1] == ["from"]}


_MODULE_OF = _public_names()
__all__ = sorted([*_MODULE_OF, "__version__"])


def _register_environments() -> None:
    """Make `gymnasium.make("maxent/MDP-v0", mdp=mdp)` work wherever Gymnasium is in use already."""
    if "gymnasium" in sys.modules:
        importlib.import_module("maxent.environments.registration")


def __getattr__(name: str) -> object:
    _register_environments()
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'maxent' has no attribute {name!r}{_suggestion(name)}")
    module = _MODULE_OF[name]
    if module == __name__:  # a room that is a public name itself: `maxent.plots`
        return importlib.import_module(f"{module}.{name}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def _suggestion(name: str) -> str:
    """The public name that was probably meant; nothing for names that only Python asks for."""
    if name.startswith("__"):
        return ""
    from maxent.support.arguments import closest

    return f"; did you mean {meant!r}?" if (meant := closest(name, _MODULE_OF)) else ""


def __dir__() -> list[str]:
    return __all__


_register_environments()
moved.install()
