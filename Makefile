# The commands of this project. Each does its own set-up and may be run again at any time.

.DEFAULT_GOAL := help
.PHONY: help run build test test-swift test-e2e lint format bench fuzz sanitize screenshots clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## Build the hub and run it here with its own MariaDB and nginx; Ctrl-C stops all of it
	@.make/run

build: ## Build the program into .build/release/hub
	@.make/build

test: ## Run everything: Swift tests, lint, nginx + hub + MariaDB with a real browser
	@.make/test all

test-swift: ## Run the Swift tests alone (ONLY=CipherKit for one target)
	@.make/test swift

test-e2e: ## Run the end-to-end tests alone (ONLY=dump for the files or names that hold the word)
	@.make/test e2e

lint: ## Check the format of the Swift, the shell scripts and the nginx configuration
	@.make/lint

format: ## Bring the Swift into the project's format
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

bench: ## Measure the hub beside a static file, a bare C responder, PHP-FPM and Django (ONLY=webhooks, inbound or oauth for these alone)
	@.make/bench

fuzz: ## Call every address of the API by its own description for ten minutes (HUB_FUZZ_SECONDS for another time)
	@HUB_FUZZ_SECONDS=$${HUB_FUZZ_SECONDS:-600} ONLY=test_fuzz .make/test e2e

sanitize: ## Run the Swift tests under the address and the thread sanitizer
	@.make/sanitize

screenshots: ## Photograph every page, wide and narrow, light and dark, into Tests/EndToEnd/screenshots
	@ONLY=screenshots .make/test e2e

clean: ## Remove what was built; the state in .hub stays
	@rm -rf .build .venv Tests/EndToEnd/screenshots
