"""Episodes as videos, by Gymnasium's own recorder."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import gymnasium
from gymnasium.wrappers import RecordVideo

from maxent.errors import ConfigError
from maxent.support.extras import optional_module
from maxent.support.files import output_folder

DRAWN = ("rgb_array", "rgb_array_list")


@contextmanager
def recorded(env: gymnasium.Env, folder: str | os.PathLike[str]) -> Iterator[gymnasium.Env]:
    """The environment with a video of each episode in a new folder: episode-episode-0.mp4, ...

    Raises ConfigError where it cannot be drawn; OutputExistsError where the folder holds something;
    MissingExtraError without moviepy.
    """
    if env.render_mode not in DRAWN:
        raise ConfigError(
            f"video = {os.fspath(folder)!r} needs an environment made with "
            f"render_mode='rgb_array'; this one has {env.render_mode!r}"
        )
    optional_module("moviepy", "videos need")
    place = output_folder(folder, overwrite=False)
    with warnings.catch_warnings():  # of a folder that is there
        warnings.simplefilter("ignore")
        recorder = RecordVideo(
            env,
            str(place),
            episode_trigger=lambda episode: True,
            name_prefix="episode",
            disable_logger=True,
        )
    try:
        yield recorder
    finally:
        if recorder.recording:
            recorder.stop_recording()
