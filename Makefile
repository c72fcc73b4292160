.DEFAULT_GOAL := help
FUZZTIME ?= 10m
DURATION ?= 10m

.PHONY: help
help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: generate
generate: ## Refresh gen/ and docs/api.md from spec/openapi.yaml
	go generate ./...

.PHONY: check
check: ## Fail if gen/ or docs/api.md is out of step with the document
	go run ./cmd/solafon generate --check --strict

.PHONY: test
test: ## Run every test, with the race detector
	go test -race ./...

.PHONY: fuzz
fuzz: ## Fuzz the codec against another library, and the client's reading of answers, for FUZZTIME (10m) each
	for target in FuzzDecodeUpdate FuzzDecodeInPlace FuzzCodec FuzzEncodeUpdate FuzzAnswer; do \
		go test ./gen/solafon -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
	done

.PHONY: lint
lint: ## Run go vet and staticcheck
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck ./...

.PHONY: bench
bench: ## Measure everything beside its peers (15 minutes) and write docs/performance.md
	cd bench && go build -o bench.out . && ./bench.out --write ../docs/performance.md

.PHONY: bench-quick
bench-quick: ## See that the bench works; its figures say little
	cd bench && go build -o bench.out . && ./bench.out --quick

.PHONY: soak
soak: ## Deliver to a bot for DURATION (10m) and print what it takes
	cd bench && go build -o soak.out ./soak && ./soak.out --duration $(DURATION)

.PHONY: breaking
breaking: ## Tell what would break callers since the last tag, or since SINCE
	@go run ./cmd/breaking $(if $(SINCE),--since $(SINCE))

.PHONY: demo
demo: ## Watch a bot receive webhooks and answer them
	go run ./cmd/solafon demo
