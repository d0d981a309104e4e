#!/usr/bin/env bash
# Builds and packs functions a second time, from a copy of the sources in another
# folder with an empty build cache, and compares the sums with those in dist/. The
# tool that reads the bootstraps for their bills is not built again.
#
#   scripts/reproducible.sh              all of them
#   scripts/reproducible.sh postgres     these: all are built by the same command
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
git ls-files -z | xargs -0 cp --parents -t "$work"
mkdir -p "$work/dist"
cp -r dist/tools "$work/dist/"
GOCACHE=$work/cache make --no-print-directory -C "$work" package ARCH="${ARCH:-arm64}" ${1:+FUNCTIONS="$*"} >/dev/null
test -s "$work/dist/SHA256SUMS"
! grep -vxFf dist/SHA256SUMS "$work/dist/SHA256SUMS" || { echo "these sums are not those of the first build"; exit 1; }
echo "reproducible: two builds for ${ARCH:-arm64} are the same bytes: ${*:-all functions}"
