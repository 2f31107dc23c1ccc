#!/usr/bin/env bash
# Starts the built program with a title in it, runs the documentation's examples, and tries the API against its own
# description; stops it again.
# contract.sh [SECONDS]: how long for each kind of caller, 40 unless told. PROGRAM names another program than bin/kinora.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${PROGRAM:-$ROOT/bin/kinora}
python=${KINORA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kinora}/venv/bin/python
work=$(mktemp -d)
server=
cleanup() {
    status=$?
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }
    [ "$status" -eq 0 ] || tail -n 30 "$work/server.log" >&2
    rm -rf "$work"
}
trap cleanup EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port
# Quotas would answer most of the requests.
export KINORA_WEBHOOKS__ALLOW_NETWORKS='["127.0.0.0/8"]'
export KINORA_HTTP__ACCOUNT_REQUESTS_PER_MINUTE=0 KINORA_HTTP__VISITOR_REQUESTS_PER_MINUTE=0
"$bin" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 300); do
    curl -fs "$base/readyz" >/dev/null && break
    kill -0 "$server" || exit 1
    sleep 0.2
done
admin=$("$bin" admin token --data "$work/data" | tail -n 1)
ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=4 -f lavfi -i sine=duration=4 -c:v libx264 -preset ultrafast \
    -c:a aac "$work/clip.mp4"
export KINORA_SERVER=$base KINORA_TOKEN=$admin
id() { python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'; }
"$ROOT/scripts/examples.sh" "$work/clip.mp4"
title=$("$bin" upload "$work/clip.mp4" --title "A test film" --wait --json | id)
spare=$("$bin" upload "$work/clip.mp4" --title "A spare film" --wait --json | id)
json=(-fsS -H "Content-Type: application/json")
curl "${json[@]}" -X PATCH -H "Authorization: Bearer $admin" -d '{"visibility":"public"}' "$base/api/v1/videos/$title" >/dev/null
"$python" "$ROOT/judges/feeds.py" "$base" "$title"
curl "${json[@]}" -H "Authorization: Bearer $admin" "$base/api/v1/users" >/dev/null \
    -d '{"email":"creator@example.org","name":"Creator","password":"a long password","role":"creator"}'
creator=$(curl "${json[@]}" -D - -o /dev/null "$base/api/v1/session" \
    -d '{"email":"creator@example.org","password":"a long password"}' |
    sed -n 's/^set-cookie: \(kinora_session=[^;]*\).*/\1/ip')
"$python" "$ROOT/judges/contract.py" "$base" "$admin" "$creator" "$title" "$spare" "${1:-40}"
