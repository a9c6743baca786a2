.DEFAULT_GOAL := help
PYTHON ?= python3
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

.PHONY: help demo test lint bench setup format translations locks clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## the product with a demo in it, until Ctrl-C (PORT=8000)
	@$(PYTHON) run.py demo

test: ## every test
	@$(PYTHON) run.py test

lint: ## style, types, the import law, migrations, translations
	@$(PYTHON) run.py lint

bench: ## what each thing takes, as a ratio to a bare baseline
	@$(PYTHON) run.py bench

setup: ## only install, for development
	@$(PYTHON) run.py setup

format: setup ## lay out the source
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

translations: setup ## bring the .po files up to the source
	@.venv/bin/python -m config.catalogues update

locks: ## newest versions that fit together, pinned by hash (needs uv)
	@$(COMPILE) --upgrade requirements/dev.txt -o requirements/dev.lock
	@$(COMPILE) --constraint requirements/dev.lock requirements/demo.txt -o requirements/demo.lock
	@$(COMPILE) --constraint requirements/dev.lock requirements.txt -o requirements/runtime.lock

clean: ## what can be made again; the demo's data stays
	@rm -rf .venv staticfiles htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +
