# Two commands do all set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install model demo test test-slow lint format bench bench-rows bench-cost bench-fidelity wheel clean

help:
	@echo "make demo       install, pull the model, one harmless commit that passes, one harmful that is blocked, and a way out"
	@echo "make test       lint and the quick tests"
	@echo "make test-slow  tests on the embedded model and in environments that pre-commit builds"
	@echo "make bench      start-up and example-change benchmarks, written to benchmarks/results/"
	@echo "make bench-rows memory and time of a check by number of rows, up to a million; needs no model"
	@echo "make bench-cost  what a verdict costs beside the fine-tune that it predicts; about 45 minutes"
	@echo "make bench-fidelity  predicted against true shifts of real fine-tunes, from the committed table; needs no model"

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

model: install
	$(BIN)/d2b-gate model pull

demo: model
	$(BIN)/python examples/demo.py

test: install lint
	$(BIN)/python -m pytest -m "not slow" -n 2

test-slow: model
	$(BIN)/python -m pytest -m slow

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pre-commit validate-manifest .pre-commit-hooks.yaml

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: model
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.changes

bench-rows: install
	$(BIN)/python -m benchmarks.rows

bench-cost: model
	$(BIN)/python -m benchmarks.cost

bench-fidelity: install
	$(BIN)/python -m benchmarks.fidelity

wheel: install
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist build .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
