# Everything needs Python 3.11 or newer, make and a network on first use. `make` alone lists the targets.

PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
LOCK := --universal --generate-hashes --no-emit-index-url --no-header
# Four processes on two cores, because much of the time is spent waiting; which tests go where is in tests/distribution.py.
PYTEST_ARGS ?= -n 4 --dist loadfile --no-loadscope-reorder
# Where it is set, each process that a test starts compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE
# The processes share the cores: threads of each for its small matrices would only wait for each other, and burn time at it.
check test: export OPENBLAS_NUM_THREADS := 1

.PHONY: help demo check lint test test-peers bench lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: .venv/.stamp ## start everything, run one business day of the demo shop, show what happened
	./steward demo

check: lint ## lint, types, import contracts and the tests that need no server
	$(BIN)/pytest tests/unit tests/architecture tests/replay/test_fingerprints.py $(PYTEST_ARGS)

lint: .venv/.stamp ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

test: .venv/.stamp ## all tests, on the embedded stack
	$(BIN)/python -m tests.browser.install
	$(BIN)/pytest tests --ignore=tests/peers $(PYTEST_ARGS)

test-peers: .venv/.stamp ## connectors against real systems, which are installed first
	$(BIN)/python -m tests.peers.install
	$(BIN)/pytest tests/peers $(PYTEST_ARGS)

bench: .venv/.stamp ## benchmarks
	$(BIN)/python -m bench

lock: .venv/.stamp ## resolve the dependencies anew, for the checkout and for the image
	$(BIN)/uv pip compile pyproject.toml --group embedded --group dev $(LOCK) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml $(LOCK) -c requirements.lock -o requirements-image.lock

clean: ## stop Steward and remove what can be made again; .steward, with your data, stays
	@if [ -x $(BIN)/python ] && [ -d .steward ]; then ./steward down; fi
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.steward/*' -prune -exec rm -rf {} +

.PHONY: .venv
.venv: .venv/.stamp ## the virtual environment

# The stamp says that everything was installed; an interrupted installation has none and is done again.
.venv/.stamp: requirements.lock
	@[ -n "$(PYTHON)" ] || { echo "Steward needs Python 3.11 or newer, and none is on PATH: install it from python.org or your package manager" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version); this takes a minute" >&2
	@rm -f $@
	@if command -v uv >/dev/null 2>&1; then \
		[ -x $(BIN)/python ] || uv venv --quiet --python $(PYTHON) .venv; \
		VIRTUAL_ENV=.venv uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock; \
	else \
		[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || { echo "Python's venv module does not work: install it (on Debian and Ubuntu: apt-get install python3-venv), or install uv" >&2; exit 1; }; \
		[ -x $(BIN)/uv ] || { awk '/^uv==/ { take = 1 } take { print } take && !/\\$$/ { exit }' requirements.lock > .venv/uv.lock \
			&& $(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.lock; }; \
		VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock; \
	fi
	@touch $@
