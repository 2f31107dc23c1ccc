// Writes the service worker into the build: its version is a hash of the shell, so it changes when the shell does.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dist = new URL("../dist/", import.meta.url).pathname;
const html = readFileSync(join(dist, "index.html"), "utf8");
const linked = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg|webmanifest))"/g)].map((match) => match[1]);
const font = readdirSync(join(dist, "assets")).find((name) => /^inter-latin-wght-normal.*\.woff2$/.test(name));
const shell = ["/", ...new Set(linked), ...(font ? [`/assets/${font}`] : [])];
const hash = createHash("sha256");
for (const path of shell) hash.update(readFileSync(join(dist, path === "/" ? "index.html" : path)));
const source = readFileSync(new URL("../src/worker/sw.js", import.meta.url), "utf8");
hash.update(source);
const version = hash.digest("hex").slice(0, 12);
writeFileSync(
  join(dist, "sw.js"),
  source.replace("__VERSION__", version).replace("__SHELL__", JSON.stringify(shell, null, 2)),
);
