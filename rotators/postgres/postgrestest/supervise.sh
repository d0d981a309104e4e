# Makes and runs one PostgreSQL server, and ends it together with the process that started this script.
#
# That process holds the other end of standard input. Whatever ends it (an orderly Close, a panic, SIGKILL),
# the kernel closes that end, and the read below returns. No signal, thread or process group has to survive.
#
# Usage: sh supervise.sh FOLDER BIN AUTH [postgres argument...]
#   FOLDER  holds the file "password" (or a finished "data" folder); it is removed at the end
#   BIN     holds initdb and postgres
#   AUTH    scram-sha-256 or md5
cd "$1" || exit
bin=$2 auth=$3
shift 3
exec 3<&0 </dev/null

(
  exec 3<&-
  if [ ! -e data ]; then
    "$bin/initdb" -D data -U postgres --pwfile=password --auth="$auth" \
      --encoding=UTF8 --no-locale --wal-segsize=1 --no-sync >/dev/null || exit
    rm password
  fi
  exec "$bin/postgres" -D data "$@"
) &
server=$!

# SIGQUIT is PostgreSQL's immediate shutdown: nobody needs the data again. It repeats because a shell's background
# jobs ignore SIGQUIT until postgres has installed its own handler.
(
  read -r _ <&3
  while kill -QUIT $server; do sleep 0.2; done
) 2>/dev/null &
watcher=$!
exec 3<&-

wait $server
status=$?
kill $watcher
cd / && rm -rf "$OLDPWD"
exit $status
