# Sourced by the tests of the scripts: `repository`, a work directory, and an end that leaves nothing running.
set -euo pipefail
repository=$1
work=$(mktemp -d)
server=
say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

end_server() { # expects the exit code 0
  local pid=$server status=0
  server=
  kill -TERM "$pid"
  wait "$pid" || status=$?
  [ $status -eq 0 ] || fail "the server ended with $status"
}
finish() {
  local status=$?
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null || true; fi
  rm -rf "$work"
  at_end
  exit $status
}
at_end() { :; }
trap finish EXIT

# wait_for_ready FILE: the URL that the server names.
wait_for_ready() {
  local deadline=$((SECONDS + 600))
  until grep -q '^ready ' "$1"; do
    kill -0 "$server" 2>/dev/null || { cat "$1" >&2; fail "the server ended before it was ready"; }
    [ $SECONDS -lt $deadline ] || fail "the server was not ready in time"
    sleep 0.1
  done
  sed -n 's/^ready //p' "$1"
}
