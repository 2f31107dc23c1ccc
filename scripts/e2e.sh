#!/usr/bin/env bash
# Starts the built program on an empty library and runs the browser tests against it; stops it again.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
server=
cleanup() {
    status=$?
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }
    [ "$status" -eq 0 ] || tail -n 40 "$work/server.log" >&2
    rm -rf "$work"
}
trap cleanup EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$ROOT/bin/kinora" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    curl -fs "http://127.0.0.1:$port/readyz" >/dev/null && break
    kill -0 "$server" || exit 1
    sleep 0.1
done
cd "$ROOT/web"
KINORA_E2E_URL="http://127.0.0.1:$port" npm run --silent e2e
