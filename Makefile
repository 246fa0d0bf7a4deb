# make help lists what can be done here.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

CARGO ?= cargo

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## Pollen at work for half a minute: a simulated ServiceNow changes, its events arrive
	@CARGO="$(CARGO)" examples/demo/run

.PHONY: demo-cluster
demo-cluster: ## The same on a real control plane, with the chart and kubectl
	@CARGO="$(CARGO)" examples/demo/run-in-cluster

.PHONY: test
test: lint ## Everything that must hold: format, lints, tests, generated files
	$(CARGO) test --workspace --locked

.PHONY: lint
lint: ## Format and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

.PHONY: kill
kill: ## kill -9 at random moments while records change, locally and in a cluster [KILLS=200] [SEED=]
	KILLS="$(KILLS)" SEED="$(SEED)" $(CARGO) test --locked --test wire --test cluster -- --ignored --nocapture no_kill_of_many

.PHONY: soak
soak: ## Random histories against the engine: MINUTES=10, HISTORIES=100000, FROM=seed, or SEED=n for one
	@MINUTES="$(MINUTES)" HISTORIES="$(HISTORIES)" FROM="$(FROM)" SEED="$(SEED)" \
	  $(CARGO) test --release --locked --test histories -- --ignored --exact --nocapture soak::soak

.PHONY: outage
outage: ## Half an hour beside a callback that dies and recovers, simulated: delays, backlog, memory [EACH=1 s]
	EACH="$(or $(EACH),1)" $(CARGO) test --locked --test outage -- --nocapture

.PHONY: mutants
mutants: ## Break the engine in many ways, each of which a test must catch; writes docs/mutations.md [RESUME=1] [ONLY=text]
	ONLY="$(ONLY)" RESUME="$(RESUME)" $(CARGO) test --locked --test mutations -- --ignored --exact --nocapture every_change_is_caught

.PHONY: bench
bench: ## Throughput and memory, beside a bare client
	$(CARGO) bench --bench throughput --locked

.PHONY: verify-signatures
verify-signatures: ## What is posted, checked by the JavaScript and Python libraries of Standard Webhooks (needs node or Python)
	@CARGO="$(CARGO)" tests/signatures/run

.PHONY: compare
compare: ## Pollen beside airbyte-cdk and dlt, scenario by scenario, into docs/compare.md (needs Python)
	@python="$$(benches/compare/prepare)" && $(CARGO) bench --profile dev --bench compare --locked -- "$$python"

.PHONY: bench-window
bench-window: ## What a window of a million versions costs: memory, loading, comparing, storing
	$(CARGO) test --release --locked --lib -- --ignored --nocapture poll::window::figures

.PHONY: bench-memory
bench-memory: ## Resident memory of an operator at rest, in a cluster
	$(CARGO) test --release --locked --test cluster -- --ignored --nocapture operator::memory

.PHONY: fmt
fmt: ## Format the sources
	$(CARGO) fmt --all

.PHONY: generate
generate: ## Write the generated files anew (CRDs, reference, snapshots)
	UPDATE_GENERATED=1 $(CARGO) test --workspace --locked

.PHONY: clean
clean: ## Remove what was built
	$(CARGO) clean
