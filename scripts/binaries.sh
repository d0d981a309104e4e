#!/usr/bin/env bash
# Reads what was built: each bootstrap is an executable of the architecture given
# (arm64 or x86_64), static, stripped; each zip is below 7 MB.
#
#   scripts/binaries.sh arm64               those in dist/, with their zips
#   scripts/binaries.sh arm64 FOLDER...     those in the folders
set -euo pipefail
cd "$(dirname "$0")/.."
want=$1
shift
case $want in arm64) machine=AArch64 ;; x86_64) machine=X86-64 ;; *) echo "arm64 or x86_64"; exit 2 ;; esac
zipped=
[ $# -gt 0 ] || { zipped=yes && set -- dist/*/bootstrap; }
for folder in "${@%/bootstrap}"; do
  b=$folder/bootstrap
  header=$(readelf -hlS "$b")
  grep -q "Machine:.*$machine" <<<"$header" || { echo "$b is not for $want"; exit 1; }
  ! grep -q "INTERP" <<<"$header" || { echo "$b is not static"; exit 1; }
  ! grep -q "\.symtab" <<<"$header" || { echo "$b is not stripped"; exit 1; }
  test "$(stat -c %a "$b")" = 755 || { echo "$b has the wrong mode"; exit 1; }
  size=${zipped:+$(stat -c %s "$folder.zip")}
  test "${size:-0}" -le 7000000 || { echo "$folder.zip has $size bytes"; exit 1; }
  echo "$b: $want, static, stripped, 0755${size:+, zip of $size bytes}"
done
