# Two commands do all the set-up: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# by modules, so that fixtures of a module are made once, and in the order of tests/conftest.py
WORKERS := -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: run check test lint format docs release clean

# resynth on the Adult table; again, and it is a retraining
run: $(VENV)/installed
	$(BIN)/resynth run data/adult_train.parquet --config data/adult.toml

# linters, types, layers, and the tests that are quick: laws and units, no servers, processes or long trainings
check: lint
	$(BIN)/python -m pytest $(WORKERS) -m "not whole"

# the same with the whole test suite, which is what continuous integration runs
test: lint
	$(BIN)/python -m pytest $(WORKERS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# docs/settings.md, from the settings' docstrings
docs: $(VENV)/installed
	$(BIN)/python docs/settings.py

# builds dist/, and tries the wheel in a fresh environment outside of this directory
release:
	PYTHON=$(PYTHON) .ci/release

$(VENV)/installed: pyproject.toml .ci/constraints.txt
	@echo "Installing into $(VENV) (about a minute) …"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c .ci/constraints.txt torch==2.13.0
	$(PIP) install -c .ci/constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install -c .ci/constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
