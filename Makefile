# Two commands are enough: `make run` and `make test`. `make help` lists the others.

.DEFAULT_GOAL := help
.PHONY: help run test build bench bench-live install clean

# Taken literally, so that a file name may hold a dollar sign.
export RUN_AUDIO := $(value AUDIO)
export RUN_MODEL := $(value MODEL)
export RUN_TASK := $(value TASK)
export RUN_SRT := $(value SRT)
export BENCH_MANIFEST := $(value MANIFEST)
# gettext has an environment variable of this name, so it counts on the command line only.
ifeq ($(origin LANGUAGE),command line)
export RUN_LANGUAGE := $(value LANGUAGE)
endif

help:
	@echo "make run       real speech to subtitles: installs what is missing, builds, shows, leaves an .srt"
	@echo "               AUDIO=talk.mp4   a file of your own, or a URI   (default: a sample of read English)"
	@echo "               MODEL=base       a model's name or path          (default: tiny.en)"
	@echo "               LANGUAGE=auto    a language code, or auto        (default: en)"
	@echo "               TASK=translate   transcribe, or translate to English"
	@echo "               SRT=talk.srt     where the subtitles go          (default: beside the file)"
	@echo "make test      every check: format, lints, dependencies, documentation, tests"
	@echo "make build     the plugin, target/release/libgstwhispernpu.so"
	@echo "make bench     each kernel, each stage, and whole transcriptions beside other programs"
	@echo "make bench-live MANIFEST=clips.tsv"
	@echo "               error rate, delay and cost of live subtitles; the manifest is that of docs/accuracy.md"
	@echo "make install   the plugin into GStreamer's plugin folder; DESTDIR=/some/root for packagers"
	@echo "make clean     removes what was built; models stay"

run:
	@scripts/run

test:
	@scripts/test

build:
	@scripts/setup build
	cargo build --release --locked

bench:
	@scripts/setup build
	scripts/get-model tiny.en base silero-vad
	cargo bench --locked --no-default-features --features npu-emulator
	cargo build --release --locked --no-default-features --example bench
	-benches/peers/set-up
	benches/peers/compare --markdown target/bench/peers.md --csv target/bench/peers.csv --svg target/bench/peers.svg

bench-live:
	@test -f "$$BENCH_MANIFEST" || { echo "expected MANIFEST=FILE, recordings with what is said in them (docs/accuracy.md)" >&2; exit 1; }
	@scripts/setup build
	scripts/get-model base silero-vad
	scripts/get-normaliser
	cargo build --release --locked --example wer --example live
	benches/live/compare --manifest "$$BENCH_MANIFEST" --markdown target/bench/live.md --json target/bench/live.json --svg target/bench/live.svg

install:
	@scripts/setup install
	@scripts/install

clean:
	cargo clean
	rm -rf build
