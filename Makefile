# Everything here needs Go, make and git, nothing else. The encoder in media/opus
# is tested as well where libopus is, microphones and loudspeakers where PulseAudio
# is, and the official browser SDK is put beside this one where Chromium and npm are.

GO ?= go

# Pinned tools, fetched through the module proxy when they are first used.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# Per fuzz target. A number of runs ends cleanly; a time makes go test fail now and then
# with "context deadline exceeded" when its end meets a run under way (golang/go#75804).
FUZZTIME  ?= 10000x
BENCHTIME ?= 1s
SOAK      ?= 15s
CALLS     ?= 2000
PLOT      ?= weather.png

# The race detector needs cgo and a C compiler; media/opus needs libopus as well, and
# the tests of media/soundcard need PulseAudio.
CC   := $(shell $(GO) env CC)
CGO  := $(shell [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v $(firstword $(CC)) >/dev/null 2>&1 && echo yes)
RACE := $(CGO:yes=-race)
OPUS := $(if $(CGO),$(shell pkg-config --exists opus 2>/dev/null && echo yes))
PULSE := $(if $(CGO),$(shell command -v pulseaudio >/dev/null && command -v pactl >/dev/null && echo yes))

# The browser suite needs Chromium and, from npm, the official SDK. BROWSER=yes insists.
SDK     := testdata/browser/node_modules/.package-lock.json
BROWSER  = $(shell for c in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
  [ -n "$$c" ] && command -v "$$c" >/dev/null && [ -e $(SDK) ] && echo yes && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo demo-survive demo-weather test race bench lint fuzz fuzz-short tidy-check fmt-check vuln unit opus browser browser-install soak soak-calls otel nats soundcard checks

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## a session and two calls, in less than a minute
	@$(GO) run ./cmd/demo

demo-survive: ## kill -9 in mid-call: the next process goes on with the call, in ten seconds
	@$(GO) run ./cmd/demo survive

demo-weather: ## a call lives through loss, jitter, delay and cuts, and is drawn: a minute and a half (PLOT=weather.png)
	@$(GO) run ./cmd/demo weather -plot $(PLOT)

# In two steps, because a make knows only what was there when it began.
test: ## everything that must pass: lint, unit tests and examples, a short fuzz run
	@[ -n "$(OPUS)" -a -n "$(PULSE)" ] || { echo 'installing what media/opus and media/soundcard need, if that can be'; .ci/packages >/dev/null 2>&1 || true; }
	@[ -n "$(BROWSER)" ] || echo 'installing Chromium and the official browser SDK, if that can be'
	@$(MAKE) --no-print-directory browser-install >/dev/null 2>&1 || true
	@$(MAKE) --no-print-directory checks

checks:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory fuzz-short
	@$(MAKE) --no-print-directory opus
	@$(MAKE) --no-print-directory otel
	@$(MAKE) --no-print-directory nats
	@[ -z "$(PULSE)" ] || $(MAKE) --no-print-directory soundcard
	@[ -z "$(BROWSER)" ] || $(MAKE) --no-print-directory browser
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory soak
ifneq ($(OPUS),yes)
	@printf '\n*** MEDIA/OPUS WAS NOT TESTED: it needs cgo, a C compiler, pkg-config and libopus (.ci/packages).\n\n'
endif
	@[ -n "$(PULSE)" ] || printf '\n*** MEDIA/SOUNDCARD WAS NOT TESTED: it needs cgo, a C compiler and PulseAudio (.ci/packages).\n\n'
	@[ -n "$(BROWSER)" ] || printf '\n*** THE BROWSER SUITE WAS NOT RUN: it needs Chromium, and npm for the official SDK. Install them, then: make browser\n\n'

unit: # the tests alone; their output comes last
ifeq ($(RACE),)
	@printf '\n*** WITHOUT THE RACE DETECTOR: it needs cgo and a C compiler (%s), and one is missing.\n\n' '$(CC)'
endif
	$(GO) test $(RACE) -timeout 20m ./...

# Modules of their own, so that nothing else needs libopus and cgo.
opus:
ifeq ($(OPUS),yes)
	@for module in media/opus media/opus/opustest; do \
	  (cd $$module && set -x && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) test $(RACE) -timeout 5m ./...) || exit 1; \
	done
endif

# A module of its own, so that nothing else depends on OpenTelemetry.
otel:
	cd session/otelsession && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) test $(RACE) -timeout 5m ./...

# A module of its own, so that nothing else needs NATS.
nats:
	cd session/natsstorage && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) test $(RACE) -timeout 10m ./...

# A module of its own, so that nothing else needs cgo. As root on Debian this installs PulseAudio too.
soundcard: ## microphones and loudspeakers, against a PulseAudio of their own
	@[ -n "$(PULSE)" ] || .ci/packages
	cd media/soundcard && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) test $(RACE) -timeout 10m ./...

# A module of its own, so that nothing else needs Chromium and npm.
browser: browser-install ## the official browser SDK in Chromium, and this one beside it
	cd internal/interop && $(GO) mod tidy -diff && $(GO) vet ./... && $(GO) test -count 1 -parallel 4 -timeout 10m ./...

# As root on Debian this installs Chromium and npm too. The SDK is locked, and no script of a package is run.
browser-install:
	@[ -n "$(BROWSER)" ] || .ci/packages
	@[ $(SDK) -nt testdata/browser/package-lock.json ] || npm ci --prefix testdata/browser --ignore-scripts --no-audit --no-fund

# The unit tests have it too, with fewer calls, for the race detector.
soak: ## fifty calls of real media live through random faults (SOAK=15s)
	CALLRX_SOAK=$(SOAK) $(GO) test -count 1 -timeout 3h -v -run '^TestCallsLiveThroughRandomFaults$$' ./session

soak-calls: ## two thousand calls of real media leave nothing behind (CALLS=2000)
	CALLRX_CALLS=$(CALLS) $(GO) test -count 1 -timeout 1h -v -run '^TestCallsLeaveNothingBehind$$' ./session

race: ## the tests three times under the race detector
	$(GO) test -race -count 3 -timeout 10m ./...

bench: ## every benchmark, with allocations (BENCHTIME=1s)
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

# The modules beside this one. That of sound cards needs cgo, those of Opus need libopus as well.
MODULES := internal/interop session/natsstorage session/otelsession $(if $(CGO),media/soundcard) $(if $(OPUS),media/opus media/opus/opustest)

lint: fmt-check tidy-check ## gofmt, go mod tidy, vet, staticcheck, the last one in every module
	$(GO) vet ./...
	@if $(GO) run $(STATICCHECK) -version >/dev/null 2>&1; then \
	  for module in . $(MODULES); do \
	    echo "in $$module: $(GO) run $(STATICCHECK) ./..."; (cd $$module && $(GO) run $(STATICCHECK) ./...) || exit 1; \
	  done; \
	else \
	  printf '\n*** STATICCHECK WAS NOT RUN: %s cannot be fetched.\n\n' '$(STATICCHECK)'; [ -z "$(CI)" ]; \
	fi

fmt-check:
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi

tidy-check: ## is go.mod what go mod tidy would write?
	$(GO) mod tidy -diff

# The two decoders that strangers can reach: frames, and the headers of tokens.
fuzz-short:
	$(GO) test -run '^$$' -fuzz '^FuzzDecode$$' -fuzztime $(FUZZTIME) ./internal/wire
	$(GO) test -run '^$$' -fuzz '^FuzzTokenHosts$$' -fuzztime $(FUZZTIME) ./session

fuzz: ## each fuzz target for a moment (FUZZTIME=10000x)
	@grep -ro --include='*_test.go' --exclude-dir=opus '^func Fuzz[A-Za-z0-9_]*' . | sed 's,/[^/]*_test.go:func , ,' | \
	while read -r package target; do \
	  echo "$(GO) test -run '^$$' -fuzz '^$$target\$$' -fuzztime $(FUZZTIME) $$package"; \
	  $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	done

# Advice, not a gate: what it finds changes with the day and with the Go release. Its
# data is not on the module proxy.
vuln: ## known vulnerabilities, if the data can be reached
	@if $(GO) run $(GOVULNCHECK) -version 2>/dev/null | grep -q '^DB updated'; then \
	  echo '$(GO) run $(GOVULNCHECK) ./...'; \
	  $(GO) run $(GOVULNCHECK) ./... || printf '\n*** GOVULNCHECK FOUND SOMETHING, see above. It does not fail the build.\n\n'; \
	else \
	  printf '\n*** GOVULNCHECK WAS NOT RUN: its data at vuln.go.dev cannot be reached.\n\n'; \
	fi
