# Makes and runs one server, and ends it together with the process that started this script.
#
# That process holds the other end of standard input. Whatever ends it (an orderly Stop, a panic, SIGKILL),
# the kernel closes that end, and the read below returns. No signal, thread or process group has to survive.
#
# Usage: sh supervise.sh FOLDER SIGNAL PREPARE COMMAND [argument...]
#   FOLDER   is the server's own; it is removed at the end
#   SIGNAL   ends the server at once: nobody needs the data again
#   PREPARE  is a script that makes the data, in FOLDER; it may be empty
#   COMMAND  is the server
cd "$1" || exit
signal=$2 prepare=$3
shift 3
exec 3<&0 </dev/null

(
  exec 3<&-
  if [ -n "$prepare" ]; then
    sh -c "$prepare" || exit
  fi
  exec "$@"
) &
server=$!

# The signal repeats because a shell's background jobs ignore some until the server has its own handler.
(
  read -r _ <&3
  while kill "-$signal" $server; do sleep 0.2; done
) 2>/dev/null &
watcher=$!
exec 3<&-

wait $server
status=$?
kill $watcher
cd / && rm -rf "$OLDPWD"
exit $status
