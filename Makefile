.DEFAULT_GOAL := help
FUZZTIME ?= 10m

.PHONY: help
help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: generate
generate: ## Refresh gen/ from spec/openapi.yaml
	go generate ./...

.PHONY: check
check: ## Fail if gen/ is out of step with the document
	go run ./cmd/solafon generate --check

.PHONY: test
test: ## Run every test, with the race detector
	go test -race ./...

.PHONY: fuzz
fuzz: ## Fuzz the decoder against another library for FUZZTIME (10m)
	go test ./gen/solafon -run '^$$' -fuzz FuzzDecodeUpdate -fuzztime $(FUZZTIME)

.PHONY: lint
lint: ## Run go vet and staticcheck
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck ./...

.PHONY: bench
bench: ## Measure generation beside oapi-codegen's own, as a ratio
	go test ./generator -run '^$$' -bench Generate -benchtime 20x

.PHONY: demo
demo: ## Watch a bot receive webhooks and answer them
	go run ./cmd/solafon demo
