#!/usr/bin/env bash
# Writes the bills of materials of built functions, by a tool that is built once:
#
#   scripts/sbom.sh github.com/.../cyclonedx-gomod@version arm64 postgres mysql ...
#
# VERSION in the environment is the release's.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=$1 arch=$2
shift 2
bin=$PWD/dist/tools/${tool##*/}
if [ ! -x "$bin" ]; then
  GOBIN=$bin.new go install "$tool"
  mv "$bin.new"/* "$bin"
  rmdir "$bin.new"
fi
go run ./scripts/sbom -tool "$bin" -goarch "$arch" -version "${VERSION:-}" "$@"
