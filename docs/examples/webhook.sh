#!/usr/bin/env bash
# Makes a webhook, sends a test message, and shows what came of it: webhook.sh ADDRESS.
# Needs KINORA_SERVER and KINORA_TOKEN.
set -euo pipefail
call() { curl -fsS -H "Authorization: Bearer $KINORA_TOKEN" -H "Content-Type: application/json" "$@"; }

hook=$(call "$KINORA_SERVER/api/v1/webhooks" -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
    -d "$(jq -n --arg url "$1" '{url: $url, description: "From a shell", events: ["title.ready", "title.failed"]}')")
id=$(jq -r .id <<<"$hook")
echo "keep this secret: $(jq -r .secret <<<"$hook")" >&2

message=$(call -X POST "$KINORA_SERVER/api/v1/webhooks/$id/test" | jq -r .id)
for _ in $(seq 30); do
    log=$(call "$KINORA_SERVER/api/v1/webhooks/$id/deliveries/$message")
    [ "$(jq '.log | length' <<<"$log")" -eq 0 ] || break
    sleep 1
done
jq -r '.event + ": " + .state + " " + (.log[0].status // .log[0].error | tostring)' <<<"$log"

# What was missed, an hour's worth, sent again; and the webhook removed.
call -X POST "$KINORA_SERVER/api/v1/webhooks/$id/replay" -d "{\"since\": \"$(date -u -d '-1 hour' +%FT%TZ)\"}" >/dev/null
call -X DELETE "$KINORA_SERVER/api/v1/webhooks/$id"
