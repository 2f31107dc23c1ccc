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
# The tests import from a server of their own on this machine.
KINORA_IMPORT__ALLOW_NETWORKS='["127.0.0.1/32"]' KINORA_IMPORT__PORTS='[]' \
    "$ROOT/bin/kinora" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    curl -fs "http://127.0.0.1:$port/readyz" >/dev/null && break
    kill -0 "$server" || exit 1
    sleep 0.1
done
# Right after a long build the browser's files are no longer in memory, and its first start can be very slow.
for _ in 1 2 3; do
    timeout 60 "${KINORA_CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --disable-background-networking \
        --dump-dom about:blank >/dev/null 2>&1 </dev/null && break
done
cd "$ROOT/web"
# Some tests start processes of their own.
KINORA_BIN="$ROOT/bin/kinora" KINORA_E2E_URL="http://127.0.0.1:$port" npm run --silent e2e
