#!/usr/bin/env bash
# Lighthouse on the pages given, as a phone and as a desktop: prints each category's score, fails below 95.
#   scripts/lighthouse.sh http://127.0.0.1:8080/ http://127.0.0.1:8080/title/ID …
# Lighthouse comes from npm into the cache on first use; KINORA_LIGHTHOUSE_OUT keeps the whole reports there as JSON.
set -euo pipefail
cache="${KINORA_CACHE:-$HOME/.cache/kinora}/lighthouse"
[ -x "$cache/node_modules/.bin/lighthouse" ] || npm install --silent --no-save --prefix "$cache" lighthouse@12 >/dev/null
out=${KINORA_LIGHTHOUSE_OUT:-$(mktemp -d)}
mkdir -p "$out"
failed=0
for url in "$@"; do
    for form in mobile desktop; do
        flags=()
        [ "$form" = desktop ] && flags=(--preset=desktop)
        file="$out/$(printf '%s-%s' "$url" "$form" | tr -c 'A-Za-z0-9\n' '-').json"
        CHROME_PATH="${KINORA_CHROMIUM:-/usr/bin/chromium}" "$cache/node_modules/.bin/lighthouse" "$url" "${flags[@]}" \
            --quiet --output=json --output-path="$file" --only-categories=performance,accessibility,best-practices,seo \
            --chrome-flags="--headless=new --no-sandbox --disable-gpu --disable-background-networking" >/dev/null
        node -e '
            const report = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
            const scores = Object.values(report.categories).map((one) => [one.title, Math.round((one.score ?? 0) * 100)]);
            console.log(`${process.argv[3]} ${process.argv[2]}: ${scores.map(([name, score]) => `${name} ${score}`).join(", ")}`);
            process.exitCode = scores.every(([, score]) => score >= 95) ? 0 : 1;
        ' "$file" "$url" "$form" || failed=1
    done
done
exit $failed
