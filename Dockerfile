# One image for every process: `taskbell api | worker | migrate | healthcheck | inbox`.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Behind a proxy that re-signs TLS: `docker build --secret id=ca_bundle,src=FILE`.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    --mount=type=secret,id=ca_bundle \
    if [ -f /run/secrets/ca_bundle ]; then export CARGO_HTTP_CAINFO=/run/secrets/ca_bundle; fi && \
    cargo build --locked --release --package cli && cp target/release/taskbell /taskbell

FROM debian:bookworm-slim
# Time zones change more often than the binary, so they are the system's. No ca-certificates: TLS roots are compiled in.
RUN apt-get update && apt-get install -y --no-install-recommends tzdata && rm -rf /var/lib/apt/lists/* \
    # Where the volume `spool` takes its owner from.
    && install --directory --owner=10001 --group=10001 /var/spool/taskbell
# From the root of the stage, so that `docker build --build-context build=DIRECTORY` can bring a binary that exists.
COPY --from=build /taskbell /usr/local/bin/taskbell
USER 10001:10001
ENTRYPOINT ["taskbell"]
# Not the binary's own default, which starts a private Postgres and Redis beside itself.
CMD ["--help"]
