# The two commands of the README are `make run` and `make test`; the rest is for those who change the code.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/sh

.PHONY: install run test lint long night bench docs clean

install: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	@echo "installing into .venv, about a minute"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: install
	$(BIN)/qorgau up --feed --watch

test: install
	$(BIN)/python -m pytest -m "not long and not night" --numprocesses 2 --no-loadscope-reorder tests

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy shared services tests benchmarks docs

# What only computes has a core to itself; what watches the time runs alone afterwards.
long: install
	$(BIN)/python -m pytest -m "long and not night" --numprocesses 2 tests/unit
	$(BIN)/python -m pytest -m "long and not night" --ignore tests/unit tests

night: install
	$(BIN)/python -m pytest -m "long or night" tests

bench: install
	$(BIN)/python -m benchmarks

docs: install
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.legs
	$(BIN)/python -m docs.spring

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
