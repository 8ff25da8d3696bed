# From a bare Python 3.11 or newer.  The README's two commands:
#   make tour       solve, check and draw, in an environment of its own (no torch)
#   make test       lint, types and the tests
# For development; all of these share one environment:
#   make fast       lint, and tests that touch every room: under a minute on two cores
#   make lint, make types, make tests     the parts of `make test`
#   make notebooks  every notebook from top to bottom, the learner's and the solution
#   make nightly    the slow tests
#   make docs       the site, in build/docs; a warning fails
#   make browser    the site in headless Chromium, if there is one
# `.ci/run` runs all that must pass: lint, types, notebooks, the site, tests.
PYTHON ?= python3
PYTEST = .venv-test/bin/python -m pytest
TWO = -n 2 --dist worksteal
# Two processes on one thread each: more threads than cores would wait for each other.
export OMP_NUM_THREADS ?= 1

FAST = tests/mdp tests/gridworlds tests/support tests/continuous tests/environments tests/reports \
	tests/tabular/test_operators.py tests/tabular/test_bounds.py tests/tabular/test_occupancy.py \
	tests/theorems/test_check.py tests/proofs/test_enclosure.py tests/neural/test_losses.py \
	tests/neural/test_operators.py tests/neural/test_networks.py tests/learn/test_learn.py \
	tests/plots/test_plots_tradeoff.py tests/cli/test_cli.py tests/test_package.py \
	tests/tour/test_tour.py::test_the_default_folder tests/testing/test_testing.py

.PHONY: tour test fast lint types tests notebooks nightly docs browser clean

tour: .venv-tour/ready
	.venv-tour/bin/maxent tour --out tour-output --overwrite

test: lint types tests

fast: lint
	$(PYTEST) $(TWO) -q -m "not slow and not notebook and not browser" $(FAST)

lint: .venv-test/ready
	.venv-test/bin/ruff format --check .
	.venv-test/bin/ruff check .

types: .venv-test/ready
	.venv-test/bin/mypy

tests: .venv-test/ready
	$(PYTEST) $(TWO) -m "not slow and not notebook and not browser"

notebooks: .venv-test/ready
	$(PYTEST) $(TWO) -m notebook tests/learn

nightly: .venv-test/ready
	$(PYTEST) $(TWO) -m slow

docs: .venv-test/ready
	.venv-test/bin/python -m sphinx -W --keep-going -q -E docs build/docs

browser: docs
	$(PYTEST) -q -rs -m browser tests

.venv-tour/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-tour
	.venv-tour/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "."
	touch $@

.venv-test/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[neural,rigorous,data,docs,dev]"
	touch $@

clean:
	rm -rf .venv-tour .venv-test tour-output build
