# The commands of this repository. `make help` lists them.

TOLLGATE := target/release/tollgate

.DEFAULT_GOAL := build
.PHONY: build run test bench fmt lint help dashboard

build: dashboard ## Build the release binary, with the dashboard in it
	cargo build --release --locked --package tollgate-app

run: build ## Build and run it; ARGS="--listen 127.0.0.1:9000" is passed on
	$(TOLLGATE) serve $(ARGS)

test: ## Run every test there is (the list is in tests/run)
	@tests/run

bench: ## Measure against nginx and a minimal hyper proxy; ARGS is passed on
	cargo run --release --locked --package tollgate-bench -- $(ARGS)

fmt: ## Format the code
	cargo fmt --all

lint: ## Check format, lints and the rules of the house
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo xtask tidy

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The binary embeds dashboard/dist. A checkout without a dashboard builds a gateway without one.
ifneq ($(wildcard dashboard/package.json),)
dashboard: dashboard/node_modules/.package-lock.json
	npm run build --prefix dashboard

# npm writes this file last, so an interrupted install is repeated.
dashboard/node_modules/.package-lock.json: dashboard/package.json dashboard/package-lock.json
	npm ci --prefix dashboard
endif
