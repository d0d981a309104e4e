#!/usr/bin/env bash
# Reads what was built in dist/: each bootstrap is an executable of the
# architecture given (arm64 or x86_64), static, stripped, and links only its own
# driver; each package is below 7 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
want=$1
case $want in arm64) machine=AArch64 ;; x86_64) machine=X86-64 ;; *) echo "arm64 or x86_64"; exit 2 ;; esac
for b in dist/*/bootstrap; do
  header=$(readelf -hlS "$b")
  grep -q "Machine:.*$machine" <<<"$header" || { echo "$b is not for $want"; exit 1; }
  ! grep -q "INTERP" <<<"$header" || { echo "$b is not static"; exit 1; }
  ! grep -q "\.symtab" <<<"$header" || { echo "$b is not stripped"; exit 1; }
  test "$(stat -c %a "$b")" = 755 || { echo "$b has the wrong mode"; exit 1; }
  size=$(stat -c %s "${b%/bootstrap}.zip")
  test "$size" -le 7000000 || { echo "${b%/bootstrap}.zip has $size bytes"; exit 1; }
  echo "$b: $want, static, stripped, 0755, zip of $size bytes"
done
