// Other people's players on another origin, each from a manifest address alone: Shaka on HLS and DASH, hls.js on HLS.
import { createReadStream, existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, frames, headers, origin, position, signIn, test, videoId } from "./support";

const modules = new URL("../node_modules/", import.meta.url).pathname;
const scripts: Record<string, string> = {
  "/shaka.js": `${modules}shaka-player/dist/shaka-player.compiled.js`,
  "/hls.js": `${modules}hls.js/dist/hls.min.js`,
};
const pageOf = (
  player: string,
) => `<!doctype html><title>Another site</title><link rel="icon" href="data:,"><video muted playsinline width="640" height="360"></video>
<script src="/${player}.js"></script><script type="module">
const url = new URLSearchParams(location.search).get("url"), video = document.querySelector("video");
window.failed = [];
if (${JSON.stringify(player)} === "shaka") {
  const player = new shaka.Player();
  player.addEventListener("error", (event) => failed.push(event.detail.code));
  await player.attach(video);
  await player.load(url).catch((error) => failed.push(error.code));
  window.rungs = player.getVideoTracks().length;
} else {
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal || data.type !== "otherError") failed.push(data.details); });
  hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => { window.rungs = data.levels.length; });
  hls.loadSource(url);
  hls.attachMedia(video);
}
video.play();
</script>`;

let server: Server;
let elsewhere: string;
test.beforeAll(async () => {
  server = createServer((request, answer) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const script = scripts[pathname];
    if (script && existsSync(script)) {
      answer.setHeader("content-type", "text/javascript");
      createReadStream(script).pipe(answer);
    } else answer.setHeader("content-type", "text/html").end(pageOf(pathname.slice(1)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.afterAll(() => new Promise((done) => server.close(done)));

for (const [player, protocol] of [
  ["shaka", "hls"],
  ["shaka", "dash"],
  ["hls", "hls"],
] as const) {
  test(`${player} plays ${protocol} from another origin`, async ({ page, request }) => {
    await signIn(request);
    const playback = await (await request.post(`/api/v1/videos/${videoId()}/playback`, { headers })).json();
    const url = new URL(protocol === "hls" ? playback.hls_url : playback.dash_url, origin).href;
    await page.goto(`${elsewhere}/${player}?url=${encodeURIComponent(url)}`);
    await expect.poll(() => frames(page), { timeout: 30_000 }).toBeGreaterThan(24);
    const failed = () => page.evaluate(() => (globalThis as unknown as { failed: unknown[] }).failed);
    expect(await failed()).toEqual([]);
    expect(await page.evaluate(() => (globalThis as unknown as { rungs: number }).rungs)).toBeGreaterThan(1);
    const landed = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const video = document.querySelector("video") as HTMLVideoElement;
          video.addEventListener(
            "seeked",
            () => video.requestVideoFrameCallback((_, frame) => resolve(frame.mediaTime)),
            { once: true },
          );
          video.currentTime = 17.3;
        }),
    );
    expect(Math.abs(landed - 17.3)).toBeLessThan(0.1);
    const at = await position(page);
    await expect.poll(() => position(page)).toBeGreaterThan(at + 0.5);
    expect(await failed()).toEqual([]);
  });
}
