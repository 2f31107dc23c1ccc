// The browser's part of `bench/start`: opens pages in Chromium and tells when the first frame was on screen.
//   node start.mjs BASE_URL VIDEO_ID click|address RUNS   →  JSON on standard output
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../web/package.json", import.meta.url)));
const { chromium } = require("playwright");
const [base, id, kind, runs] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.KINORA_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required"],
});

/** Milliseconds at which the first frame was shown, by the page's own clock, from the mark `from` or the navigation. */
const firstFrame = (page, from) =>
  page
    .waitForFunction(
      (mark) => {
        const frame = performance.getEntriesByName("kinora:first-frame").at(-1);
        const begin = mark ? performance.getEntriesByName(mark).at(-1)?.startTime : 0;
        return frame && begin !== undefined ? frame.startTime - begin : null;
      },
      from,
      { timeout: 60_000, polling: 20 },
    )
    .then((handle) => handle.jsonValue());

const out = [];
for (let run = 0; run < Number(runs); run++) {
  // A context of its own has an empty cache.
  const context = await browser.newContext({ baseURL: base, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  let clicked = false;
  let early = 0;
  let bytes = 0;
  page.on("request", (request) => {
    if (!clicked && new URL(request.url()).pathname.startsWith("/media/")) early += 1;
  });
  page.on("requestfinished", async (request) => {
    const sizes = await request.sizes().catch(() => null);
    bytes += sizes ? sizes.responseBodySize + sizes.responseHeadersSize : 0;
  });
  if (kind === "address") {
    clicked = true;
    await page.goto(`/watch/${id}`, { waitUntil: "commit" });
    const ms = await firstFrame(page, null);
    out.push({ ms, bytes });
  } else {
    await page.goto("/");
    const card = page.locator(`.card-link[href="/watch/${id}"]`).first();
    await card.waitFor();
    await page.waitForLoadState("networkidle");
    // As people do: the pointer comes, a moment later the press.
    await card.hover();
    await page.waitForTimeout(300);
    if (early > 0) throw new Error("media was fetched before the click");
    clicked = true;
    await card.click();
    const ms = await firstFrame(page, "kinora:click");
    const height = await page.evaluate(() => document.querySelector("video")?.videoHeight ?? 0);
    out.push({ ms, height });
  }
  await context.close();
}
await browser.close();
console.log(JSON.stringify(out));
