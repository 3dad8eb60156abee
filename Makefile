# Targets need nothing but make, bash and a Python from 3.11 to 3.13; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv/bin
PYTHON_DIRS := agent molecule scripts tests
COLLECTION := collections/ansible_collections/hostseal/core
N ?= 2

# Ansible, Molecule and the tests find our programs first.
export PATH := $(CURDIR)/$(VENV):$(CURDIR)/.tools/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/collections
export ANSIBLE_HOME := $(CURDIR)/.ansible
in_lab := PYTHONPATH=$(CURDIR)/molecule:$(CURDIR)

.PHONY: help setup tools opa tofu check check-python check-policies check-ansible rules-page test test-unit test-hosts molecule \
        demo lab-up lab-down bench bench-files clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## Make .venv (pinned by hash, cached); nothing to do when it is current
	@scripts/setup

tools: ## Link OPA, Regal and OpenTofu into .tools/bin, built once
	@scripts/tools

opa:
	@scripts/tools opa

tofu:
	@scripts/tools tofu

check: check-python check-policies check-ansible ## Formats, lint, types, policies and their tests, playbooks

check-python: setup
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	@mkdir -p .cache; $(VENV)/pytest --collect-only -qq > .cache/collected || { cat .cache/collected; exit 1; }

check-policies: setup tools
	$(VENV)/hostseal policy check --policies policies --site tests/policy/site.json --cases tests/cases

rules-page: setup ## Write docs/reference/rules.md anew from the rules' METADATA
	$(VENV)/python scripts/rules_page.py

check-ansible: setup
	$(VENV)/ansible-lint --offline --strict --profile production $(COLLECTION) playbooks

test: ## Everything there is, from static checks to real hosts; what cannot run here says why
	@$(MAKE) setup tools
	@$(MAKE) check
	@$(MAKE) molecule
	@$(MAKE) test-unit
	@$(MAKE) test-hosts

test-unit: setup opa tofu
	$(VENV)/pytest -n 2 -m "not lab and not e2e"

test-hosts: setup opa tofu
	$(VENV)/pytest -n 2 --dist loadscope -m "lab or e2e"

molecule: setup opa ## The roles on lab hosts: check, converge, idempotence, verify
	@if [ "$$(id -u)" -ne 0 ] && [ -z "$${CI:-}" ]; then \
	    echo "molecule: not run, because booting lab hosts needs root"; \
	else \
	    $(in_lab) $(VENV)/molecule test --scenario-name default; \
	fi

demo: setup opa tofu ## The whole circle: a broken seal, the flag, a refused patch, the new host, and why
	@$(in_lab) $(VENV)/python -m demo $(DEMO_ARGS)

lab-up: setup opa ## Leave N hosts running with the agent installed: make lab-up N=2
	@$(in_lab) $(VENV)/python -m lab_site --n $(N)

lab-down: setup ## Stop them, and clean up after a crashed run
	@$(in_lab) $(VENV)/python -m lab down lab

bench: setup opa tofu ## Speed and memory, as ratios paired in one run
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.gate
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.door
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.sessions
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.ledger
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.circle
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.policy
	@$(MAKE) bench-files

bench-files: setup opa ## The file sensors beside their peers: docs/bench/, the tables, the plot
	@PYTHONPATH=$(CURDIR)/agent:$(CURDIR)/molecule:$(CURDIR)/tests $(VENV)/python -m bench.files_all

clean: ## Remove what make made in the checkout (not the user's cache)
	rm -rf .venv .tools .cache .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
