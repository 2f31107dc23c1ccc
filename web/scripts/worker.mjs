// Writes the service worker into the build: its version is a hash of the shell, so it changes when the shell does. And
// tells the page which files the player is in, so that an address that plays begins to load them at once.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dist = new URL("../dist/", import.meta.url).pathname;
const html = readFileSync(join(dist, "index.html"), "utf8");
const files = readdirSync(join(dist, "assets"));
const named = (name) =>
  files.filter((file) => new RegExp(`^${name}-[\\w-]{8}\\.js$`).test(file)).map((file) => `/assets/${file}`);
const watch = [...named("watch"), ...named("session")];
const player = named("shaka");
const title = [...named("title"), ...named("backdrop")];
if (watch.length !== 2 || player.length !== 1)
  throw new Error(`the player's files are not where they were: ${watch} ${player}`);
if (title.length === 0) throw new Error("the title page is not where it was");
writeFileSync(
  join(dist, "index.html"),
  html.replace(
    'src="/boot.js"',
    `src="/boot.js" data-watch="${watch.join(" ")}" data-player="${player.join(" ")}" data-title="${title.join(" ")}"`,
  ),
);
const linked = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg|webmanifest))"/g)].map((match) => match[1]);
const font = files.find((name) => /^inter-latin-wght-normal.*\.woff2$/.test(name));
// The player is part of it: a press on play should not wait for code.
const shell = ["/", ...new Set(linked), ...watch, ...player, ...(font ? [`/assets/${font}`] : [])];
const hash = createHash("sha256");
for (const path of shell) hash.update(readFileSync(join(dist, path === "/" ? "index.html" : path)));
const source = readFileSync(new URL("../src/worker/sw.js", import.meta.url), "utf8");
hash.update(source);
const version = hash.digest("hex").slice(0, 12);
writeFileSync(
  join(dist, "sw.js"),
  source.replace("__VERSION__", version).replace("__SHELL__", JSON.stringify(shell, null, 2)),
);
