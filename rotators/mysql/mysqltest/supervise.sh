# Makes and runs one MariaDB server, and ends it together with the process that started this script.
#
# That process holds the other end of standard input. Whatever ends it (an orderly Close, a panic, SIGKILL),
# the kernel closes that end, and the read below returns. No signal, thread or process group has to survive.
#
# Usage: sh supervise.sh FOLDER SERVER SCRIPTS [mariadbd argument...]
#   FOLDER   holds init.sql, which makes the administrator; it is removed at the end
#   SERVER   is mariadbd
#   SCRIPTS  holds mysql_system_tables.sql
cd "$1" || exit
server=$2 scripts=$3
shift 3
exec 3<&0 </dev/null

# What mariadb-install-db does, without the help tables and without its accounts: some of them have no password.
(
  exec 3<&-
  mkdir data
  {
    echo 'create database mysql;'
    echo 'use mysql;'
    cat "$scripts/mysql_system_tables.sql" "$scripts/mysql_performance_tables.sql"
  } | "$server" --no-defaults --bootstrap --datadir="$PWD/data" --log-warnings=0 --innodb-log-file-size=4M --innodb-flush-log-at-trx-commit=0 || exit
  exec "$server" --no-defaults --datadir="$PWD/data" --init-file="$PWD/init.sql" "$@"
) &
job=$!

# Nobody needs the data again, so that the server need not tidy up.
(
  read -r _ <&3
  kill -KILL $job
) 2>/dev/null &
watcher=$!
exec 3<&-

wait $job
status=$?
kill $watcher
cd / && rm -rf "$OLDPWD"
exit $status
