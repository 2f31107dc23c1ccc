#!/usr/bin/env bash
# Private PostgreSQL, S3 (moto), Google Cloud Storage (moto behind scripts/gcs_server.py), Azure Blob Storage (azurite), NATS
# and Redis servers for tests: on sockets and free ports, in temporary directories, gone with whoever started them. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
scripts/test-servers.sh start [--for PID]   starts all and prints `export` lines; they stop when process PID ends
                                            (default: the caller)
scripts/test-servers.sh stop                stops what `start` started in this environment
scripts/test-servers.sh postgres | s3 | gcs | azure | nats | redis
                                            one server in the foreground; prints NAME=VALUE, stops at the end of its input

    eval "$(scripts/test-servers.sh start)"   # then: cargo nextest run
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${KINORA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kinora}
azurite_version=3.37.0
servers="postgres s3 gcs azure nats redis"

fail() {
    echo "test-servers: $*" >&2
    exit 1
}

# scratch NAME: a fresh private directory, short enough for a socket path.
scratch() { mktemp -d "/tmp/kinora-$1-XXXXXX"; }

postgres_bin() {
    local dir newest=
    for dir in /usr/lib/postgresql/*/bin; do
        [ -x "$dir/initdb" ] && newest=$(printf '%s\n%s\n' "$newest" "$dir" | sort -V | tail -n 1)
    done
    [ -n "$newest" ] || newest=$(pg_config --bindir 2>/dev/null || true)
    [ -x "$newest/initdb" ] || return 1
    echo "$newest"
}

need_postgres() {
    postgres_bin >/dev/null && return
    command -v apt-get >/dev/null || fail "PostgreSQL's server programs are missing; please install PostgreSQL 15 or later"
    # shellcheck source=scripts/setup.sh
    (. "$here/setup.sh" && need_packages "/usr/lib/postgresql/*/bin/initdb:postgresql" setpriv:util-linux) >&2
    postgres_bin >/dev/null || fail "PostgreSQL's server programs are still missing after the installation"
}

serve_postgres() {
    need_postgres
    local bin socket user=() log
    bin=$(postgres_bin)
    dir=$(scratch pg)
    log=$dir/log
    socket=$dir/socket
    # PostgreSQL refuses to run as root.
    if [ "$(id -u)" -eq 0 ]; then
        local name=postgres
        id "$name" >/dev/null 2>&1 || name=nobody
        user=(setpriv "--reuid=$name" "--regid=$(id -gn "$name")" --clear-groups --)
        chown "$name" "$dir"
    fi
    chmod 755 "$dir"
    touch "$log"
    chmod 666 "$log"
    trap 'rm -rf "$dir"' EXIT
    cd /
    "${user[@]}" mkdir "$socket"
    "${user[@]}" "$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync \
        >"$log" 2>&1 || fail "initdb: $(tail -n 3 "$log")"
    # Durability off: these data live as long as the tests. Everything else as people run it.
    "${user[@]}" "$bin/postgres" -D "$dir/data" -k "$socket" -c listen_addresses= -c fsync=off -c full_page_writes=off \
        -c synchronous_commit=off -c max_connections=400 -c shared_buffers=64MB -c autovacuum_naptime=10s \
        </dev/null >>"$log" 2>&1 &
    server=$!
    trap 'stop_server QUIT; rm -rf "$dir"' EXIT
    trap 'exit 143' TERM INT HUP
    wait_until "$bin/pg_isready" -q -h "$socket" || fail "PostgreSQL does not start: $(tail -n 3 "$log")"
    echo "KINORA_TEST_POSTGRES=postgres://postgres@localhost/postgres?host=$socket"
    until_end_of_input
}

# The interpreter that has moto: the private environment's, or the machine's.
python_with_moto() {
    local python
    for python in "$cache/venv/bin/python" python3; do
        if command -v "$python" >/dev/null && "$python" -c 'import moto.server, flask, flask_cors' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

need_moto() {
    python_with_moto >/dev/null && return
    mkdir -p "$cache"
    (
        flock 9
        python_with_moto >/dev/null && exit
        [ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
        "$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'moto[server]'
    ) 9>"$cache/venv.lock" >&2
    python_with_moto >/dev/null || fail "moto, the S3 server for tests, could not be installed"
}

# serve_moto KIND VARIABLE ARGUMENT…: moto run by Python with these arguments; buckets are made by whoever wants one.
serve_moto() {
    need_moto
    local kind=$1 variable=$2 log
    shift 2
    dir=$(scratch "$kind")
    log=$dir/log
    trap 'rm -rf "$dir"' EXIT
    MOTO_S3_DEFAULT_KEY_BUFFER_SIZE=1048576 TMPDIR=$dir PYTHONUNBUFFERED=1 "$(python_with_moto)" "$@" </dev/null >"$log" 2>&1 &
    server=$!
    trap 'stop_server TERM; rm -rf "$dir"' EXIT
    trap 'exit 143' TERM INT HUP
    wait_until grep -q 'Running on http' "$log" || fail "moto does not start: $(tail -n 3 "$log")"
    echo "$variable=$(grep -o 'http://127.0.0.1:[0-9]*' "$log" | head -n 1)"
    until_end_of_input
}

need_azurite() {
    [ -d "$cache/azurite/$azurite_version" ] && return
    (
        flock 9
        [ -d "$cache/azurite/$azurite_version" ] && exit
        # shellcheck source=scripts/setup.sh
        . "$here/setup.sh"
        need_node
        say "installing azurite, the Azure server for tests"
        mkdir -p "$cache/azurite/new"
        npm install --silent --no-save --no-audit --no-fund --prefix "$cache/azurite/new" "azurite@$azurite_version" >/dev/null
        mv "$cache/azurite/new" "$cache/azurite/$azurite_version"
    ) 9>"$cache/azurite.lock" >&2
    [ -d "$cache/azurite/$azurite_version" ] || fail "azurite, the Azure server for tests, could not be installed"
}

# Every account of azurite's has this name and key (its documentation).
azure_account=devstoreaccount1
azure_key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==

serve_azure() {
    mkdir -p "$cache"
    need_azurite
    local log
    dir=$(scratch azure)
    log=$dir/log
    trap 'rm -rf "$dir"' EXIT
    PATH="$PATH:$cache/node/node_modules/.bin" "$cache/azurite/$azurite_version/node_modules/.bin/azurite-blob" --silent \
        --disableTelemetry --location "$dir" --blobPort 0 </dev/null >"$log" 2>&1 &
    server=$!
    trap 'stop_server TERM; rm -rf "$dir"' EXIT
    trap 'exit 143' TERM INT HUP
    wait_until grep -q 'listens on http' "$log" || fail "azurite does not start: $(tail -n 3 "$log")"
    local address
    address=$(grep -o 'http://127.0.0.1:[0-9]*' "$log" | tail -n 1)/$azure_account
    azure_container "$address" kinora || fail "azurite does not make a container"
    echo "KINORA_TEST_AZURE=$address"
    until_end_of_input
}

# azure_container ADDRESS NAME: makes a container that anybody may list (Shared Key, version 2021-08-06).
azure_container() {
    python3 - "$1" "$2" "$azure_account" "$azure_key" <<'PYTHON'
import base64, email.utils, hashlib, hmac, sys, urllib.request
address, name, account, key = sys.argv[1:]
headers = {"x-ms-blob-public-access": "container", "x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
listed = "".join(f"{header}:{value}\n" for header, value in headers.items())
text = "PUT" + "\n" * 12 + f"{listed}/{account}/{account}/{name}\nrestype:container"
signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
headers["Authorization"] = f"SharedKey {account}:{signature}"
request = urllib.request.Request(f"{address}/{name}?restype=container", method="PUT", headers=headers)
urllib.request.urlopen(request, timeout=30)
PYTHON
}

need_nats() {
    command -v nats-server >/dev/null && return
    command -v apt-get >/dev/null || fail "nats-server is missing; please install NATS 2.9 or later"
    # shellcheck source=scripts/setup.sh
    (. "$here/setup.sh" && need_packages nats-server:nats-server) >&2
    command -v nats-server >/dev/null || fail "nats-server is still missing after the installation"
}

serve_nats() {
    need_nats
    local log
    dir=$(scratch nats)
    log=$dir/log
    trap 'rm -rf "$dir"' EXIT
    # Any free port.
    nats-server --addr 127.0.0.1 --port -1 </dev/null >"$log" 2>&1 &
    server=$!
    trap 'stop_server TERM; rm -rf "$dir"' EXIT
    trap 'exit 143' TERM INT HUP
    wait_until grep -q 'Server is ready' "$log" || fail "NATS does not start: $(tail -n 3 "$log")"
    echo "KINORA_TEST_NATS=nats://$(grep -o 'client connections on 127.0.0.1:[0-9]*' "$log" | grep -o '127.*')"
    until_end_of_input
}

need_redis() {
    command -v redis-server >/dev/null && return
    command -v apt-get >/dev/null || fail "redis-server is missing; please install Redis 6 or later, or Valkey"
    # shellcheck source=scripts/setup.sh
    (. "$here/setup.sh" && need_packages redis-server:redis-server) >&2
    command -v redis-server >/dev/null || fail "redis-server is still missing after the installation"
}

serve_redis() {
    need_redis
    local log
    dir=$(scratch redis)
    log=$dir/log
    trap 'rm -rf "$dir"' EXIT
    redis-server --port 0 --unixsocket "$dir/socket" --save '' --appendonly no --dir "$dir" </dev/null >"$log" 2>&1 &
    server=$!
    trap 'stop_server TERM; rm -rf "$dir"' EXIT
    trap 'exit 143' TERM INT HUP
    wait_until test -S "$dir/socket" || fail "Redis does not start: $(tail -n 3 "$log")"
    echo "KINORA_TEST_REDIS=unix://$dir/socket"
    until_end_of_input
}

# wait_until COMMAND…: true as soon as COMMAND is, false when the server ended or a minute passed.
wait_until() {
    local tries
    for ((tries = 0; tries < 1200; tries++)); do
        "$@" >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

# Whoever wants the server holds the other end of our input; however that process ends, the input does too.
until_end_of_input() {
    exec 3<&0 >/dev/null
    cat <&3 &
    wait -n "$server" $! || true
}

# An immediate shutdown will do: nothing here is worth keeping.
stop_server() {
    trap '' TERM INT HUP
    kill "-$1" "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}

start() {
    local owner=$PPID dir name
    [ "${1:-}" = --for ] && owner=$2
    need_postgres
    need_moto
    need_azurite
    need_nats
    need_redis
    dir=$(scratch servers)
    for name in $servers; do
        # The pipe from `tail` ends with process $owner or with `stop`.
        (
            setsid tail --pid="$owner" -f /dev/null 2>/dev/null </dev/null &
            echo $! >"$dir/$name.pid"
            wait $! || true
            rm -rf "$dir"
        ) 2>/dev/null | setsid "$here/test-servers.sh" "$name" >"$dir/$name.env" 2>"$dir/$name.err" &
        disown
    done
    for name in $servers; do
        local tries
        for ((tries = 0; tries < 1800; tries++)); do
            [ -s "$dir/$name.env" ] || [ -s "$dir/$name.err" ] && break
            sleep 0.05
        done
        if ! [ -s "$dir/$name.env" ]; then
            local reason
            reason=$(cat "$dir/$name.err")
            stop "$dir"
            fail "$name did not start: $reason"
        fi
        sed "s/=\(.*\)$/='\1'/; s/^/export /" "$dir/$name.env"
    done
    echo "export KINORA_TEST_SERVERS='$dir'"
}

stop() {
    local dir=${1:-${KINORA_TEST_SERVERS:-}} pids
    [ -n "$dir" ] && [ -d "$dir" ] || return 0
    pids=$(cat "$dir"/*.pid)
    # shellcheck disable=SC2086  # a list of pids
    kill $pids 2>/dev/null || true
    rm -rf "$dir"
}

case ${1:-} in
    start) shift && start "$@" ;;
    stop) stop ;;
    postgres) serve_postgres ;;
    s3) serve_moto s3 KINORA_TEST_S3 -m moto.server -H 127.0.0.1 -p 0 ;;
    gcs) serve_moto gcs KINORA_TEST_GCS "$here/gcs_server.py" ;;
    azure) serve_azure ;;
    nats) serve_nats ;;
    redis) serve_redis ;;
    -h | --help) usage ;;
    *) usage >&2 && exit 2 ;;
esac
