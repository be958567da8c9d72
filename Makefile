# What a contributor runs by hand and .ci/run runs in a fresh environment.
VENV ?= .venv
PYTHON := $(VENV)/bin/python
NAME ?= first_run
# The parts that must also work on the second backend.
JAX_TESTS := tests/reprogrammer_test.py tests/conformance_test.py \
    tests/gradients_test.py tests/parallel_test.py \
    tests/transforms/padding_test.py tests/transforms/soft_prompt_test.py \
    tests/mappings/mappings_test.py tests/mappings/linear_mapping_test.py \
    tests/losses_test.py tests/sources/tiny_sources_test.py \
    tests/sources/molecular_networks_test.py \
    tests/robustness/threats/threats_test.py \
    tests/robustness/hardening/hardened_test.py

.PHONY: help install test jax lint type docs bench wheel all

help:  ## Lists the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

install:  ## Makes .venv with everything that the other targets need
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install -q -e ".[test,docs]"

test:  ## All tests and the examples of the docstrings
	$(PYTHON) -m pytest -n 2 --dist loadfile

jax:  ## The core tests on the JAX backend
	KERAS_BACKEND=jax $(PYTHON) -m pytest -n 2 $(JAX_TESTS)

lint:  ## ruff: rules and format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

type:  ## mypy
	$(PYTHON) -m mypy

docs:  ## The documentation, in site/; every warning is an error
	$(PYTHON) -m mkdocs build -q --strict

bench:  ## A quick benchmark; NAME=first_run or another of benchmarks/
	$(PYTHON) -m benchmarks.$(NAME) --quick

wheel:  ## Builds the wheel and uses it outside of this folder
	.ci/wheel $(PYTHON)

all: lint type docs test jax wheel bench  ## All of this
