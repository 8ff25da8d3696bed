# From a bare Python 3.11 or newer.  The README's two commands:
#   make tour       solve, check and draw, in an environment of its own (no torch)
#   make test       lint, types and the tests
# For development; all of these share one environment:
#   make fast       lint, and tests that touch every room: under a minute on two cores
#   make lint, make types, make tests     the parts of `make test`
#   make notebooks  every notebook from top to bottom, the learner's and the solution
#   make figures    all figures of the course in one PDF, build/course-figures.pdf
#   make floor      the tests with the lowest versions that pyproject.toml allows
#   make pythons    the tests of the exact half with each newer Python that is found here
#   make wheel      builds source distribution and wheel, installs the wheel alone and takes its tour
#   make nightly    the slow tests and these three
#   make docs       the site, in build/docs; a warning fails
#   make browser    the site in headless Chromium, if there is one
# `.ci/run` runs all that must pass: lint, types, notebooks, the site, tests.
PYTHON ?= python3
PYTEST = .venv-test/bin/python -m pytest
TWO = -n 2 --dist worksteal
QUICK = not slow and not notebook and not browser
# Two processes on one thread each: more threads than cores would wait for each other.
export OMP_NUM_THREADS ?= 1

FAST = tests/mdp tests/gridworlds tests/support tests/continuous tests/environments tests/reports \
	tests/tabular/test_operators.py tests/tabular/test_bounds.py tests/tabular/test_occupancy.py \
	tests/theorems/test_check.py tests/proofs/test_enclosure.py tests/neural/test_losses.py \
	tests/neural/test_operators.py tests/neural/test_networks.py tests/learn/test_learn.py \
	tests/plots/test_plots_tradeoff.py tests/cli/test_cli.py tests/test_package.py \
	tests/tour/test_tour.py::test_the_default_folder tests/testing/test_testing.py

ALL = ".[fast,flows,neural,rigorous,data,docs,dev]"
WITHOUT_TORCH = ".[fast,rigorous,data,dev]"
PYTHONS ?= python3.12 python3.13
# Without torch: everything but the neural half and what draws, checks or documents it.
EXACT = tests/mdp tests/gridworlds tests/environments tests/support tests/tabular tests/plots \
	tests/proofs tests/reports tests/testing tests/tour --ignore=tests/testing/test_agent_check.py

# $(call install,ENVIRONMENT,CONSTRAINTS,WHAT): the packages, to the version.
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check -c $(2) $(3)
# $(call install_torch,ENVIRONMENT,CONSTRAINTS): without CUDA where there is no such card.  On Linux the
# usual index may have torch only with CUDA (5 GB); PyTorch's own index has it without.
define install_torch
index=$$(if ! command -v nvidia-smi >/dev/null && $(1)/bin/python -m pip install --dry-run --quiet \
	--report - --disable-pip-version-check -c $(2) torch 2>/dev/null | grep -q '"name": "nvidia'; \
	then echo "--index-url https://download.pytorch.org/whl/cpu"; fi); \
$(call install,$(1),$(2),$$index torch)
endef

.PHONY: tour test fast lint types tests notebooks figures floor pythons wheel nightly docs browser clean

tour: .venv-tour/ready
	.venv-tour/bin/maxent tour --out tour-output --overwrite

test: lint types tests

fast: lint
	$(PYTEST) $(TWO) -q -m "$(QUICK)" $(FAST)

lint: .venv-test/ready
	.venv-test/bin/ruff format --check .
	.venv-test/bin/ruff check .

types: .venv-test/ready
	.venv-test/bin/mypy

tests: .venv-test/ready
	$(PYTEST) $(TWO) -m "$(QUICK)"

notebooks: .venv-test/ready
	$(PYTEST) $(TWO) -m notebook tests/learn

figures: .venv-test/ready
	mkdir -p build
	.venv-test/bin/python notebooks/figures.py build/course-figures.pdf

floor: .venv-floor/ready
	.venv-floor/bin/python -m pytest $(TWO) -q -m "$(QUICK)"

pythons:
	@for python in $(PYTHONS); do \
		if ! $$python -c "" 2>/dev/null; then echo "$$python: not found, not run"; continue; fi; \
		echo "$$python" && rm -rf .venv-python && $$python -m venv .venv-python \
		&& $(call install,.venv-python,constraints.txt,-e $(WITHOUT_TORCH)) \
		&& .venv-python/bin/python -m pytest $(TWO) -q -m "$(QUICK)" $(EXACT) \
		|| exit 1; \
	done

wheel: .venv-test/ready
	rm -rf dist .venv-wheel
	$(call install,.venv-test,constraints.txt,hatchling)
	.venv-test/bin/python -m hatchling build -d dist
	$(PYTHON) -m venv .venv-wheel
	$(call install,.venv-wheel,constraints.txt,dist/*.whl)
	cd dist && ../.venv-wheel/bin/maxent tour --out tour-output

nightly: .venv-test/ready
	$(PYTEST) $(TWO) -m slow
	$(MAKE) floor pythons wheel

docs: .venv-test/ready
	.venv-test/bin/python -m sphinx -W --keep-going -q -E docs build/docs

browser: docs
	$(PYTEST) -q -rs -m browser tests

.venv-tour/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-tour
	$(call install,.venv-tour,constraints.txt,-e .)
	touch $@

.venv-test/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-test
	$(call install_torch,.venv-test,constraints.txt)
	$(call install,.venv-test,constraints.txt,-e $(ALL))
	touch $@

.venv-floor/ready: pyproject.toml constraints-floor.txt
	$(PYTHON) -m venv .venv-floor
	$(call install_torch,.venv-floor,constraints-floor.txt)
	$(call install,.venv-floor,constraints-floor.txt,-e $(ALL))
	touch $@

clean:
	rm -rf .venv-* dist build tour-output
