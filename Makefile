# Two commands matter: "make run" and "make test". Each installs what is missing. "make help" lists the rest.

GO        ?= go
PROMPT    ?= Tell me a story about a fox and a kite.
QUIRE_DATA ?= $(CURDIR)/../shared/data
TIMEOUT   ?= 90m
export QUIRE_DATA

# Packages whose tests use the GPU: they run on every host. Those that take longest start first.
GPU_PACKAGES = ./engine/attention/... ./engine/kernel/... ./engine ./tests/golden/... ./engine/bench/... ./engine/train/... \
	./engine/gpu/... ./engine/model/... ./engine/runner/...
# Compiling kernels, which is most of the time on software GPUs, keeps one core busy: two packages run at once.
# The native run vets; "make lint" does for the other hosts.
# Without DWARF, which stack traces do not need, tests link in two thirds of the time.
TEST   = $(GO) test -json -p 2 -ldflags=-w -timeout $(TIMEOUT)
NATIVE = native=$(TEST) ./tests/browser ./engine/attention ./tests/golden ./tests/cli ./engine/kernel ./...
OLDER  = cogentcore=$(TEST) -vet=off -tags cogentcore $(GPU_PACKAGES)
TAB    = browser=GOOS=js GOARCH=wasm $(TEST) -vet=off -exec $(CURDIR)/bin/wasmexec $(GPU_PACKAGES) ./cmd/wasm
IN_FOX = GOOS=js GOARCH=wasm $(TEST) -vet=off -exec "$(CURDIR)/bin/wasmexec --browser firefox"
FOX    = firefox=$(IN_FOX) $(GPU_PACKAGES)
FOX_PAGE = page=QUIRE_ALL=1 $(TEST) -run ^TestFirefox ./tests/browser
# With everything else Firefox takes a part: the bridge to its WebGPU, models, and every type of weights.
PART   = firefox=$(IN_FOX) ./engine/gpu ./engine/model && $(IN_FOX) -run "^Test(Embed|Repack|Weights|Linear)" ./engine/kernel
# What their tests read of the data that is not in the project, but for SmolLM2.
KIT_DATA = models/stories260K.gguf golden/stories260K/*.json golden/stories260K/*.logits.f32 \
	families/llama-linear.* families/qwen2.* families/quant-q8_0.* families/quant-q5_0.* families/quant-q6_k.* traces/AzureLLMInferenceTrace_conv.csv

.PHONY: run dist docs test browsers test-all test-native test-cogentcore test-browser test-firefox build bench bench-gpu bench-web bench-peers bench-attention kit fuzz lint fmt clean help FORCE

run: ## generate a story with the built-in model
	@.ci/install compiler vulkan
	@$(MAKE) --no-print-directory bin/quire
	@echo '> bin/quire run "$(PROMPT)"' >&2
	@bin/quire run "$(PROMPT)"

test: ## run all tests: native on both bindings, in Chromium, some in Firefox, the page, the command line
	@.ci/install compiler
	@$(MAKE) --no-print-directory -j2 browsers build bin/wasmexec bin/report
	bin/report -log bin/test.json '$(NATIVE)' '$(OLDER)' '$(TAB)' '$(PART)'

# What tests need to run comes while they are built.
browsers:
	@.ci/install vulkan chromium firefox

test-all: lint fuzz ## linters, a short fuzz run, and tests of every combination and every golden prompt: takes hours without a GPU
	@.ci/install nginx python
	$(MAKE) --no-print-directory test QUIRE_ALL=1 TIMEOUT=6h

test-native: build bin/report ## run the tests on the default binding only
	bin/report -log bin/test.json '$(NATIVE)'

test-cogentcore: bin/report ## run the GPU tests on cogentcore/webgpu only
	bin/report -log bin/test.json '$(OLDER)'

test-browser: bin/wasmexec bin/report ## run the GPU tests in Chromium only
	bin/report -log bin/test.json '$(TAB)'

test-firefox: build bin/wasmexec bin/report ## run the GPU tests and the page's in Firefox only
	@.ci/install vulkan chromium firefox
	bin/report -log bin/test.json '$(FOX)' '$(FOX_PAGE)'

build: web/dist/quire.wasm ## build web/dist/, and bin/quire with the page in it
	@$(MAKE) --no-print-directory bin/quire

# quire serve shows the page where it has been built.
bin/quire: FORCE
	$(GO) build $$(test -f web/dist/quire.wasm && echo -tags page) -o $@ ./cmd/native

bin/%: FORCE
	$(GO) build -o $@ ./tests/$*

# What runs once a model or a request is a quarter smaller without inlining. What runs every step is inlined, but for paging, of which a
# step calls little and the program has much. The collector before "Green Tea" is smaller, too.
SMALL = GOOS=js GOARCH=wasm GOEXPERIMENT=nogreenteagc $(GO) build -trimpath -ldflags='-s -w' -overlay bin/_tab/overlay.json \
	$(patsubst %,-gcflags=%=-l,fmt html strings syscall time sync syscall/js internal/fmtsort reflect quire/...) \
	$(patsubst %,-gcflags=%=,quire/engine/schedule quire/engine/step)

web/dist/quire.wasm: FORCE
	@mkdir -p web/dist
	cp -r $(filter-out %.go web/dist web/libraries web/examples,$(wildcard web/*)) web/dist/
	cp "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" cmd/native/model/quire-tales.gguf LICENSE web/dist/
	.ci/libraries
	$(GO) run ./cmd/wasm/shrink --overlay bin/_tab
	$(SMALL) -o bin/_tab/quire.wasm ./cmd/wasm
	$(SMALL) -o bin/_tab/quire-bench.wasm ./cmd/wasm/bench
	$(GO) run ./cmd/wasm/shrink bin/_tab/quire.wasm bin/_tab/quire-bench.wasm web/dist
	$(GO) run ./cmd/wasm/shrink --scripts web/dist
	.ci/offline

dist: ## pack binaries for linux and windows on amd64 and linux on arm64 into bin/dist/; DIST names some of them
	@.ci/dist $(DIST)

bench: bin/quire ## measure the built-in model
	bin/quire bench --prompt 64 --gen 64 --batch 1,8

bench-gpu: bin/quire ## measure named shapes with random weights; needs a GPU
	bin/quire bench --shape llama-1b --type q4_0 --prompt 512,2048 --gen 128 --batch 1,8
	bin/quire bench --shape qwen-0.5b --type q8_0 --prompt 512,2048 --gen 128 --batch 1,8

bench-web: bin/wasmexec ## "quire bench" in Chromium; ARGS are its flags: make bench-web ARGS="--shape llama-1b --pp 512 --json"
	@$(GO) run ./cmd/wasm/shrink --overlay bin/_tab
	@$(SMALL) -o bin/_tab/bench-web.wasm ./tests/benchmarks/web
	@bin/wasmexec bin/_tab/bench-web.wasm $(ARGS)

bench-peers: build ## measure wllama, transformers.js and llama.cpp (from npm) beside Quire; ARGS="-shape tiny -software …", see ARGS=-h
	@.ci/peers
	bin/peers/peers $(ARGS)

bin/peers.tar.xz: build ## pack what bench-peers needs, for a machine without a network
	.ci/peers pack

bench-attention: bin/quire ## measure flash and standard attention, with charts in bin/attention/
	bin/quire bench attention --charts bin/attention

kit: ## fill bin/kit with what measures and tests on a GPU machine without Go, and pack it (see tests/benchmarks/kit.sh)
	rm -rf bin/kit bin/kit-*
	$(GO) build -ldflags='-s -w' -o bin/kit/native/quire ./cmd/native
	CGO_ENABLED=0 $(GO) build -ldflags='-s -w' -o bin/kit/tab/wasmexec ./tests/wasmexec
	$(GO) test -c -ldflags='-s -w' -o bin/kit/native/ $(GPU_PACKAGES)
	$(GO) test -c -ldflags='-s -w' -tags cogentcore -o bin/kit/cogentcore/ $(GPU_PACKAGES)
	GOOS=js GOARCH=wasm $(GO) test -c -ldflags='-s -w' -o bin/kit/tab/ $(GPU_PACKAGES)
	$(GO) run ./cmd/wasm/shrink --overlay bin/_tab
	$(SMALL) -o bin/kit/tab/bench-web.wasm ./tests/benchmarks/web
	cp "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" bin/kit/tab/
	cp tests/benchmarks/kit.sh bin/kit/
	cp -r tests/testdata/data bin/kit/
	cp cmd/native/model/quire-tales.gguf bin/kit/data/models/
	cd $(QUIRE_DATA) && cp --parents $(KIT_DATA) $(CURDIR)/bin/kit/data/
	chmod -R u+w bin/kit/data
	for part in native cogentcore tab data; do \
		tar -C bin/kit -c kit.sh $$part | xz --lzma2=preset=6,dict=64MiB >bin/kit-$$part.tar.xz || exit 1; \
	done
	split -b 50M $(QUIRE_DATA)/models/SmolLM2-135M-Instruct.Q4_1.gguf bin/kit-model.

fuzz: ## fuzz every parser for ten seconds
	@.ci/install compiler
	@GO='$(GO)' .ci/fuzz

docs: ## write docs/quire.md, the manual page, from the flags
	$(GO) run ./cmd/native manual > docs/quire.md.new && mv docs/quire.md.new docs/quire.md

lint: ## gofmt, and vet for all three hosts
	@.ci/install compiler
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run "make fmt"'; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags cogentcore ./...
	GOOS=js GOARCH=wasm $(GO) vet ./engine/... ./paging/... ./shaders/... ./cmd/wasm/...

fmt: ## format all Go files
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built
	rm -rf bin web/dist

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18
