"""The interactive gridworld: one page that computes in the browser, without a network.

=============  ====================================================================================
`model.js`     the gridworld and its soft solution, as `maxent.gridworld` and `maxent.solve` have
               them
`page.js`      the page: sliders, map, iterations, trade-off, a walk
`page.html`    its skeleton; `page.css`, its looks, light and dark
=============  ====================================================================================
"""

from __future__ import annotations

import html
import json
import math
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.support.arguments import require_kind, require_temperature
from maxent.support.files import require_output, write_whole
from maxent.support.other_words import takes_our_words

MOST_STATES = 2_000
"""Beyond this a browser no longer answers a slider at once."""

HOTTEST, LONGEST_SIGHT = 10.0, 0.999
"""The ends of the sliders of temperature and discount."""


@dataclass(frozen=True)
class Explorer:
    """The page, `page`: shown by itself as the last line of a notebook's cell; `save` writes it."""

    page: str

    def _repr_html_(self) -> str:
        source = html.escape(self.page, quote=True)
        return (
            f'<iframe srcdoc="{source}" sandbox="allow-scripts" title="maxent explorer" '
            'style="width:100%;height:900px;border:1px solid #888"></iframe>'
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the page, whole or not at all, and give its path.

        Raises ConfigError for another ending than .html, OutputExistsError if `path` exists and
        `overwrite` is false.
        """
        target = require_output(path, overwrite, (".html",))
        with write_whole(target, overwrite=overwrite) as temporary:
            temporary.write_text(self.page, encoding="utf-8")
        return target

    def __repr__(self) -> str:
        return (
            f"Explorer({len(self.page) / 1024:.0f} KiB of HTML; save it, or show it in a notebook)"
        )


@takes_our_words
def explore(mdp: MDP, temperature: float = 0.1, *, title: str = "Explorer") -> Explorer:
    """An interactive page of a gridworld: temperature, discount, slip and rewards by slider, walls
    by click; value, policy, entropy and visits; value and policy iteration step by step.

    mdp : as `maxent.gridworld` makes it, of at most 2,000 states; its discount, if above 0.999, is
        shown as 0.999.
    temperature : where the slider begins, from 0 to 10.
    title : of the page.

    The page computes by itself, needs no network, and a link to it carries its state.

    Raises ConfigError for an MDP that is no gridworld, was changed since it was made, or is too
    large.

    >>> import maxent
    >>> maxent.explore(maxent.gridworld("four-rooms"))._repr_html_()[:7]
    '<iframe'
    """
    grid, temperature = require_mdp(mdp).grid, require_temperature(temperature)
    require_kind("title", title, str)
    if grid is None or grid.rules is None:
        raise ConfigError(
            "the explorer needs a gridworld with its settings, as maxent.gridworld(...) makes it: "
            "this MDP is none, or it was changed since, or read from a file"
        )
    if mdp.n_states > MOST_STATES:
        raise ConfigError(
            f"the map has {mdp.n_states:,} states; the explorer computes in a browser and takes at "
            f"most {MOST_STATES:,}"
        )
    if temperature > HOTTEST:
        raise ConfigError(f"temperature = {temperature!r}; the explorer's slider ends at {HOTTEST}")
    named: list[list[float]] = grid.rules["cell_reward"].tolist()
    world = {
        **grid.rules,
        "rows": list(grid.text),
        "discount": min(mdp.discount, LONGEST_SIGHT),
        "cell_reward": [[None if math.isnan(paid) else paid for paid in row] for row in named],
    }
    data = json.dumps({"world": world, "temperature": temperature}).replace("<", "\\u003c")
    here = files("maxent.explorer")

    def part(name: str) -> str:
        return (here / name).read_text(encoding="utf-8")

    page = Template(part("page.html")).substitute(
        title=html.escape(title),
        style=part("page.css"),
        world=data,
        model=part("model.js"),
        page=part("page.js"),
    )
    return Explorer(page)
