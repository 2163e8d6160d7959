# One line a target; CI runs the same. PYTHON names the interpreter of your virtual environment.
PYTHON ?= .venv/bin/python

.PHONY: setup dev check test test-slow test-fast migrate

setup:
	python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e '.[dev]'

dev:
	$(PYTHON) -m rxbackup.cli.main serve

check:
	$(PYTHON) -m ruff format --check . && $(PYTHON) -m ruff check . && $(PYTHON) -m mypy && $(dir $(PYTHON))lint-imports

test:
	$(PYTHON) -m pytest -n 2 --dist load

test-slow:
	$(PYTHON) -m pytest -n 2 --dist load -m slow

test-fast:
	$(PYTHON) -m pytest tests/unit tests/architecture tests/contract -q

migrate:
	$(PYTHON) -m rxbackup.cli.main migrate
