# The two commands of the README, each from a bare Python 3.11 or newer:
#   make tour   solve, check and draw, in an environment of its own (no torch)
#   make test   every check of the project, in an environment of its own
PYTHON ?= python3

.PHONY: tour test lint types tests clean

tour: .venv-tour/ready
	.venv-tour/bin/maxent tour --out tour-output --overwrite

test: .venv-test/ready lint types tests

lint: .venv-test/ready
	.venv-test/bin/ruff format --check .
	.venv-test/bin/ruff check .

types: .venv-test/ready
	.venv-test/bin/mypy

tests: .venv-test/ready
	.venv-test/bin/python -m pytest -n 2 -m "not slow"

.venv-tour/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-tour
	.venv-tour/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "."
	touch $@

.venv-test/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	.venv-test/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[neural,rigorous,data,dev]"
	touch $@

clean:
	rm -rf .venv-tour .venv-test tour-output
