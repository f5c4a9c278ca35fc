# Penstock on slim Debian: two programs, FFmpeg's runtime libraries, no Swift runtime, no shell needed.
#
#   docker build -t penstock .
#   docker run -p 127.0.0.1:8080:8080 -e PENSTOCK_NO_AUTH=1 -v "$PWD/output:/var/lib/penstock/output" penstock

ARG SWIFT_VERSION=6.3

FROM swift:${SWIFT_VERSION}-bookworm AS build
WORKDIR /src
COPY scripts scripts
RUN scripts/install-debian-packages.sh build && rm -rf /var/lib/apt/lists/*
# The dependencies alone, so that a change of ours does not fetch them again.
COPY Package.swift ./
RUN swift package --scratch-path .build-static resolve
COPY . .
RUN make dist

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libseccomp2 libyaml-0-2 \
        libavcodec59 libavdevice59 libavfilter8 libavformat59 libavutil57 libswresample4 libswscale6 \
    && rm -rf /var/lib/apt/lists/* \
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
