# Everything here sets itself up from the locked requirements: python3 (3.11 or newer), make and a
# package index are enough. Another Python: `make PYTHON=python3.13 test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes --only-binary :all:
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# One more than there are cores, because some tests wait for other processes.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help
.PHONY: help drill test check format docs bench lock clean

help:  ## Show these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

drill: $(VENV)/runtime.stamp  ## Play one SEV1 from the form to the all-clear, against a local sandbox
	@$(BIN)/python -m incident_actions.sandbox.drill

test: check  ## Lint, check types, run every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(VENV)/dev.stamp  ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp  ## Format the code, fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp  ## Write the tables of README.md and docs/ anew from the code
	$(BIN)/python docs/reference.py

bench: $(VENV)/dev.stamp  ## Time the gate, the start of the action, and the sweep
	@$(BIN)/python -m tests.bench.bench_gate
	@$(BIN)/python -m tests.bench.bench_bootstrap
	@$(BIN)/python -m tests.bench.bench_sweep

lock: $(VENV)/dev.stamp  ## Write both lock files anew from the .in files
	$(BIN)/python .ci/lock.py
	$(LOCK) -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean:  ## Remove everything that these targets made
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, and %s is %s. Name a newer one: make PYTHON=python3.13" % (sys.executable, sys.version.split()[0]))'
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# The stamps hang one on the other, so that two targets of one `make -j` never install at once.
$(VENV)/runtime.stamp: requirements.txt $(VENV)/venv.stamp
	@echo "Installing $$(grep -c == $<) locked packages into $(VENV) (some seconds)"
	@$(INSTALL) -r $<
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/runtime.stamp
	@echo "Installing the development tools into $(VENV) (some more seconds)"
	@$(INSTALL) -r $<
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@
