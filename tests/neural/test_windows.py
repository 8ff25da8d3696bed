"""The package where the system has no fcntl, no fork and none of POSIX's other calls: Windows."""

import os
import subprocess
import sys

PROGRAM = """
import multiprocessing, os, subprocess, sys, types  # which choose their system when imported
import gymnasium, scipy.sparse.linalg, scipy.stats, torch

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource", "pwd", "grp", "termios"):
            raise ImportError(f"no module named {name!r}", name=name)

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Blocker())
for name in (
    *("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "register_at_fork", "fork", "uname"),
    *("sysconf", "statvfs", "getuid", "geteuid", "getpgid", "killpg", "setsid", "mkfifo"),
    *("sched_getaffinity", "getloadavg", "fchown", "chown", "pread", "pwrite", "lockf"),
):
    if hasattr(os, name):
        delattr(os, name)

holders = {}  # the file -> the handle that locked its byte; closing that lets go

def file_of(handle):
    status = os.fstat(handle)
    return status.st_dev, status.st_ino

def locking(handle, mode, size):
    assert (mode, size) == (msvcrt.LK_NBLCK, 1) and os.lseek(handle, 0, os.SEEK_CUR) > 2**20
    holder = holders.get(file_of(handle), handle)
    try:
        taken = holder != handle and file_of(holder) == file_of(handle)
    except OSError:
        taken = False
    if taken:
        raise PermissionError(13, "Permission denied")
    holders[file_of(handle)] = handle

msvcrt = types.ModuleType("msvcrt")
msvcrt.LK_UNLCK, msvcrt.LK_LOCK, msvcrt.LK_NBLCK, msvcrt.locking = 0, 1, 2, locking
sys.modules["msvcrt"] = msvcrt

import maxent
from maxent import reports
from maxent.errors import RunLockedError
from maxent.neural.runs import Run

settings = {"hidden": (8,), "batch_size": 8, "learning_starts": 5}
agent = maxent.train("sac", "maxent/LQR-v0", steps=30, run="run", log_every=10, **settings)
assert agent.steps == 30, agent.steps
with Run.open("run"):
    try:
        maxent.resume("run", steps=40)
    except RunLockedError as error:
        assert f"process {os.getpid()};" in str(error), error
    else:
        raise AssertionError("a run in use was gone on with")
assert maxent.resume("run", steps=40).steps == 40
assert len(holders) == 1, holders  # every lock was asked of msvcrt
agent = maxent.load_agent("run")
print(agent.steps, agent.evaluate(episodes=2).returns.shape)
maxent.train("sac", "maxent/LQR-v0", steps=30, run="run", overwrite=True, **settings)

mdp = maxent.garnet(5, 2, discount=0.9)
mdp.save("mdp.npz")
report = maxent.verify(maxent.MDP.load("mdp.npz"), 0.5)
reports.write_text(str(report), "report.txt", overwrite=False)
print(open("report.txt", encoding="utf-8").read() == str(report))
"""


def test_runs_and_files_without_the_calls_of_posix(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["40 (2,)", "True"]
