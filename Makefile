# Everything runs in .venv: `demo` fills it from requirements.lock, `test` adds requirements-dev.lock.
# PYTHON=python3.12 chooses the interpreter; demo, test, selftest, bench, mutants, newest, oldest and lock hand on ARGS="...".
PYTHON ?= python3
BIN := .venv/bin
PIP = $(BIN)/python -m pip
RUNTIME := .venv/.runtime
TOOLS := .venv/.tools
LOG := .venv/install.log

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TAG

.DEFAULT_GOAL := help
.PHONY: help install demo test selftest bench mutants licenses advisories lint types format newest oldest tools lock release publish clean

help:  ## show this list
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(TOOLS)  ## put everything into .venv, unless it is there

demo: $(RUNTIME)  ## start a whole local world: a store with orders, providers, the bridge
	@$(BIN)/wcpay-bridge demo $(ARGS)

test: lint types  ## everything that must pass
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

selftest: $(RUNTIME)  ## try to make it charge twice or lose something (every night)
	@$(BIN)/wcpay-bridge selftest $(ARGS)

bench: install  ## measure what requests cost, against controls of the same run (docs/performance.md; ARGS=--quick)
	@$(BIN)/python -m benchmarks $(ARGS)

mutants: install  ## take the rules of money away one by one; a test must fail each time (ARGS=refunds for some)
	@$(BIN)/python -m tests.mutate $(ARGS)

licenses: install  ## list the license of each package that the bridge runs with; fails if one is not allowed
	@$(BIN)/python .ci/licenses.py

advisories: install  ## ask osv.dev for known vulnerabilities of what the locks name (Error 1: some, Error 3: could not ask)
	@$(BIN)/python .ci/advisories.py

lint: install  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install  ## check types
	@$(BIN)/mypy

format: install  ## format, and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

newest: install  ## try the wheel with the newest versions that setup.cfg allows (weekly)
	@VERSIONS=newest $(BIN)/pytest tests/install/test_wheel.py $(ARGS)

oldest: install  ## try the wheel with the oldest versions that setup.cfg allows (weekly)
	@VERSIONS=oldest $(BIN)/pytest tests/install/test_wheel.py $(ARGS)

tools:  ## install the system tools that tests need, on Debian or Ubuntu
	@.ci/tools

lock: install  ## write both locks anew (ARGS=--upgrade for the newest versions)
	@$(BIN)/python -c $(BUILD_REQUIRES) | $(COMPILE) setup.cfg - \
	  --extra postgres --extra redis --extra metrics --output-file requirements.lock
	@$(COMPILE) setup.cfg --extra dev --constraint requirements.lock --output-file requirements-dev.lock

release: install  ## build what is committed into dist/, for everybody the same bytes; with TAG=v1.2.3 check that it is that version
	@$(BIN)/python .ci/release.py "$$TAG"

publish:  ## make a release of the files in dist/ where the repository is hosted (TAG=v1.2.3; needs gh)
	@gh release create "$$TAG" dist/* --verify-tag --title "$$TAG" --notes-file build/release-notes.md

clean:  ## remove .venv and everything else that was made here
	@rm -rf .venv build dist *.egg-info .*_cache .hypothesis .coverage
	@find . -name __pycache__ -prune -exec rm -rf {} +

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links $(ARGS)
BUILD_REQUIRES = 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

# The locks are complete, so pip resolves nothing (--no-deps): a release of today cannot change what is installed, and
# pip's resolver cannot disagree with the one that wrote them. `pip check` proves that nothing is missing.
# $(call pip,COMMANDS): runs them in silence; a failure is one sentence.
pip = { $(1); } >>$(LOG) 2>&1 || { \
  echo "The packages could not be installed: check the network, then run make again ($(LOG) tells more)." >&2; exit 1; }

# A changed lock, or a .venv without its stamp (new, or left half made), begins with an empty one.
$(RUNTIME): requirements.lock setup.cfg pyproject.toml
	$(if $(PROBLEM),$(error $(PROBLEM)))
	@$(if $(filter requirements.lock,$?),$(PYTHON) -m venv --clear .venv)
	@rm -f $@ $(TOOLS)
	@echo "installing into .venv"
	@$(call pip,$(PIP) install --no-deps --require-hashes -r requirements.lock && \
	  $(PIP) install --no-deps --no-build-isolation -e . && $(PIP) check)
	@touch $@

$(TOOLS): requirements-dev.lock $(RUNTIME)
	@$(if $(and $(wildcard $@),$(filter requirements-dev.lock,$?)),rm $(RUNTIME) && $(MAKE) --no-print-directory $(RUNTIME))
	@echo "installing the development tools into .venv"
	@$(call pip,$(PIP) install --no-deps --require-hashes -r requirements-dev.lock && $(PIP) check)
	@touch $@

PACKAGE = $(or $(filter python3%,$(notdir $(PYTHON))),python3)
PROBLEM = $(shell exec 2>/dev/null; \
  if ! command -v $(PYTHON) >/dev/null; then \
    echo "$(PYTHON) is not there: apt-get install $(PACKAGE) $(PACKAGE)-venv"; \
  elif ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
    echo "$(PYTHON) is older than 3.11: apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11"; \
  elif ! $(PYTHON) -c 'import ensurepip, venv'; then \
    echo "$(PYTHON) cannot make a .venv: apt-get install $(PACKAGE)-venv"; \
  fi)
