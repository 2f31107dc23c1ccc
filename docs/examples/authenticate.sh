#!/usr/bin/env bash
# Who am I, and which titles are mine? Needs KINORA_SERVER and KINORA_TOKEN.
set -euo pipefail
auth="Authorization: Bearer $KINORA_TOKEN"

curl -fsS -H "$auth" "$KINORA_SERVER/api/v1/session" | jq -r '"signed in as " + .user.name'

# Lists are paged: next_cursor leads to the next page and is null on the last one.
cursor=
while :; do
    page=$(curl -fsS -G -H "$auth" "$KINORA_SERVER/api/v1/studio/videos" -d limit=2 ${cursor:+-d cursor="$cursor"})
    jq -r '.items[] | .id + "  " + .state + "  " + .title' <<<"$page"
    cursor=$(jq -r '.next_cursor // empty' <<<"$page")
    [ -n "$cursor" ] || break
done
