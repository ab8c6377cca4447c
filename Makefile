# Everything runs in .venv, which `install` fills from requirements.lock.
# PYTHON=python3.12 chooses the interpreter; ARGS="..." is handed on by demo, test and lock.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types format lock clean

help:  ## show this list
	@awk -F ':.*  ## ' '/^[a-z]+:.*  ## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## put everything into .venv, unless it is there

demo: install  ## start a whole local world: a store with orders, providers, the bridge
	@$(BIN)/wcpay-bridge demo $(ARGS)

test: lint types  ## everything that must pass
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: install  ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install  ## check types
	@$(BIN)/mypy

format: install  ## format, and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: install  ## write requirements.lock anew (ARGS=--upgrade for the newest versions)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links $(ARGS) setup.cfg --output-file requirements.lock

clean:  ## remove .venv and everything else that was made here
	@rm -rf .venv build dist *.egg-info .*_cache .hypothesis .coverage
	@find . -name __pycache__ -prune -exec rm -rf {} +

# A changed lock, or a .venv without its stamp (new, or left half made), begins with an empty one.
$(INSTALLED): requirements.lock setup.cfg pyproject.toml
	$(if $(PROBLEM),$(error $(PROBLEM)))
	@$(if $(filter requirements.lock,$?),$(PYTHON) -m venv --clear .venv)
	@rm -f $@
	@echo "installing into .venv"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
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
