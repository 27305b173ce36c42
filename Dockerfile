# The images for a builder of your own. What they hold is what `make image` puts into its archives, which
# needs no container engine; tests/image compares the two.
#
#   docker build --target dws-operator -t dws-operator:0.1.0 \
#     --build-arg REVISION="$(git rev-parse HEAD)" \
#     --build-arg CREATED="$(TZ=UTC git log -1 --date=format-local:%FT%TZ --format=%cd)" .
#
# and `--target dws-simulator` likewise.
FROM rust:1.95.0-slim-bookworm AS build
# The toolchain of this image, without the components for developers.
ENV RUSTUP_TOOLCHAIN=1.95.0
ARG REVISION=unknown
WORKDIR /source
COPY . .
RUN SOURCE_DATE_EPOCH=0 DWS_OPERATOR_BUILD_REVISION="$REVISION" hack/image.sh --root /image

FROM scratch AS dws-simulator
ARG CREATED
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.created="$CREATED" \
    org.opencontainers.image.description="The APIs of GaussDB(DWS) and IAM, to try dws-operator without an account" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.source="https://github.com/dws-operator/dws-operator" \
    org.opencontainers.image.title="dws-simulator" \
    org.opencontainers.image.version="$VERSION"
COPY --from=build /image/dws-simulator/ /
ENV PATH=/
WORKDIR /
USER 65532:65532
EXPOSE 18080/tcp
ENTRYPOINT ["/dws-simulator"]

FROM scratch AS dws-operator
ARG CREATED
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.created="$CREATED" \
    org.opencontainers.image.description="Kubernetes operator for GaussDB(DWS), Huawei Cloud's data warehouse" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.revision="$REVISION" \
    org.opencontainers.image.source="https://github.com/dws-operator/dws-operator" \
    org.opencontainers.image.title="dws-operator" \
    org.opencontainers.image.version="$VERSION"
COPY --from=build /image/dws-operator/ /
ENV PATH=/
WORKDIR /
USER 65532:65532
EXPOSE 8080/tcp
ENTRYPOINT ["/dws-operator"]
