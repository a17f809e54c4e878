PYTHON ?= python3
BIN := .venv/bin
FUZZ_SECONDS ?= 60

.PHONY: run test audit attack fuzz soak bench install install-dev browser broker database clean

run: install  ## serve the dashboard on http://127.0.0.1:8501
	$(BIN)/python -m gad_core.workspace
	$(BIN)/python -m streamlit run app.py

install: .venv/installed

install-dev: .venv/installed-dev

.venv/installed: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/installed-dev: requirements.txt requirements-cluster.txt requirements-postgresql.txt requirements-dev.txt requirements-quantus.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --requirement requirements-quantus.txt
	touch .venv/installed $@

browser:  ## the Chromium that the browser tests drive
	@if command -v chromium >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update --quiet --quiet && apt-get install --yes --quiet --quiet chromium >/dev/null; \
	else \
		echo "The browser tests need Chromium: install the package 'chromium' so that the command chromium is found."; exit 1; \
	fi

broker:  ## the MQTT broker that a test publishes to; without one the test is skipped
	@if command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update --quiet --quiet && apt-get install --yes --quiet --quiet mosquitto >/dev/null; \
	else \
		echo "The test with an MQTT broker is skipped: the package 'mosquitto' is not installed."; \
	fi

attack: install-dev browser database  ## hostile and odd inputs, all of them; the tests take a sample
	GAD_ATTACKS=all $(BIN)/python -m pytest tests/attacks
	GAD_ATTACKS=all $(BIN)/python -m pytest tests/workspace tests/pages/test_soak.py  # on both databases; the soak in small

database:  ## the PostgreSQL of which the tests start a server of their own; without it they are skipped
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update --quiet --quiet && apt-get install --yes --quiet --quiet postgresql >/dev/null; \
	else \
		echo "The tests with PostgreSQL are skipped: the package 'postgresql' is not installed."; \
	fi

test: install-dev browser broker database  ## lint, types, import contract, tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -m "not browser" --numprocesses auto --dist loadfile --durations 30
	$(BIN)/python -m pytest -m browser --durations 15  # alone: a busy machine is what it must not measure

audit: install  ## known vulnerabilities of all that is installed; they are asked for over the internet
	$(BIN)/python -m pip install --quiet --requirement requirements-audit.txt
	$(BIN)/python -m pip freeze --local --exclude-editable | sed 's/+[a-z0-9.]*$$//' > .venv/audited
	@$(BIN)/pip-audit --strict --no-deps --disable-pip --progress-spinner off --requirement .venv/audited || { \
		echo "Not clean: either vulnerabilities are listed above, or nobody could be asked about a package."; \
		echo "Where it says 'could not be audited' or 'connection', nothing is known: run it with the internet."; \
		exit 1; }

fuzz: install-dev  ## made-up inputs for each door, FUZZ_SECONDS long; what breaks one is left in .fuzz/
	$(BIN)/python -m pip install --quiet --requirement requirements-fuzz.txt
	for door in csv gad image zip; do $(BIN)/python -m tests.fuzz.run $$door $(FUZZ_SECONDS) || exit 1; done

soak: install-dev browser  ## eight browser sessions for five minutes: every number checked, memory given back
	$(BIN)/python -W ignore -m benchmarks.soak

bench: install-dev browser .venv/bench/installed  ## every ratio of docs/benchmarks.md, written there anew
	GAD_BENCH_PYTHON=.venv/bench/bin/python $(BIN)/python -W ignore -m benchmarks.suite

.venv/bench/installed: requirements.txt requirements-bench.txt  # anomalib's own environment; without it, that is said
	test -x .venv/bench/bin/python || $(PYTHON) -m venv .venv/bench
	-.venv/bench/bin/python -m pip install --quiet --requirement requirements-bench.txt
	touch $@

clean:
	rm -rf .venv .fuzz .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
