# Everything a person or CI runs. Each target sets up what it needs; nothing is installed outside this folder.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PORT ?= 4566
JOBS ?= 2
UV := .tools/uv/bin/uv
export SAM_CLI_TELEMETRY := 0
export UV_PYTHON_PREFERENCE ?= managed
export UV_NO_PROGRESS ?= 1

.PHONY: help
help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s $$'\t'

# --- setup: an environment for each purpose, so that no tool's own pins decide what the product runs with -----------------

$(UV): requirements/uv.txt
	python3 -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

define environment
	@test -x $(1)/bin/python || $(UV) venv --quiet --python "$$(cat .python-version)" $(1)
	@$(UV) pip sync --quiet --require-hashes --python $(1)/bin/python $(2)
endef

.venv/.ready: requirements/dev.txt pyproject.toml | $(UV)
	$(call environment,.venv,requirements/dev.txt)
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
	@touch $@

.venv-sam/.ready: requirements/sam.txt | $(UV)
	$(call environment,.venv-sam,requirements/sam.txt)
	@touch $@

.venv-ministack/.ready: requirements/ministack.txt | $(UV)
	$(call environment,.venv-ministack,requirements/ministack.txt)
	@touch $@

.venv-runtime/.ready: requirements/runtime.txt | $(UV)
	$(call environment,.venv-runtime,requirements/runtime.txt)
	@touch $@

.venv-mutation/.ready: requirements/mutation.txt | $(UV)
	$(call environment,.venv-mutation,requirements/mutation.txt)
	@touch $@

.venv-audit/.ready: requirements/audit.txt | $(UV)
	$(call environment,.venv-audit,requirements/audit.txt)
	@touch $@

# Chromium to look at the patient pages with, from the system's packages where it isn't there, and axe-core to judge them.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
define system-package
	@command -v $(1) >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends $(1); } \
		|| { echo "$(1) isn't on the path and couldn't be installed; the tests of the patient pages need it."; exit 1; }
endef

.tools/browser/.ready: requirements/browser/package.json requirements/browser/package-lock.json
	$(call system-package,chromium)
	$(call system-package,npm)
	@mkdir -p .tools/browser && cp requirements/browser/package*.json requirements/browser/.npmrc .tools/browser/
	@npm ci --prefix .tools/browser --silent --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: setup
setup: .venv/.ready .venv-sam/.ready .venv-ministack/.ready .venv-runtime/.ready ## install everything, pinned by hash

COMPILE = $(UV) pip compile --quiet --generate-hashes --universal --no-emit-index-url --python-version 3.13 \
	--custom-compile-command "make requirements"
# boto3 and its own come with the Lambda runtime.
RUNTIME = --no-emit-package boto3 --no-emit-package botocore --no-emit-package s3transfer \
	--no-emit-package urllib3

.PHONY: requirements
requirements: | $(UV) ## compile the hash-pinned requirements files from pyproject.toml
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --all-extras --group mutation -c requirements/dev.txt -o requirements/mutation.txt
	$(COMPILE) --group sam -o requirements/sam.txt
	$(COMPILE) --group runtime -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) --group ministack -o requirements/ministack.txt
	$(COMPILE) --group audit -o requirements/audit.txt
	$(COMPILE) pyproject.toml $(RUNTIME) -c requirements/dev.txt -o shared/requirements.txt
	$(call function-requirements,render_print,render-print)
	$(call whole-requirements,payment_link,stripe)
	$(call whole-requirements,manage,stripe)
	printf 'uv==0.13.9\n' | $(UV) pip compile --quiet --generate-hashes --universal --no-emit-index-url \
		--python-version 3.11 --custom-compile-command "make requirements" - -o requirements/uv.txt

# What one function carries: its extra, less all that the layer already brings.
define function-requirements
	$(COMPILE) pyproject.toml --extra $(2) $(RUNTIME) -c requirements/dev.txt \
		$$(sed -nE 's/^([a-z0-9-]+)==.*/--no-emit-package \1/p' shared/requirements.txt) -o functions/$(1)/requirements.txt
endef

# What one function carries whole: a package with all of its own, for pip takes no hashed list that isn't closed.
define whole-requirements
	printf '$(2)\n' | $(COMPILE) -c requirements/dev.txt - -o functions/$(1)/requirements.txt
endef

# --- build and the local stack -----------------------------------------------------------------------------------

.PHONY: build
build: setup ## build the artifacts, trimmed and compiled (ARCHITECTURE=arm64: for that processor, not this one)
	.venv/bin/python -m local.stack.build $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

.PHONY: local
local: setup ## start the local AWS and deploy to it (PORT=n chooses the port)
	.venv/bin/python -m local.stack.stack start --port $(PORT)

.PHONY: local-stop
local-stop: .venv/.ready ## stop the local AWS (PORT=n: the one on that port)
	.venv/bin/python -m local.stack.stack stop $(if $(filter file,$(origin PORT)),,--port $(PORT))

.PHONY: demo
demo: setup ## run sixty simulated days on the local AWS (CHECK=1: stop by itself and compare with the input)
	.venv/bin/python -m local.demo --port $(PORT) $(if $(CHECK),--check)

# --- checks ------------------------------------------------------------------------------------------------------

.PHONY: test
test: setup ## run every test: those within this process, and beside them those on a stack deployed to a local AWS
	$(MAKE) --jobs 2 --keep-going --output-sync=target test-inside test-deployed

DEPLOYED = tests/e2e tests/packaging

.PHONY: test-inside
test-inside: .venv/.ready .tools/browser/.ready ## run the tests that need no artifacts and no deployed stack
	.venv/bin/pytest tests $(addprefix --ignore=,$(DEPLOYED))

.PHONY: test-moto
test-moto: .venv/.ready ## run the integration tests with every table by moto, and none in memory
	DYNAMODB=moto .venv/bin/pytest tests/integration

.PHONY: test-deployed
test-deployed: setup ## build, check the artifacts, and run the tests on a stack deployed to a local AWS
	.venv/bin/pytest $(DEPLOYED)

.PHONY: properties
properties: .venv/.ready ## by night: play ten thousand histories of a practice and ten thousand steps of delivery, and try each property often
	HYPOTHESIS_PROFILE=properties .venv/bin/pytest -m hypothesis tests/unit

.PHONY: chaos
chaos: .venv/.ready .venv-ministack/.ready ## kill and fault the functions at every call, and count what was sent (WRITE=1: keep the matrix in docs/)
	.venv/bin/python -m local.chaos --benches $(JOBS) $(if $(WRITE),--write docs/delivery-matrix.md)

.PHONY: mutants
mutants: .venv-mutation/.ready ## mutate the domain, and report how much of it the tests notice (docs/mutants.md)
	rm -rf mutants # else mutmut keeps what earlier tests made of a mutant
	.venv-mutation/bin/mutmut run --max-children $(JOBS)
	.venv-mutation/bin/python -m local.measure.mutation_score --reasons docs/mutants.md

.PHONY: lint
lint: setup ## run the linters and the type checker
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy shared functions cli local tests
	.venv/bin/python -m local.openapi --check
	AWS_DEFAULT_REGION=us-east-1 .venv-sam/bin/sam validate --lint

.PHONY: openapi
openapi: .venv/.ready ## write docs/openapi.json from the routes' decorators (BREAKING=1: also what breaks partners' programs)
	.venv/bin/python -m local.openapi $(if $(BREAKING),--breaking)

.PHONY: audit
audit: .venv/.ready .venv-audit/.ready ## scan the template (cdk-nag needs Node); a finding that docs/audit.md doesn't decide fails
	.venv/bin/python -m local.audit

.PHONY: templates
templates: .venv/.ready ## inline the email layout's style sheet
	.venv/bin/python -m local.stack.inline_email

.PHONY: fix
fix: .venv/.ready ## format the code and mend what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.PHONY: bench
bench: setup ## one table of what starts, notices and statements cost, beside budget and floor (WRITE=1: keep it in docs/)
	.venv/bin/python -m local.measure.bench $(if $(WRITE),--write docs/performance.md)
