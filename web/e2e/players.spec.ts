// Other people's players on another origin, each from a manifest address alone: Shaka on HLS and DASH, hls.js on HLS, dash.js on DASH.
import { anotherSite, told } from "./elsewhere";
import { expect, frames, headers, origin, position, signIn, test, videoId } from "./support";

let site: Awaited<ReturnType<typeof anotherSite>>;
test.beforeAll(async () => {
  site = await anotherSite();
});
test.afterAll(() => site.close());

for (const [player, protocol] of [
  ["shaka", "hls"],
  ["shaka", "dash"],
  ["hls", "hls"],
  ["dash", "dash"],
] as const) {
  test(`${player} plays ${protocol} from another origin`, async ({ page, request }) => {
    await signIn(request);
    const playback = await (await request.post(`/api/v1/videos/${videoId()}/playback`, { headers })).json();
    const url = new URL(protocol === "hls" ? playback.hls_url : playback.dash_url, origin).href;
    await page.goto(site.address(player, url));
    await expect.poll(() => frames(page), { timeout: 30_000 }).toBeGreaterThan(24);
    const { failed, rungs } = await told(page);
    expect(failed).toEqual([]);
    expect(rungs).toBeGreaterThan(1);
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
    expect((await told(page)).failed).toEqual([]);
  });
}
