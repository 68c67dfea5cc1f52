# A static binary in an image that holds nothing else: no shell, no libc, no package manager.
#
#     docker build -t knowbe4-exporter .
#     docker buildx build --platform linux/amd64,linux/arm64 .
#
# Either architecture is built by the machine's own compiler, without emulation.
ARG BUILDPLATFORM

# The manifests of all packages with empty sources: what the layer of the dependencies depends on.
FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS manifests
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY benches ./benches
COPY crates ./crates
RUN find crates -type f ! -name Cargo.toml -delete \
    && find crates -type d -empty -delete \
    && for crate in . crates/*; do mkdir -p "$crate/src" && : >"$crate/src/lib.rs"; done \
    && for main in build.rs src/main.rs benches/*.rs; do echo 'fn main() {}' >"$main"; done

FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS build
ARG TARGETARCH
# The linker and the C library of the architecture that the image is for.
# hadolint ignore=DL3008
RUN own="$(dpkg --print-architecture)" && arch="${TARGETARCH:-$own}" \
    && case "$arch" in \
        amd64) rust=x86_64 gcc=x86-64 ;; \
        arm64) rust=aarch64 gcc=aarch64 ;; \
        *) echo "no image is made for $arch" >&2; exit 1 ;; \
    esac \
    && if [ "$arch" = "$own" ]; then gcc=gcc libc=libc6-dev; else gcc="gcc-$gcc-linux-gnu" libc="libc6-dev-$arch-cross"; fi \
    && apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates "$gcc" "$libc" \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$rust-unknown-linux-gnu" \
    && printf '%s\n' \
        "export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc" \
        "export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc" \
        "export TARGET=$rust-unknown-linux-gnu" \
        "export RUSTFLAGS='-C target-feature=+crt-static'" >/build.env
WORKDIR /src
COPY --from=manifests /src ./
RUN . /build.env && cargo build --release --locked --target "$TARGET"
COPY build.rs ./
COPY benches ./benches
COPY crates ./crates
COPY src ./src
COPY dashboards ./dashboards
COPY alerts ./alerts
COPY deploy/systemd ./deploy/systemd
ARG REVISION=unknown
# Cargo goes by times, and the sources are older than the empty ones were.
RUN find build.rs src crates -name '*.rs' -exec touch {} + \
    && . /build.env \
    && BUILD_REVISION="$REVISION" cargo build --release --locked --target "$TARGET" --bin knowbe4-exporter \
    && mkdir -p /out/folders \
    && mkdir -m 0770 /out/folders/data \
    && mkdir -m 1777 /out/folders/tmp \
    && cp "target/$TARGET/release/knowbe4-exporter" /out/

FROM scratch
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="knowbe4-exporter" \
      org.opencontainers.image.description="Prometheus exporter for KnowBe4, within the API's daily quota" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/knowbe4-exporter/knowbe4-exporter" \
      org.opencontainers.image.documentation="https://github.com/knowbe4-exporter/knowbe4-exporter/tree/main/docs" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/knowbe4-exporter /knowbe4-exporter
# /data for the state, which group 0 may write, as OpenShift's users do; /tmp for what demo keeps. Their parent is copied, as
# the folder that COPY names loses its mode.
COPY --from=build --chown=65532:0 /out/folders/ /
USER 65532:65532
ENV KNOWBE4_EXPORTER_STORAGE_PATH=/data
VOLUME /data
EXPOSE 10524
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/knowbe4-exporter", "health"]
ENTRYPOINT ["/knowbe4-exporter"]
