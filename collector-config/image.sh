#!/bin/sh
# Build the image of the collector from nothing but what `make collector` and `make healthcheck` built: image.sh [TAG]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../.cache
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
install -m 0755 "$cache/otelcol-bridge" "$cache/healthcheck" "$context/"
cp /etc/ssl/certs/ca-certificates.crt "$context/"
cp -R "$here" "$context/collector-config"
mkdir -p "$context/data/queue" "$context/data/out"
find "$context/collector-config" -type d -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
chmod 0750 "$context/data" "$context/data/out"
chmod 0700 "$context/data/queue"
docker build -q -t "${1:-otel-bridge-collector:dev}" -f "$here/Dockerfile" "$context"
