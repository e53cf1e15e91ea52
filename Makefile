# make learn and make test each work alone on a fresh machine: Python >= 3.11, git and make are all they need.

# The first Python that runs and is new enough; `make PYTHON=…` chooses another.
ifndef PYTHON
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
endif
VENV := .venv
BIN := $(VENV)/bin

# One BLAS thread in all that is started here: on cores that are busy, more of them slow small products many times over.
OMP_NUM_THREADS ?= 1
OPENBLAS_NUM_THREADS ?= $(OMP_NUM_THREADS)
MKL_NUM_THREADS ?= $(OMP_NUM_THREADS)
export OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS

.DEFAULT_GOAL := help
.PHONY: help learn site test notebooks exercises trained benchmarks lint clean

help:
	@echo "make learn       make the environment and open the course in JupyterLab"
	@echo "make site        build the course for a browser's tab in build/site and show it here (docs/publishing.md)"
	@echo "make test        make the environment and run every check"
	@echo "make notebooks   execute lessons and solutions again, keep their outputs, rebuild the exercises"
	@echo "make exercises   rebuild exercises/ from solutions/ (edited ones are left alone)"
	@echo "make trained     train the shipped meta-parameters again (about 35 minutes)"
	@echo "make benchmarks  measure speed on this machine"
	@echo "make lint        formatter and linter"
	@echo "make clean       remove the environment and what was built"

learn: $(VENV)/.learn
	@$(BIN)/mlcourse learn

# A Pyodide release makes the site complete; without one it loads Python from elsewhere.
site: PYODIDE := $(or $(MLCOURSE_PYODIDE),$(wildcard ../shared/data/pyodide))
site: $(VENV)/.site
	@$(BIN)/mlcourse site build/site $(if $(PYODIDE),--pyodide "$(PYODIDE)") --serve

test: $(VENV)/.test lint
	$(BIN)/pytest

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

notebooks: $(VENV)/.test
	$(BIN)/python -m mlcourse.classroom.teaching.execute $(or $(NOTEBOOKS),notebooks/*.ipynb solutions/*.ipynb)
	$(BIN)/ruff format $(or $(NOTEBOOKS),notebooks/*.ipynb solutions/*.ipynb)
	$(BIN)/mlcourse release

exercises: $(VENV)/.test
	$(BIN)/mlcourse release

trained: $(VENV)/.learn
	$(BIN)/python -m mlcourse.classroom.trained

benchmarks: $(VENV)/.test
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "The course needs Python 3.11 or newer; found: $$(python3 --version 2>&1 | head -n 1)."; \
		echo "Install one, or say which: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making the environment in $(VENV)/ (once, about a minute) ..."
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.learn: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.site: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[site]'
	@touch $@ $(VENV)/.learn

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.learn $(VENV)/.site
