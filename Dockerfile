# The sync server in a container: docs/OPERATIONS.md, "Container".
FROM node:24-slim AS package
WORKDIR /clawlink
COPY . .
RUN mkdir /packed && npm ci && npm pack --pack-destination /packed

FROM node:24-slim
RUN --mount=from=package,source=/packed,target=/packed npm install -g /packed/clawlink-*.tgz && install -d -m 700 -o node -g node /data /backups
USER node
ENV CLAWLINK_DATA=/data
VOLUME /data
EXPOSE 9077
HEALTHCHECK --interval=30s CMD ["node", "-e", "fetch('http://127.0.0.1:9077/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# Loopback is the container's own there, so it listens on all of the container's addresses.
CMD ["clawlink-sync", "--host", "0.0.0.0"]
