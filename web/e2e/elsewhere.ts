// Another site, on an origin of its own, whose pages are other people's players: each takes a manifest's address and nothing else.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright/test";

const modules = new URL("../node_modules/", import.meta.url).pathname;
const scripts = {
  shaka: `${modules}shaka-player/dist/shaka-player.compiled.js`,
  hls: `${modules}hls.js/dist/hls.min.js`,
  dash: `${modules}dashjs/dist/modern/umd/dash.all.min.js`,
};
export type Foreign = keyof typeof scripts;

/** What a page tells: faults by name, how many sizes there are, seconds behind the present where it is live. */
const pages: Record<Foreign, string> = {
  shaka: `
    const player = new shaka.Player();
    // What it recovers from by itself it tells as well.
    const fatal = shaka.util.Error.Severity.CRITICAL;
    player.addEventListener("error", (event) => event.detail.severity === fatal && failed.push(event.detail.code));
    await player.attach(video);
    // It would take the end of what is listed for the present, but of low latency that is yet to come.
    if (url.endsWith("/low.mpd")) player.configure("manifest.dash.autoCorrectDrift", false);
    // It looks for captions in a whole segment, and may be given one of which there are only parts.
    if (live) player.configure("manifest.hls.disableClosedCaptionsDetection", true);
    await player.load(url).catch((error) => failed.push(error.code));
    window.rungs = player.getVideoTracks().length;
    window.latency = () => player.getStats().liveLatency;
    video.play().catch(() => {});`,
  hls: `
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal || data.type !== "otherError") failed.push(data.details); });
    hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => { window.rungs = data.levels.length; });
    window.latency = () => hls.latency;
    hls.loadSource(url);
    hls.attachMedia(video);
    video.play().catch(() => {});`,
  dash: `
    const player = dashjs.MediaPlayer().create();
    player.on(dashjs.MediaPlayer.events.ERROR, (event) => failed.push(event.error.message));
    player.on(dashjs.MediaPlayer.events.STREAM_INITIALIZED, () => { window.rungs = player.getRepresentationsByType("video").length; });
    window.latency = () => player.getCurrentLiveLatency();
    player.initialize(video, url, true);`,
};
const pageOf = (player: Foreign) => `<!doctype html><title>Another site</title><link rel="icon" href="data:,">
<video muted playsinline width="640" height="360"></video><script src="/${player}.js"></script><script type="module">
const asked = new URLSearchParams(location.search), url = asked.get("url"), live = asked.has("live"), video = document.querySelector("video");
window.failed = [];
window.stalls = 0;
video.addEventListener("waiting", () => (window.stalls += 1));
${pages[player]}
</script>`;

/** Starts it. */
export async function anotherSite() {
  const server = createServer((request, answer) => {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    const player = path.replace(/^\/|\.js$/g, "") as Foreign;
    if (!(player in scripts)) answer.writeHead(404).end();
    else if (path.endsWith(".js")) {
      answer.setHeader("content-type", "text/javascript");
      createReadStream(scripts[player]).pipe(answer);
    } else answer.setHeader("content-type", "text/html").end(pageOf(player));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address: (player: Foreign, url: string, live = false) =>
      `${origin}/${player}?url=${encodeURIComponent(url)}${live ? "&live" : ""}`,
    close: () => new Promise((done) => server.close(done)),
  };
}

type Told = { failed: unknown[]; rungs: number; stalls: number; latency: () => number };
export const told = (page: Page) =>
  page.evaluate(() => {
    const { failed, rungs, stalls, latency } = globalThis as unknown as Told;
    return { failed, rungs, stalls, latency: latency() };
  });
