# A static binary in an image that holds nothing else: no shell, no libc, no package manager.
FROM rust:1-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches ./benches
COPY crates ./crates
COPY src ./src
COPY dashboards ./dashboards
COPY alerts ./alerts
ARG REVISION=unknown
ENV BUILD_REVISION=$REVISION
# With an explicit target the flag holds for the program alone and not for build scripts and procedural macros.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$target" \
    && mkdir -p /out/data \
    && cp "target/$target/release/knowbe4-exporter" /out/

FROM scratch
LABEL org.opencontainers.image.title="knowbe4-exporter" \
      org.opencontainers.image.description="Prometheus exporter for KnowBe4" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/knowbe4-exporter /knowbe4-exporter
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV KNOWBE4_EXPORTER_STORAGE_PATH=/data
VOLUME /data
EXPOSE 10524
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/knowbe4-exporter", "health"]
ENTRYPOINT ["/knowbe4-exporter"]
