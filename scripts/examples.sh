#!/usr/bin/env bash
# Runs every example of the documentation against a running server and fails when one does not do what it says.
# examples.sh FILM: needs KINORA_SERVER, KINORA_TOKEN of an administrator, and a server that may call 127.0.0.1.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
film=$1
work=$(mktemp -d)
receiver=
trap '[ -z "$receiver" ] || kill "$receiver" 2>/dev/null; rm -rf "$work"' EXIT
cd "$ROOT/docs/examples"

# Node.js 20 reads no types: they are taken out first, by the compiler that the web app uses.
for file in *.ts; do
    node --input-type=module -e '
        import { createRequire } from "node:module";
        import { readFileSync, writeFileSync } from "node:fs";
        const [typescript, from, to] = process.argv.slice(1);
        const ts = createRequire(import.meta.url)(typescript);
        const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
        writeFileSync(to, ts.transpileModule(readFileSync(from, "utf8"), { compilerOptions: options }).outputText);
    ' "$ROOT/web/node_modules/typescript" "$file" "$work/${file%.ts}.mjs"
done
# Puts into `command` what runs an example.
command_of() {
    case $1 in
        *.sh) command=(bash "$@") ;;
        *.py) command=(python3 "$@") ;;
        *.ts) command=(node "$work/${1%.ts}.mjs" "${@:2}") ;;
    esac
}

check() {
    local want=$1 out
    shift
    command_of "$@"
    out=$("${command[@]}") || { echo "$1 failed: $out" >&2; return 1; }
    grep -q "$want" <<<"$out" || { printf '%s did not say "%s":\n%s\n' "$1" "$want" "$out" >&2; return 1; }
    echo "$1: $(tail -n 1 <<<"$out")"
}

for kind in sh ts py; do
    check "watch it at $KINORA_SERVER/watch/" "upload.$kind" "$film"
    check "signed in as " "authenticate.$kind"
done

# The receivers: a webhook of their own, a test message, and one that is not ours.
api() { curl -fsS -H "Authorization: Bearer $KINORA_TOKEN" -H "Content-Type: application/json" "$@"; }
for kind in ts py; do
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    hook=$(api "$KINORA_SERVER/api/v1/webhooks" -d "{\"url\": \"http://127.0.0.1:$port/\"}")
    secret=$(jq -r .secret <<<"$hook")
    command_of "webhook.$kind"
    PORT=$port KINORA_WEBHOOK_SECRET=$secret "${command[@]}" >"$work/said" 2>&1 &
    receiver=$!
    until grep -q listening "$work/said"; do kill -0 "$receiver"; sleep 0.2; done
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/" -H "webhook-id: x" -H "webhook-timestamp: $(date +%s)" \
        -H "webhook-signature: v1,AAAA" -d '{"type":"forged","data":{"id":"x"}}')" = 401 ]
    api -X POST "$KINORA_SERVER/api/v1/webhooks/$(jq -r .id <<<"$hook")/test" >/dev/null
    for _ in $(seq 60); do grep -q "genuine: webhook.test" "$work/said" && break; sleep 0.5; done
    grep "genuine: webhook.test" "$work/said" | sed "s/^/webhook.$kind: /"
    ! grep -q forged "$work/said"
    # Its own webhook has another secret: the receiver refuses it, and the log tells so.
    [ "$kind" = ts ] || check "webhook.test: pending 401" webhook.sh "http://127.0.0.1:$port/hook"
    kill "$receiver" 2>/dev/null || true
    wait "$receiver" 2>/dev/null || true
    receiver=
done
