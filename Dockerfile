# syntax=docker/dockerfile:1

# meshvet in an image that holds nothing else: one program, linked statically, and the authorities that AWS is verified by.
#
#   docker build -t meshvet .
#   docker buildx build --platform linux/amd64,linux/arm64 -t meshvet .      compiled across, not emulated
#
# The same commit gives the same program: dependencies are locked, the toolchain is named, and no path or time of the build gets in.
# `scripts/dist` makes the image of both kinds of processor without a container engine: by this file's own commands. For one that is the
# same to the byte, hand in the commit's time and let the builder set all files to it:
#
#   docker buildx build --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" -o type=image,rewrite-timestamp=true .

# The version is rust-toolchain.toml's.
FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS build
ARG TARGETARCH
ARG SOURCE_DATE_EPOCH=0
WORKDIR /src

SHELL ["/bin/bash", "-euo", "pipefail", "-c"]

# ring and mimalloc have C in them: a compiler for the target, where it isn't this machine's own kind. The newest that Debian has:
# its security updates count more here than the same bytes.
# hadolint ignore=DL3008
RUN case "$TARGETARCH" in \
        amd64) gnu=x86_64 ;; \
        arm64) gnu=aarch64 ;; \
        *) echo "no build for '$TARGETARCH' (an empty one: build with BuildKit); add its compiler here" >&2; exit 1 ;; \
    esac; \
    echo "$gnu-unknown-linux-gnu" >/triple; \
    rustup target add "$gnu-unknown-linux-gnu"; \
    packages=(ca-certificates); \
    if [ "$(dpkg --print-architecture)" != "$TARGETARCH" ]; then \
        packages+=("gcc-${gnu/_/-}-linux-gnu" "libc6-dev-$TARGETARCH-cross"); \
    fi; \
    apt-get update; \
    apt-get install -y --no-install-recommends "${packages[@]}"; \
    rm -rf /var/lib/apt/lists/*

# The file rust-toolchain.toml, which also asks for what formats and lints, stays outside.
ENV RUSTUP_TOOLCHAIN=1.95.0 \
    CARGO_INCREMENTAL=0 \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CC_x86_64_unknown_linux_gnu=x86_64-linux-gnu-gcc \
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc \
    CFLAGS="-ffile-prefix-map=/src=. -ffile-prefix-map=/usr/local/cargo=cargo" \
    RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo"

# Tests and benchmarks are compiled by nobody here, but Cargo.toml names them.
COPY Cargo.toml Cargo.lock LICENSE ./
COPY benches benches
COPY examples examples
COPY tests tests
COPY src src
# How the program runs, by which it is optimized.
COPY profile profile
COPY scripts/profile scripts/profile
# What the webhook configuration sends, which `doctor` holds it against.
COPY charts/meshvet/conditions charts/meshvet/conditions
COPY scripts/notices scripts/notices

# --target even where it is this machine's own kind: without it the flags would hold for macros too, which can't be static. A commit's
# time would make what has C in it anew for each; with none at all mimalloc holds the time of day. Where nobody names a linker, Rust takes its own for amd64 on amd64.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,id=meshvet-target-$TARGETARCH,target=/src/target \
    triple="$(cat /triple)"; \
    export SOURCE_DATE_EPOCH=0; \
    if [ "$(uname -m)" = x86_64 ]; then unset CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER; fi; \
    RUSTFLAGS="$RUSTFLAGS $(scripts/profile flags "$TARGETARCH")"; \
    cargo build --locked --all-features --profile dist --target "$triple" --bin meshvet; \
    install -D -m 0755 "target/$triple/dist/meshvet" /image/usr/bin/meshvet; \
    install -d -m 0755 /image/usr/share/doc/meshvet; \
    scripts/notices "$triple" >/image/usr/share/doc/meshvet/THIRD-PARTY-NOTICES

RUN install -D -m 0644 LICENSE /image/usr/share/doc/meshvet/LICENSE; \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    echo 'meshvet:x:65532:65532:meshvet:/:/sbin/nologin' >/image/etc/passwd; \
    echo 'hosts: files dns' >/image/etc/nsswitch.conf; \
    find /image -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch
# The chart's appVersion and the tag; the commit it is of.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="meshvet" \
      org.opencontainers.image.description="Vets the TLS of service-mesh workloads before they reach the cluster" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/ /
# A number: runAsNonRoot can't look into names.
USER 65532:65532
EXPOSE 8443 8081
ENTRYPOINT ["/usr/bin/meshvet"]
CMD ["--help"]
