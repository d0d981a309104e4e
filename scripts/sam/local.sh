#!/usr/bin/env bash
# Rotates secrets by sam local invoke: the template's functions, each invocation
# in a container of its own, against the stand-in for Secrets Manager and the
# database servers of the tests.
#
#   scripts/sam/local.sh postgres mysql ...
#
# It uses the Docker engine that runs, else starts one of its own (Debian's
# docker.io, as root) and ends it. Functions run in AWS's image for
# provided.al2023 where that can be pulled, else in one with nothing but a shell,
# which SAM needs to put its runtime emulator in. Where there is no engine it
# says NOT RUN and why, and that is no failure.
set -euo pipefail
cd "$(dirname "$0")/../.."

not_run() { echo "sam local invoke: NOT RUN, $1"; exit 0; }

case $(uname -m) in
  x86_64) arch=x86_64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) not_run "Lambda has no $(uname -m)" ;;
esac

work=$(mktemp -d /tmp/rotor-docker.XXXXXX) # the paths of sockets are short
engine=
clean() {
  [ -z "$engine" ] || { kill "$engine" && wait "$engine"; } 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# start_engine leaves the machine's firewall and its own engine's data alone. It
# names the usual address of the bridge: an engine that starts for the first time
# on a machine does not tell it otherwise.
start_engine() {
  [ "$(uname)-$(id -u)" = Linux-0 ] || not_run "no Docker engine runs, and to start one takes root on Linux"
  scripts/tools.sh docker >/dev/null || not_run "no Docker engine runs, and docker.io cannot be installed"
  export DOCKER_HOST=unix://$work/docker.sock
  dockerd --host "$DOCKER_HOST" --pidfile "$work/pid" --data-root "$work/data" --exec-root "$work/run" \
    --bip=172.17.0.1/16 --iptables=false --ip-masq=false --ip-forward=false >"$work/log" 2>&1 &
  engine=$!
  for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || not_run "the Docker engine did not start: $(tail -1 "$work/log")"
    sleep 0.1
  done
  not_run "the Docker engine did not answer: $(tail -1 "$work/log")"
}

# busybox downloads Debian's static one into $work, with fresh lists if the present ones name what is gone.
busybox() (
  cd "$work"
  download() { apt-get -o APT::Sandbox::User=root download -qq busybox-static >/dev/null 2>&1; }
  download || { apt-get update -qq && download; }
)

# stand_in_image makes an image of a shell, mv and chmod.
stand_in_image() {
  mkdir -p "$work/root"/{bin,tmp,var/task,var/runtime} && chmod 1777 "$work/root/tmp" && busybox &&
    dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb | tar -xO ./bin/busybox > "$work/root/bin/busybox" &&
    chmod 755 "$work/root/bin/busybox" &&
    ln -s busybox "$work/root/bin/sh" && ln -s busybox "$work/root/bin/mv" && ln -s busybox "$work/root/bin/chmod" &&
    tar -C "$work/root" -c . | docker import - "$1" >/dev/null
}

docker version >/dev/null 2>&1 || start_engine
image=public.ecr.aws/lambda/provided:al2023-$arch
if docker image inspect "$image" >/dev/null 2>&1 || timeout 120 docker pull -q "$image" >/dev/null 2>&1; then
  echo "sam local invoke: in AWS's image $image"
else
  image=rotor/provided-stand-in:latest
  stand_in_image "$image" || not_run "no image can be pulled, and none be made of busybox-static"
  echo "sam local invoke: AWS's image cannot be pulled; in one of our own, with a shell and the function alone"
fi

# Where containers reach this machine. Docker Desktop's are in a virtual machine.
reach=(-address host.docker.internal)
if [ "$(docker info --format '{{.OperatingSystem}}')" != "Docker Desktop" ]; then
  gateway=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
  [ -n "$gateway" ] || { echo "sam local invoke: Docker does not say at which address containers reach this machine"; exit 1; }
  reach=(-listen "$gateway" -address "$gateway")
fi

source scripts/sam/sam.sh
make -s build ARCH="$arch" FUNCTIONS="$*" >/dev/null
sam build --parameter-overrides "Architecture=$arch" >"$work/build" 2>&1 || { cat "$work/build"; exit 1; }
go run ./scripts/rotate -sam "$(command -v sam)" -arch "$arch" -image "$image" "${reach[@]}" -by "${BY:-single-user}" -times "${TIMES:-1}" "$@"
