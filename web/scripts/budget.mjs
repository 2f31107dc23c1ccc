// Fails the build when the first load of the watch face outgrows its budget: everything index.html loads, gzipped,
// plus the one font file that Latin text needs. Player and pages behind a click are not part of it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
const budget = 200_000;
const html = readFileSync(join(dist, "index.html"), "utf8");
const linked = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((match) => match[1]);
const font = readdirSync(join(dist, "assets")).find((name) => /^inter-latin-wght-normal.*\.woff2$/.test(name));
const sizes = [...linked, "index.html"].map((name) => [name, gzipSync(readFileSync(join(dist, name))).length]);
// Fonts are compressed already.
if (font) sizes.push([`assets/${font}`, readFileSync(join(dist, "assets", font)).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [name, size] of sizes) console.log(`${String(size).padStart(8)}  ${name}`);
console.log(`${String(total).padStart(8)}  first load, of ${budget}`);
if (total > budget) process.exitCode = 1;
