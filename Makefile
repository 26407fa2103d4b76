# `make help` lists what there is. Nothing but Python 3.11 or newer and make has to be installed.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export PORT

.DEFAULT_GOAL := help
.PHONY: help run test check format pins catalogues stylesheet migration pictures bench clean python dev

help: ## List these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: python ## Serve on http://127.0.0.1:8000 (PORT=…) with demo data and the background worker
	@$(PYTHON) tools/venv.py run
	@exec $(BIN)/python tools/run.py

test: dev ## Run every test on SQLite and PostgreSQL, and the walks through the pages in Chromium
	@$(BIN)/python -m tools.chromium
	@$(BIN)/python -m tools.catalogues compile
	@$(BIN)/pytest -q -n 2 --dist loadscope

check: dev ## Look at the sources: style, types, floors, migrations, catalogues, stylesheet
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.migrations
	$(BIN)/python -m tools.catalogues check
	$(BIN)/python -m tools.stylesheet check

format: dev ## Let ruff tidy the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

catalogues: dev ## Bring the catalogues of translations in step with the sources
	@$(BIN)/python -m tools.catalogues update

stylesheet: dev ## Trim Bootstrap to the classes that the templates use
	@$(BIN)/python -m tools.stylesheet

migration: dev ## Write a migration for changed models: make migration NAME="orders get a note"
	@$(BIN)/flask --app wsgi db upgrade
	@$(BIN)/flask --app wsgi db migrate -m "$(NAME)"

pins: dev ## Compile requirements*.txt anew from requirements*.in
	@for name in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11 \
	    --no-emit-index-url --no-header $$name.in --output-file $$name.txt || exit 1; done

pictures: dev ## Take the README's pictures anew
	@$(BIN)/python -m tools.pictures

bench: dev ## Measure the ledger against pgbench and psycopg and at a million transfers, and pages against a bare one
	@$(BIN)/python -m bench.ledger
	@$(BIN)/python -m bench.ledger_size
	@$(BIN)/python -m bench.pages

clean: ## Forget the database, the uploads and the caches (the virtual environment stays)
	rm -rf instance .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

python:
	@command -v $(PYTHON) >/dev/null || { echo "Jifen needs Python 3.11 or newer, and $(PYTHON) was not found."; exit 1; }

dev: python
	@$(PYTHON) tools/venv.py dev
