# syntax=docker/dockerfile:1
# The image of every role. Its root file system is the one that scripts/image makes: Debian's Python and the locked
# wheels, nothing else. The last stage has no compiler, no package manager, and runs as nobody.
#
#     docker build --build-arg BASE=debian:bookworm-slim@sha256:... --tag ordermesh:0.1.0 .
#
# BASE is only built with. A release names it by its digest.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-pip python3-venv \
 && rm -rf /var/cache/apt/archives
WORKDIR /source
COPY . .
RUN scripts/image ordermesh --rootfs /rootfs

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="ordermesh" \
      org.opencontainers.image.description="The order engine, in every role" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      io.ordermesh.sbom="/usr/share/sbom/ordermesh.cdx.json"
COPY --from=build /rootfs /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/tmp ORDERMESH_DATA=/data PYTHONUNBUFFERED=1
USER 65532:65532
HEALTHCHECK NONE
ENTRYPOINT ["ordermesh"]
