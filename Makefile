# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
.DEFAULT_GOAL := help
.PHONY: help venv controller demo demo-down test check lint fmt lock docs scenario scenarios e2e failures installs bench clean
SHELL := /bin/bash

# The first Python that is new enough; PYTHON=... chooses another one.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2])" 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/.cache/collections"

help: ## list these commands
	@grep -hE "^[a-z0-9-]+:.*## " $(MAKEFILE_LIST) | sed -E "s/^([a-z0-9-]+):.*## (.*)/  make \1|\2/" | column -t -s "|"

controller: # what the hpcampus command needs
	@test -n "$(PYTHON)" || { echo "hpcampus needs Python 3.11 or newer: on Debian 12 or newer, apt install python3 python3-venv."; exit 1; }
	@$(PYTHON) tools/bootstrap.py controller

venv: ## make the environment .venv from a lock file with hashes
	@test -n "$(PYTHON)" || { echo "hpcampus needs Python 3.11 or newer: on Debian 12 or newer, apt install python3 python3-venv."; exit 1; }
	@$(PYTHON) tools/bootstrap.py dev

demo: controller ## show the whole platform in containers on this machine
	@$(RUN) $(BIN)/hpcampus demo up

demo-down: controller ## remove the demo again
	@$(RUN) $(BIN)/hpcampus demo down

test: venv ## run every test; may be stopped and run again
	@$(BIN)/python -m tools.run_tests test

check: venv ## run the quick tests: lint, types, unit and contract tests
	@$(BIN)/python -m tools.run_tests check

lint: venv ## run the linters and the type checker
	@$(BIN)/python -m tools.run_tests lint

fmt: venv ## format the Python code and mend what a linter can mend
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

scenarios: venv ## run every molecule scenario on test hosts of its own
	@$(BIN)/python -m tools.run_tests scenarios

scenario: venv ## run one molecule scenario: make scenario S=alone
	@test -n "$(S)" || { echo "Name a scenario: make scenario S=NAME, where NAME is one of $$(ls -d molecule/*/molecule.yml | cut -d/ -f2 | xargs)."; exit 1; }
	@$(BIN)/python -m tools.run_tests scenario "$(S)"

e2e: venv ## use the platform as a student does, by script and by browser
	@$(BIN)/python -m tools.run_tests e2e

failures: venv ## break the platform in every way and see what recovers: artifacts/failures.md
	@$(BIN)/python -m tools.run_tests failures

installs: venv ## install two sites by the command, on bare test hosts: artifacts/install.md
	@$(BIN)/python -m tools.run_tests install

bench: venv ## measure what the README promises: make bench B=spawn, B=together, B=install, B=autograde, B=submit, B=term, or all
	@$(RUN) PYTHONPATH="$(CURDIR)/roles/jupyterhub/files/hub" $(BIN)/python -m tests.bench $(B)

docs: venv ## write the tables of variables into the READMEs of the roles, and the page of steps
	@$(BIN)/python -m tools.role_readme
	@$(BIN)/python -m tools.steps_page

lock: venv ## renew every lock file
	@$(RUN) $(BIN)/python -m tools.lock

clean: ## remove what was built here and kept for the next time; test hosts have to be down
	@test ! -x $(BIN)/python || $(BIN)/python -m hpcampus.lab images --remove
	rm -rf .venv .cache artifacts build dist .ansible
