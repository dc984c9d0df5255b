# Two commands do everything on a fresh machine: `make demo` and `make test`.
PY ?= python3
BIN := .venv/bin

.PHONY: setup setup-dev setup-peers desktop demo test check format bench soak clean

setup: .venv/.runtime centrala/web/dist/index.html   ## .venv with the `centrala` command, and its pages
setup-dev: .venv/.dev
setup-peers:                     ## foreign programs that the peer tests call (Debian packages)
	@scripts/peers

.venv/.runtime: pyproject.toml
	@test -x $(BIN)/python || $(PY) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.dev: pyproject.toml
	@test -x $(BIN)/python || $(PY) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/.runtime

DESKTOP := $(shell find desktop -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
centrala/web/dist/index.html: .venv/.runtime $(DESKTOP)
	@scripts/desktop
	@touch $@

desktop: centrala/web/dist/index.html    ## the pages

demo: setup                      ## a living centre on this machine
	$(BIN)/centrala demo

check: setup-dev desktop         ## format, lint, types, import contracts, unit tests; the same for the pages
	$(BIN)/ruff format --check centrala tests benchmarks
	$(BIN)/ruff check centrala tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@scripts/desktop check
	$(BIN)/python -m pytest -n 2 -m unit

format: setup-dev
	$(BIN)/ruff format centrala tests benchmarks
	$(BIN)/ruff check --fix centrala tests benchmarks

test: setup-dev setup-peers desktop      ## every test, with the foreign peers
	$(BIN)/python -m pytest -n 4 --dist worksteal -r R --durations=40 -m "not soak"

bench: setup-dev setup-peers desktop     ## figures, printed and kept in benchmarks/out/*.json
	$(BIN)/python -m benchmarks

soak: setup-dev setup-peers desktop      ## what takes longer than twenty minutes
	$(BIN)/python -m pytest -m soak --timeout 0

clean:
	rm -rf .venv build dist
