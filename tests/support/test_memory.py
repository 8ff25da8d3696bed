"""The memory that there is: of the machine, or less in a container that is given less."""

import os
import platform
import subprocess
import sys

import pytest

import maxent
from maxent.support import memory


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_DOT_", ".")).write_text(f"{text}\n")


def second(folder, limit, used, cache=0):
    write(
        folder,
        memory_DOT_max=limit,
        memory_DOT_current=used,
        memory_DOT_stat=f"anon 7\ninactive_file {cache}\nactive_file 5",
    )


def first(folder, limit, used, cache=0):
    write(
        folder,
        memory_DOT_limit_in_bytes=limit,
        memory_DOT_usage_in_bytes=used,
        memory_DOT_stat=f"cache 7\ninactive_file 1\ntotal_inactive_file {cache}",
    )


@pytest.fixture
def groups(tmp_path):
    own, root = tmp_path / "cgroup", tmp_path / "groups"
    root.mkdir()
    return own, root


def left(groups):
    return memory._left_in_groups(*groups)


def test_version_2(groups):
    own, root = groups
    own.write_text("0::/user.slice/job\n")
    second(root / "user.slice" / "job", "max", 500)
    assert left(groups) == []
    second(root / "user.slice" / "job", 1000, 600, cache=150)
    second(root / "user.slice", 900, 800)
    assert left(groups) == [550, 100]
    second(root / "user.slice", 900, 1000)
    assert left(groups) == [550, 0]


def test_a_container_whose_path_is_that_of_the_host(groups):
    own, root = groups
    own.write_text("0::/docker/abc\n")
    second(root, 1000, 600)
    assert left(groups) == [400]


def test_version_1(groups):
    own, root = groups
    own.write_text("9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n")
    first(root / "memory", 9223372036854771712, 10)
    first(root / "memory" / "docker" / "abc", 1000, 600, cache=50)
    assert left(groups) == [450, 9223372036854771712 - 10]


def test_a_system_without_groups(groups):
    assert left(groups) == []


def test_the_budget_is_half_of_what_is_left(groups, monkeypatch):
    own, root = groups
    own.write_text("0::/\n")
    second(root, 100_000_000, 60_000_000)
    real = memory._left_in_groups
    monkeypatch.setattr(memory, "_left_in_groups", lambda a, b: real(own, root))
    memory.require_memory(20_000_000, "something")
    with pytest.raises(maxent.MemoryBudgetError, match="half of the memory available"):
        memory.require_memory(20_000_001, "something")


FAULTS = """
import resource
import numpy as np
from maxent.support.memory import keep_freed_memory
keep_freed_memory()
def work():
    for _ in range(10):
        for _ in range(3):
            arrays = [np.ones(2**18) for _ in range(8)]  # 2 MiB each
            del arrays
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
def test_freed_memory_is_kept_unless_the_environment_says_how_it_is():
    def faults(**told):
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
        said = subprocess.run(
            [sys.executable, "-c", FAULTS], env=plain | told, capture_output=True, check=True
        )
        return int(said.stdout)

    arrays = 240  # of hundreds of pages each
    assert faults() < arrays < faults(MALLOC_MMAP_THRESHOLD_="131072")
