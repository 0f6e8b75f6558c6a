# Everything that is done to this repository more than once: `just --list`. `scripts/test` needs no just.

[private]
default:
    @just --list

# Formats the code.
fmt:
    cargo fmt --all

# What clippy and rustfmt have to say.
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- -D warnings

# Fetches what the tests need and runs all of them, as CI does.
test *ARGUMENTS:
    scripts/test {{ ARGUMENTS }}

# Fetches and builds the real servers that the tests run on.
parts:
    scripts/parts

# The suite on a real API server; give a part of a test's name to run some: `just e2e wrong_name`.
e2e *FILTER:
    cargo test --locked --test cluster -- {{ FILTER }}

# Random pairs of client and server through real Envoys, more than the suite's; each seed gives others.
pairs COUNT="2000" SEED="1":
    MESHVET_PAIRS={{ COUNT }} MESHVET_SEED={{ SEED }} cargo test --locked --test envoy -- "random pairs agree"

# Dependencies: versions, licences, sources, and known vulnerabilities (whose list comes from the network).
deny:
    "$(scripts/parts cargo-deny)" check

# The crate's documentation, private items too, with broken links as errors.
docs:
    RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --locked --all-features --no-deps --document-private-items

# docs/rules, made anew from the rules' own documentation.
rules:
    cargo run --locked -- explain --write docs/rules

# deploy/meshvet.yaml, rendered anew from the chart.
deploy:
    scripts/deploy
# The table of docs/metrics.md, made anew from the figures themselves.
metrics:
    MESHVET_WRITE_DOCS=1 cargo test --locked --lib docs_metrics_is_fresh

# The benchmarks; give a part of a name to run some.
bench *FILTER:
    cargo bench --locked -- {{ FILTER }}

# Each fuzz target for so many seconds, or one of them: `just fuzz 600 pem`.
fuzz SECONDS="300" *TARGETS:
    scripts/fuzz {{ SECONDS }} {{ TARGETS }}

# The Dockerfile's build stage outside a container, and what it makes as the only thing in its root folder. Takes a release build.
image:
    scripts/dockerfile build
