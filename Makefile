PYTHON ?= python3
BIN := .venv/bin
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile --benchmark-disable

.PHONY: bench test verify speed reference articles docs lint type clean

bench: .venv/installed
	$(BIN)/bench suites/quickstart.yaml suites/quick-generation.yaml

# Everything but the long simulations and trainings: at most 6 minutes on two idle cores.
test: .venv/installed
	$(PYTEST) -m 'not verify'

# The long simulations and trainings.
verify: .venv/installed
	$(PYTEST) -m verify

speed: .venv/installed
	$(BIN)/python -m pytest tests/speed --benchmark-enable --benchmark-only

# The reference runs in results/reference/; what is stored is skipped.
reference: .venv/installed
	$(BIN)/python tests/docs/reference.py

# The pages in docs/articles/, from the claims of the suites and the reference runs.
articles: .venv/installed
	$(BIN)/python tests/docs/articles.py

# The documentation as a site, in build/site; MathJax comes from npm. Warnings are errors.
docs: .venv/installed build/static/mathjax/tex-svg.js
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[docs]'
	$(BIN)/python -m sphinx -q -W --keep-going -c docs . build/site

build/static/mathjax/tex-svg.js:
	mkdir -p $(@D)
	cd $(@D) && tar -xmzf "$$(npm pack --silent mathjax@3.2.2)" --strip-components=2 package/es5/tex-svg.js && rm *.tgz

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: .venv/installed
	$(BIN)/mypy

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Touchstone needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[test]'
	$(BIN)/python -m compileall -q harness plugins
	touch $@

clean:
	rm -rf .venv results/.cache results/records results/runs results/units
