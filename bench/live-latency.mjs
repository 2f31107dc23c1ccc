// The browser's part of `bench/live-latency`: watches an event and reads the time that is drawn into its pictures.
//   node live-latency.mjs BASE_URL EVENT_ID SECONDS BITS BLOCK   →  JSON on standard output
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../web/package.json", import.meta.url)));
const { chromium } = require("playwright");
const [base, id, seconds, bits, block] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.KINORA_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
if (process.env.BENCH_DEBUG) {
  page.on("console", (message) => console.error(message.text()));
  page.on("response", (r) => r.status() >= 400 && console.error(r.status(), r.url().slice(-100)));
}
await page.goto(`${base}/watch/${id}`);
await page
  .waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0, null, { timeout: 60_000 })
  .catch(async (error) => {
    console.error((await page.locator("body").innerText()).slice(0, 500));
    throw error;
  });
// What the player needs to find its place does not count.
await page.waitForTimeout(10_000);
const seen = await page.evaluate(
  async ({ seconds, bits, block }) => {
    const video = document.querySelector("video");
    const canvas = new OffscreenCanvas(bits, 1);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const ms = [];
    let stalls = 0;
    video.addEventListener("waiting", () => (stalls += 1));
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      await new Promise((done) => video.requestVideoFrameCallback(done));
      const now = Date.now();
      const scale = video.videoWidth / 1280;
      // The middle of each block.
      let time = 0;
      context.imageSmoothingEnabled = false;
      for (let bit = 0; bit < bits; bit++) {
        context.drawImage(video, (bit + 0.25) * block * scale, block * 0.25 * scale, (block / 2) * scale, (block / 2) * scale, bit, 0, 1, 1);
      }
      const { data } = context.getImageData(0, 0, bits, 1);
      for (let bit = 0; bit < bits; bit++) time = time * 2 + (data[bit * 4 + 1] > 127 ? 1 : 0);
      // A picture that was filled in, or could not be read.
      if (Math.abs(now - time) < 60_000) ms.push(now - time);
    }
    return { ms, stalls, height: video.videoHeight };
  },
  { seconds: Number(seconds), bits: Number(bits), block: Number(block) },
);
console.log(JSON.stringify(seen));
await browser.close();
