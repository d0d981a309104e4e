#!/usr/bin/env bash
# Installs the tools that run functions without AWS, from Debian's packages, and prints what there is.
#
#   scripts/tools.sh            every tool
#   scripts/tools.sh qemu       one of them: qemu, docker, venv
#
# Safe to run again: what is there already is left alone. Servers to test against are no tools: see scripts/install.
set -euo pipefail

say() { printf '%-14s %s\n' "$1" "$2"; }

die() {
  printf 'tools.sh: %s\n' "$1" >&2
  exit 1
}

# as_root runs a command as root, by sudo if there is one.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root to run: $*"
  fi
}

# apt_has PACKAGE: whether apt could install it.
apt_has() {
  command -v apt-get >/dev/null || return 1
  apt-cache show "$1" >/dev/null 2>&1 && return 0
  as_root apt-get update -qq && apt-cache show "$1" >/dev/null 2>&1
}

# apt_install PACKAGE, with fresh lists if the present ones name what is gone.
apt_install() {
  local install=(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$1")
  "${install[@]}" >/dev/null 2>&1 && return
  as_root apt-get update -qq
  "${install[@]}" >/dev/null
}

# debian PACKAGE COMMAND installs a package if the command that it brings is not there.
debian() {
  command -v "$2" >/dev/null && return
  apt_has "$1" || die "no package $1: install $2 by other means"
  apt_install "$1"
}

# qemu runs functions that were built for the other machine.
qemu() {
  debian qemu-user-static qemu-aarch64-static
  say qemu "$(qemu-aarch64-static --version | head -1)"
}

# docker is for sam local invoke, which starts an engine of its own if none runs.
docker() {
  debian docker.io dockerd
  say Docker "$(dockerd --version)"
}

# venv is Python with what the SAM CLI is installed by.
venv() {
  python3 -c 'import ensurepip, venv' 2>/dev/null && return
  apt_has python3-venv || die "no package python3-venv: install Python 3.10 or later with venv by other means"
  apt_install python3-venv
}

tools=(qemu docker venv)

for tool in "${@:-${tools[@]}}"; do
  case " ${tools[*]} " in
    *" $tool "*) "$tool" ;;
    *) die "unknown tool $tool; there are: ${tools[*]}" ;;
  esac
done
