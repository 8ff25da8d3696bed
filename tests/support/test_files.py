"""Output files: whole or absent, one winner, nothing replaced unasked, whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import maxent
from maxent import plots
from maxent.errors import ConfigError, MaxEntError, OutputExistsError
from maxent.support.files import output_folder, require_output, write_whole


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test works in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names() -> list[str]:
    return sorted(os.listdir())


def write(path, text: str = "new", *, overwrite: bool = False) -> None:
    with write_whole(path, overwrite=overwrite) as staged:
        staged.write_text(text)


def python(code: str, **settings) -> subprocess.CompletedProcess[str]:
    given = {"capture_output": True, "text": True, "timeout": 60} | settings
    return subprocess.run([sys.executable, "-c", code], **given)


# whole or absent


def test_the_file_appears_when_it_is_complete():
    with write_whole("a.txt") as staged:
        staged.write_text("new")
        assert not Path("a.txt").exists()
        assert staged.suffix == ".txt" and staged.parent == Path().resolve()
    assert names() == ["a.txt"] and Path("a.txt").read_text() == "new"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_a_write_that_fails_leaves_everything_as_it_was(raised, overwrite):
    if overwrite:
        Path("a.txt").write_text("old")
    before = names()
    with pytest.raises(raised), write_whole("a.txt", overwrite=overwrite) as staged:
        staged.write_text("half")
        raise raised
    assert names() == before
    assert not overwrite or Path("a.txt").read_text() == "old"


def test_a_signal_in_the_middle_leaves_nothing():
    code = """
import signal
from maxent.support.files import write_whole
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
with write_whole("a.txt") as staged:
    staged.write_text("half")
    signal.raise_signal(signal.SIGINT)
"""
    done = python(code)
    assert done.returncode != 0 and "KeyboardInterrupt" in done.stderr
    assert names() == []


def test_a_full_disk_leaves_everything_as_it_was():
    pytest.importorskip("resource")
    Path("a.npz").write_text("old")
    code = """
import resource, maxent
mdp = maxent.gridworld("four-rooms")
resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
try:
    mdp.save("a.npz", overwrite=True)
except OSError as error:
    print(error.filename, error.strerror)
"""
    done = python(code)
    assert (done.stdout, done.stderr) == ("a.npz File too large\n", "")
    assert names() == ["a.npz"] and Path("a.npz").read_text() == "old"


def test_a_full_disk_on_the_command_line():
    pytest.importorskip("resource")
    code = """
import resource, sys
from maxent.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
sys.exit(main(["solve", "four-rooms", "--temperature", "0.1", "--json", "all.json"]))
"""
    done = python(code)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "maxent: error: 'all.json': File too large\n"
    assert names() == []


def test_another_error_keeps_its_own_file():
    with pytest.raises(FileNotFoundError) as caught, write_whole("a.txt"):
        Path("missing.txt").read_text()
    assert caught.value.filename == "missing.txt"


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_is_respected(umask, mode):
    before = os.umask(umask)
    try:
        write("a.txt")
    finally:
        assert os.umask(before) == umask
    assert Path("a.txt").stat().st_mode & 0o777 == mode


# what is there already


def test_nothing_is_replaced_unasked():
    Path("a.txt").write_text("old")
    with pytest.raises(OutputExistsError, match=r"--overwrite, in Python overwrite=True"):
        write("a.txt")
    assert Path("a.txt").read_text() == "old"
    write("a.txt", overwrite=True)
    assert Path("a.txt").read_text() == "new"


def no_hard_links(*_) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_name_taken_meanwhile_is_kept(links, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", no_hard_links)
    with pytest.raises(OutputExistsError), write_whole("a.txt") as staged:
        staged.write_text("late")
        Path("a.txt").write_text("early")
    assert names() == ["a.txt"] and Path("a.txt").read_text() == "early"
    write("b.txt")
    assert names() == ["a.txt", "b.txt"] and Path("b.txt").read_text() == "new"


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_of_two_writers_exactly_one_wins(links):
    code = f"""
import os, sys, time
from maxent.support.files import OutputExistsError, write_whole
def refused(*_):
    raise PermissionError(1, "Operation not permitted")
if not {links}:
    os.link = refused
sys.stdin.readline()
for round in range(50):
    try:
        with write_whole(f"{{round}}.txt") as staged:
            staged.write_text(sys.argv[1] * 10_000)
    except OutputExistsError:
        print("lost")
    else:
        print("won", round)
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", code, name], stdin=-1, stdout=-1, text=True)
        for name in "ab"
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    told = [writer.communicate(timeout=60)[0].split("\n")[:-1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [len(lines) for lines in told] == [50, 50]
    for number in range(50):
        (winner,) = [name for name, lines in zip("ab", told) if f"won {number}" in lines]
        assert Path(f"{number}.txt").read_text() == winner * 10_000
    assert len(names()) == 50


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing yet"])
def test_a_link_is_followed(there):
    Path("elsewhere").mkdir()
    target = Path("elsewhere/real.txt")
    if there:
        target.write_text("old")
        Path("link.txt").symlink_to(target)
        with pytest.raises(OutputExistsError):
            write("link.txt")
    else:
        Path("link.txt").symlink_to(target)
    write("link.txt", overwrite=there)
    assert Path("link.txt").is_symlink() and target.read_text() == "new"
    assert os.listdir("elsewhere") == ["real.txt"]


def test_a_link_to_itself_or_into_a_missing_folder():
    Path("loop.txt").symlink_to("loop.txt")
    Path("lost.txt").symlink_to("no/folder.txt")
    for name, words in [("loop.txt", "leads nowhere"), ("lost.txt", "does not exist")]:
        with pytest.raises(ConfigError, match=words):
            write(name, overwrite=True)
    assert names() == ["loop.txt", "lost.txt"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_ordinary_file_is_never_replaced(overwrite):
    os.mkfifo("pipe.txt")
    Path("null.png").symlink_to(os.devnull)
    Path("null.npz").symlink_to(os.devnull)
    mdp = maxent.gridworld("S.G", discount=0.9)
    figure = plots.value_map(mdp, maxent.solve(mdp, 0.1))
    for attempt in (
        lambda: write("pipe.txt", overwrite=overwrite),
        lambda: write(os.devnull, overwrite=overwrite),
        lambda: mdp.save("null.npz", overwrite=overwrite),
        lambda: plots.save(figure, "null.png", overwrite=overwrite),
    ):
        with pytest.raises(ConfigError, match="no ordinary file"):
            attempt()
    assert Path("pipe.txt").is_fifo() and Path("null.png").is_symlink()
    assert Path(os.devnull).is_char_device()


# names and places

WRONG = {
    "empty": ("", "empty"),
    "NUL": ("a\0b.txt", "NUL"),
    "too long": ("a" * 252 + ".txt", "255 bytes"),
    "too long in bytes": ("ä" * 130 + ".txt", "255 bytes"),
    "like an option": ("-a.txt", "begins with '-'"),
    "like an option, in a folder": ("./-a.txt", "begins with '-'"),
    "a folder": (".", "is a folder"),
    "in a missing folder": ("no/a.txt", "does not exist"),
    "another ending": ("a.csv", "must end in .txt or .json"),
    "no ending": ("a", "must end in .txt or .json"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_impossible_name_is_told(case):
    path, words = WRONG[case]
    with pytest.raises(ConfigError, match=words):
        require_output(path, True, () if case == "a folder" else (".txt", ".json"))
    assert names() == []


@pytest.mark.parametrize("name", ["a" * 251 + ".txt", "ä.TXT", " .txt", "a\nb.txt", "a.b.txt"])
def test_unusual_names_are_fine(name):
    assert require_output(name, False, (".txt",)) == Path(name)
    write(name)
    assert names() == [name] and Path(name).read_text() == "new"


def test_a_folder_that_may_not_be_written_to():
    """As an ordinary user: root may write anywhere."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o555)
        code = f"""
import os
from maxent.support.files import require_output, output_folder, write_whole
from maxent.errors import ConfigError
if os.getuid() == 0:
    os.setuid(65534)
for attempt in (
    lambda: require_output({place + "/a.txt"!r}, False),
    lambda: write_whole({place + "/a.txt"!r}).__enter__(),
    lambda: output_folder({place + "/new"!r}, False),
    lambda: output_folder({place!r}, True),
):
    try:
        attempt()
    except ConfigError as error:
        print(error)
"""
        done = python(code)
        if done.returncode != 0 and "setuid" in done.stderr:
            pytest.skip("root that may not become another user")
        assert done.stdout.count("may not be written to; choose another\n") == 4, done.stderr
        assert os.listdir(place) == []


def test_a_folder_that_goes_away_is_told():
    Path("sub").mkdir()
    with pytest.raises(FileNotFoundError) as caught, write_whole("sub/a.txt") as staged:
        staged.unlink()
        Path("sub").rmdir()
    assert caught.value.filename == "sub/a.txt"


# folders


def test_an_output_folder_is_created_or_empty():
    assert output_folder("new", False) == Path("new") and Path("new").is_dir()
    assert output_folder("new", False) == Path("new")
    Path("new/mine.txt").write_text("mine")
    with pytest.raises(
        OutputExistsError, match=r"not empty.*--overwrite, in Python overwrite=True"
    ):
        output_folder("new", False)
    assert output_folder("new", True) == Path("new")
    assert os.listdir("new") == ["mine.txt"]


@pytest.mark.parametrize("name", ["", "a\0", "b" * 256, "-new", "no/new", "file", "file/new"])
def test_an_impossible_folder_is_told(name):
    Path("file").write_text("mine")
    with pytest.raises(MaxEntError):
        output_folder(name, True)
    assert names() == ["file"]
