# SPDX-License-Identifier: Apache-2.0
# The only door. Needs make and a Python of 3.11 or newer; each target does all of its own set-up.

VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
# Most tests wait for servers and screens, so four at a time keep two cores busy.
JOBS   ?= 4
PEERS  ?= .peers
COMPAT ?= .compat
BINDINGS ?= .bindings

.DEFAULT_GOAL := help
.PHONY: help demo test check fuzz soak format bench docs wheel clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## start the shell on the demo machine
	@echo "starting coshell on the demo machine"
	@$(BIN)/coshell --demo $(ARGS)

# Hundreds of tests start a program, which would compile all of it where nobody may write bytecode.
test: $(VENV)/.test $(PEERS)/.ready $(COMPAT)/.ready $(BINDINGS)/.ready ## run every test (ARGS="tests/unit -k name" to choose)
	@$(BIN)/python -m compileall -q catools coshell cothread tests/support
	COSHELL_PEERS_PYTHON="$(PEERS_PYTHON)" COSHELL_COMPAT_PYTHON="$(COMPAT_PYTHON)" \
	COSHELL_QT_BINDINGS="$(QT_BINDINGS)" \
	  $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: $(VENV)/.test ## a million hostile messages (ARGS="--seed 7 --case 4711" repeats one)
	$(BIN)/python -m tests.fuzz $(ARGS)

soak: $(VENV)/.test ## an hour of jobs, monitors, crashing IOC and typing (ARGS="--minutes 5")
	$(BIN)/python -m tests.soak $(ARGS)

check: $(VENV)/.test ## format, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/unit/test_architecture.py tests/unit/test_sources.py

format: $(VENV)/.test ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test ## run the benchmarks; numbers are printed, never asserted
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.docs ## write the reference to docs/reference
	$(BIN)/python docs/tools/reference.py docs/reference

wheel: $(VENV)/.test ## build dist/coshell-*.whl
	$(BIN)/python -m build --wheel

clean: ## remove the virtual environment and everything built
	rm -rf $(VENV) $(PEERS) $(COMPAT) $(BINDINGS) build dist docs/reference .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first interpreter that runs and is new enough; PYTHON=... names one explicitly.
CANDIDATES = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)
define FIND_PYTHON
for candidate in $(CANDIDATES); do \
  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
    python=$$candidate; break; fi; done; \
if [ -z "$$python" ]; then \
  echo "coshell needs Python 3.11 or newer; tried: $(CANDIDATES)." >&2; \
  echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; fi
endef

# pip before 25.1 cannot install dependency groups, and a fresh environment may carry an older one.
$(VENV)/.pip:
	@$(FIND_PYTHON); \
	echo "making a virtual environment in $(VENV) with $$python"; \
	$$python -m venv $(VENV) || { \
	  echo "The venv module is missing; on Debian: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.demo: pyproject.toml | $(VENV)/.pip
	@echo "installing coshell and the demo machine"
	@$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.pip
	@echo "installing coshell, its extras and the test tools"
	@$(PIP) --editable '.[all]' --group test
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml | $(VENV)/.pip
	@echo "installing coshell and the documentation tool"
	@$(PIP) --editable '.[demo]' --group docs
	@touch $@

# Other Channel Access clients and a server, for the tests that compare with them; they share import
# names with coshell and so need a place of their own. What cannot be had is skipped, never a failure.
PEERS_PYTHON = $(or $(COSHELL_PEERS_PYTHON),$(shell test -e $(PEERS)/.ready && echo $(abspath $(PEERS))/bin/python))

$(PEERS)/.ready: | $(VENV)/.pip
	@if [ -z "$(COSHELL_PEERS_PYTHON)" ]; then \
	  echo "installing other Channel Access clients in $(PEERS), to compare with"; \
	  { $(BIN)/python -m venv $(PEERS) && $(PEERS)/bin/python -m pip install --quiet \
	      --disable-pip-version-check --retries 2 cothread==2.20 'aioca>=2.1' 'caproto>=1.2' numpy \
	    && touch $@; } || \
	  echo "they cannot be had here: tests that compare with them will be skipped" >&2; fi

# Packages built on cothread, for the tests that run them on ours; the other cothread must not be there.
COMPAT_PYTHON = $(or $(COSHELL_COMPAT_PYTHON),$(shell test -e $(COMPAT)/.ready && echo $(abspath $(COMPAT))/bin/python))

$(COMPAT)/.ready: | $(VENV)/.pip
	@if [ -z "$(COSHELL_COMPAT_PYTHON)" ]; then \
	  echo "installing packages that are built on cothread in $(COMPAT)"; \
	  { $(BIN)/python -m venv $(COMPAT) && $(COMPAT)/bin/python -m pip install --quiet \
	      --disable-pip-version-check --retries 2 'greenlet>=3.1' 'p4p>=4.1' 'softioc>=4.5' numpy \
	    && touch $@; } || \
	  echo "they cannot be had here: tests that run them will be skipped" >&2; fi

# Other bindings of Qt; they are no environment but a directory of packages, because everything else
# is that of the tests.
QT_BINDINGS = $(or $(COSHELL_QT_BINDINGS),$(shell test -e $(BINDINGS)/.ready && echo $(abspath $(BINDINGS))))

$(BINDINGS)/.ready: | $(VENV)/.test
	@if [ -z "$(COSHELL_QT_BINDINGS)" ]; then \
	  echo "installing PyQt6 and PySide6 in $(BINDINGS), to try Qt with"; \
	  { $(PIP) --retries 2 --upgrade --target $(BINDINGS) PyQt6 PySide6-Essentials \
	    && touch $@; } || \
	  echo "they cannot be had here: tests with them will be skipped" >&2; fi
