#!/usr/bin/env bash
# Uploads a file and waits until it can be watched: upload.sh FILE. Needs KINORA_SERVER and KINORA_TOKEN.
set -euo pipefail
file=$1
auth="Authorization: Bearer $KINORA_TOKEN"
tus="Tus-Resumable: 1.0.0"
base64_of() { printf %s "$1" | base64 | tr -d '\n'; }

# 1. Begin: tus answers where the bytes go, and which title they become. Sent again with the same key, it begins only once.
answer=$(curl -fsS -D - -o /dev/null -X POST "$KINORA_SERVER/api/v1/uploads" -H "$auth" -H "$tus" \
    -H "Idempotency-Key: upload-$(sha256sum "$file" | cut -c1-32)" -H "Upload-Length: $(stat -c %s "$file")" \
    -H "Upload-Metadata: filename $(base64_of "$(basename "$file")"),title $(base64_of "From a shell")")
header() { sed -n "s/^$1: \([^\r]*\).*/\1/ip" <<<"$answer"; }
upload=$(header location)
video=$(header kinora-video-id)

# 2. Send. After a break, ask with HEAD for Upload-Offset and go on from there.
curl -fsS -X PATCH "$KINORA_SERVER${upload#"$KINORA_SERVER"}" -H "$auth" -H "$tus" -H "Upload-Offset: 0" \
    -H "Content-Type: application/offset+octet-stream" --data-binary "@$file"

# 3. Wait. A title can be played before all its renditions are complete.
until state=$(curl -fsS -H "$auth" "$KINORA_SERVER/api/v1/videos/$video" | jq -r .state) && [ "$state" = ready ]; do
    [ "$state" != failed ] || { echo "it failed" >&2; exit 1; }
    sleep 1
done
echo "watch it at $KINORA_SERVER/watch/$video"
