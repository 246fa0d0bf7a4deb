# The image of charts/pollen: docker build -t ghcr.io/pollen-dev/pollen:0.1.0 .

# The toolchain of rust-toolchain.toml, on the Debian whose glibc the second stage has.
FROM rust:1.95.0-bookworm AS build
WORKDIR /pollen
COPY . .
RUN cargo build --release --locked --bin pollen

# No shell and no package manager: glibc, the C runtime and the certificate authorities.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /pollen/target/release/pollen /usr/local/bin/pollen
# By number, which runAsNonRoot can judge: the user of the chart's securityContext.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/pollen"]
