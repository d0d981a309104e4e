#!/usr/bin/env bash
# Checks the templates by the SAM CLI and cfn-lint, builds for both architectures,
# looks at what would be deployed, and deploys it into moto. Needs no account and
# no Docker, and leaves dist/ built for arm64.
set -euo pipefail
cd "$(dirname "$0")/../.."
source scripts/sam/sam.sh

# quietly shows what a command said if it fails.
quietly() {
  local out
  out=$("$@" 2>&1) || { echo "$out"; echo "sam: failed: $*"; exit 1; }
}

for template in template.yaml examples/stack/template.yaml; do
  quietly sam validate --lint --template-file "$template"
  quietly cfn-lint "$template"
  echo "sam: $template: sam validate --lint and cfn-lint find nothing"
done
for arch in x86_64 arm64; do
  quietly make build ARCH=$arch
  quietly sam build --parameter-overrides Architecture=$arch
  folders=$(python scripts/sam/deploy.py .aws-sam/build/template.yaml $arch)
  echo "sam: $arch: all engines by all strategies deploy into moto"
  # shellcheck disable=SC2086
  scripts/binaries.sh $arch $folders
done
