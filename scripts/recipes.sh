#!/usr/bin/env bash
# Starts the built program with two titles and a live event in it and, in front of it, nginx and Varnish with the files of deploy/; plays and
# attacks through both, kills the program and plays on; stops all of it again. PROGRAM names another program than bin/kinora.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${PROGRAM:-$ROOT/bin/kinora}
export PATH=$PATH:/usr/sbin
work=$(mktemp -d)
pids=()
cleanup() {
    status=$?
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    [ "$status" -eq 0 ] || tail -n 20 "$work"/*.log >&2
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# until_answers PID URL LOG: any answer will do.
until_answers() {
    for _ in $(seq 300); do
        curl -s -o /dev/null "$2" && return
        kill -0 "$1" || { echo "$3 ended" >&2; return 1; }
        sleep 0.1
    done
    echo "$3 does not answer" >&2
    return 1
}

# A key of our own, for tokens that the API would not make.
openssl genpkey -algorithm ed25519 -out "$work/key.pem"
mkdir -p "$work/data/blobs/keys/playback"
public=$(openssl pkey -in "$work/key.pem" -pubout -outform DER | tail -c 32 | od -An -tx1 | tr -d ' \n')
echo "{\"alg\":\"Ed25519\",\"public_key\":\"$public\"}" >"$work/data/blobs/keys/playback/recipes.json"

port=$(free_port)
rtmp_port=$(free_port)
kinora=http://127.0.0.1:$port
KINORA_LIVE__RTMP__LISTEN=127.0.0.1:$rtmp_port KINORA_HTTP__TRUSTED_PROXIES='["127.0.0.1/32"]' KINORA_HTTP__VISITOR_REQUESTS_PER_MINUTE=0 \
    "$bin" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/kinora.log" 2>&1 &
server=$!
# Its death is part of the test, and needs no word of the shell.
disown "$server"
pids+=("$server")
until_answers "$server" "$kinora/readyz" kinora

nginx_port=$(free_port)
mkdir -p "$work/nginx"
sed -e "s|127\.0\.0\.1:8080|127.0.0.1:$port|" -e "s|listen 80;|listen 127.0.0.1:$nginx_port;|" \
    -e "s|/var/cache/nginx|$work/nginx|" "$ROOT/deploy/nginx/kinora.conf" >"$work/nginx/kinora.conf"
cat >"$work/nginx/nginx.conf" <<TEXT
$([ "$(id -u)" -ne 0 ] || echo "user root;")
daemon off; worker_processes 1; pid $work/nginx/pid; error_log $work/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $work/nginx/a; proxy_temp_path $work/nginx/b; fastcgi_temp_path $work/nginx/c;
    uwsgi_temp_path $work/nginx/d; scgi_temp_path $work/nginx/e;
    include $work/nginx/kinora.conf;
}
TEXT
nginx -c "$work/nginx/nginx.conf" -e "$work/nginx.log" &
pids+=($!)
until_answers $! "http://127.0.0.1:$nginx_port/" nginx

varnish_port=$(free_port)
sed -e "s|\"8080\"|\"$port\"|" "$ROOT/deploy/varnish/kinora.vcl" >"$work/kinora.vcl"
varnishd -F -a "127.0.0.1:$varnish_port" -f "$work/kinora.vcl" -s checks=malloc,16m -s media=malloc,256m \
    -n "$work/varnish" -j none >"$work/varnish.log" 2>&1 &
pids+=($!)
until_answers $! "http://127.0.0.1:$varnish_port/" varnish

KINORA_TOKEN=$("$bin" admin token --data "$work/data" | tail -n 1)
export KINORA_SERVER=$kinora KINORA_TOKEN
ffmpeg -v error -f lavfi -i testsrc2=size=854x480:rate=25:duration=20 -f lavfi -i sine=duration=20 -c:v libx264 -preset ultrafast \
    -c:a aac "$work/clip.mp4"
titles=()
for name in "One" "Two"; do
    id=$("$bin" upload "$work/clip.mp4" --title "$name" --wait --json | jq -r .id)
    curl -fsS -H "Authorization: Bearer $KINORA_TOKEN" -H "Content-Type: application/json" -X PATCH \
        -d '{"visibility":"public"}' "$kinora/api/v1/videos/$id" >/dev/null
    titles+=("$id")
done
# An event for as long as the judge looks at it.
event=$("$bin" event create --title "Live" --visibility public --no-record | head -n 1)
key=$("$bin" event key "$event" --json | jq -r '.keys[0].key')
ffmpeg -v error -nostdin -re -f lavfi -i testsrc2=size=640x360:rate=25 -re -f lavfi -i sine -t 120 -c:v libx264 -preset ultrafast -tune zerolatency \
    -g 50 -c:a aac -f flv "rtmp://127.0.0.1:$rtmp_port/live/$key" 2>"$work/encoder.log" &
pids+=($!)
for _ in $(seq 60); do
    curl -fsS -H "Authorization: Bearer $KINORA_TOKEN" "$kinora/api/v1/events/$event" | jq -e '.state == "live"' >/dev/null && break
    sleep 0.5
done
timeout 400 python3 "$ROOT/judges/caches.py" "$kinora" "$server" "$work/key.pem" "${titles[@]}" "$event" \
    "nginx=http://127.0.0.1:$nginx_port" "varnish=http://127.0.0.1:$varnish_port"
