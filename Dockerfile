# Penstock on slim Debian 13: two programs, FFmpeg's runtime libraries, no Swift runtime, no shell needed.
#
#   docker build -t penstock .
#   docker run -p 127.0.0.1:8080:8080 -e PENSTOCK_NO_AUTH=1 -v penstock:/var/lib/penstock/output penstock
#
# `make image-check` builds and runs it without Docker.

ARG SWIFT_VERSION=6.3

# Swift 6.3 is there for Debian 12 (Debian 13 begins with Swift 6.4). The toolchain runs on either, and programs are to be
# built against the libav that they run with.
FROM swift:${SWIFT_VERSION}-bookworm AS toolchain
RUN mkdir -p /opt/swift/usr/bin /opt/swift/usr/lib /opt/swift/usr/libexec /opt/swift/usr/share \
    && cd /usr \
    && cp -a bin/swift* bin/clang* bin/*lld bin/llvm-ar /opt/swift/usr/bin \
    && cp -a lib/swift lib/swift_static lib/clang lib/libIndexStore.so* lib/libLTO.so* lib/libswiftDemangle.so* /opt/swift/usr/lib \
    && cp -a libexec/swift /opt/swift/usr/libexec \
    && cp -a share/swift share/pm /opt/swift/usr/share

FROM debian:trixie AS build
COPY scripts/install-debian-packages.sh /src/scripts/
WORKDIR /src
# The second line: what the toolchain is linked with.
RUN scripts/install-debian-packages.sh build \
    && apt-get install -q -y --no-install-recommends ca-certificates libcurl4t64 libncurses6 libsqlite3-0 libxml2 tzdata \
    && rm -rf /var/lib/apt/lists/*
COPY --from=toolchain /opt/swift /opt/swift
ENV PATH="${PATH}:/opt/swift/usr/bin"
# The dependencies alone, so that a change of ours does not fetch them again.
COPY Package.swift ./
RUN swift package --scratch-path .build-static resolve
COPY . .
RUN make dist

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libcurl4t64 libseccomp2 libyaml-0-2 \
        libavcodec61 libavdevice61 libavfilter10 libavformat61 libavutil59 libswresample5 libswscale8 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/*.log \
    && useradd --system --uid 10001 --home-dir /var/lib/penstock --shell /usr/sbin/nologin penstock \
    && install -d -o penstock -g penstock /var/lib/penstock /var/lib/penstock/output /var/lib/penstock/state
COPY --from=build /src/dist/bin/ /usr/local/bin/

USER penstock
ENV PENSTOCK_HOST=0.0.0.0 \
    PENSTOCK_PORT=8080 \
    PENSTOCK_OUTPUT_DIR=/var/lib/penstock/output \
    PENSTOCK_STATE_DIR=/var/lib/penstock/state \
    PENSTOCK_LOG_FORMAT=json
VOLUME ["/var/lib/penstock/output", "/var/lib/penstock/state"]
EXPOSE 8080
# SIGTERM finalizes every open writer; give it time before the kill (docker stop --time).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["penstock", "health"]
ENTRYPOINT ["penstock"]
CMD ["serve"]
