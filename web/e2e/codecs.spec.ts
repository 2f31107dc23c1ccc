// A title in several codecs: the browser plays each that it decodes, and our own player names what it plays.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, headers, origin, playing, signIn, test } from "./support";

const shaka = new URL("../node_modules/shaka-player/dist/shaka-player.compiled.js", import.meta.url).pathname;
const profile = {
  ladder: [{ height: 240, bitrate_bps: 800_000 }],
  video: [{ codec: "h264" }, { codec: "vp9" }, { codec: "av1" }],
  audio: ["aac", "opus"],
};

test.use({ bypassCSP: true });
test.setTimeout(180_000);

let id = "";
test.beforeAll(async ({ playwright }) => {
  const request = await playwright.request.newContext({ baseURL: origin });
  await signIn(request);
  const made = await request.put("/api/v1/control/profiles/several", {
    headers: { ...headers, "if-none-match": "*" },
    data: profile,
  });
  // It is there when another test failed and this file begins anew.
  expect([200, 201, 412]).toContain(made.status());
  const chosen = await request.post("/api/v1/control/profiles/several/choose", { headers });
  expect(chosen.ok()).toBe(true);
  const file = join(mkdtempSync(join(tmpdir(), "kinora-clip-")), "a.mp4");
  const source = ["-f", "lavfi", "-i", "testsrc2=s=426x240:r=25:d=9", "-f", "lavfi", "-i", "sine=d=9"];
  execFileSync("ffmpeg", ["-v", "error", ...source, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", file]);
  const bytes = readFileSync(file);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const upload = await request.post("/api/v1/uploads", {
    headers: {
      ...headers,
      "tus-resumable": "1.0.0",
      "upload-length": String(bytes.length),
      "upload-metadata": `filename ${base64("a.mp4")},title ${base64("Several codecs")},visibility ${base64("public")}`,
      "content-type": "application/offset+octet-stream",
    },
    data: bytes,
  });
  expect(upload.status()).toBe(201);
  id = upload.headers()["kinora-video-id"] ?? "";
  const state = async () => {
    const { steps } = await (await request.get(`/api/v1/videos/${id}`)).json();
    return steps.find((step: { name: string; state: string }) => step.name === "formats")?.state;
  };
  await expect.poll(state, { timeout: 120_000 }).toBe("done");
  await request.dispose();
});

// Titles of other tests are made as usual.
test.afterAll(async ({ playwright }) => {
  const request = await playwright.request.newContext({ baseURL: origin });
  await signIn(request);
  const chosen = await request.post("/api/v1/control/profiles/built-in/choose", { headers });
  expect(chosen.ok()).toBe(true);
  await request.dispose();
});

for (const codec of ["avc1", "vp09", "av01"]) {
  test(`${codec} plays`, async ({ page, expected }) => {
    // A page without an icon.
    expected.push(/favicon/);
    await page.goto("/robots.txt");
    await page.addScriptTag({ path: shaka });
    const answer = await page.request.post(`/api/v1/videos/${id}/playback`, { headers, data: {} });
    const { hls_url, dash_url } = await answer.json();
    for (const url of [hls_url, dash_url]) {
      // The step is done a moment before the new descriptor is there.
      const load = ([url, codec]: [string, string]) =>
        page.evaluate(
          async ([url, codec]) => {
            // biome-ignore lint/suspicious/noExplicitAny: the library comes as a script
            const { Player } = (window as any).shaka;
            document.body.innerHTML = "<video muted></video>";
            const element = document.querySelector("video") as HTMLVideoElement;
            const player = new Player();
            player.configure({ preferredVideoCodecs: [codec] });
            await player.attach(element);
            await player.load(url);
            await element.play();
            // biome-ignore lint/suspicious/noExplicitAny: as above
            return player.getVariantTracks().find((track: any) => track.active)?.videoCodec as string;
          },
          [url, codec] as [string, string],
        );
      await expect.poll(() => load([url, codec]), { timeout: 30_000 }).toContain(codec);
      const shown = () =>
        page.evaluate(() => {
          const element = document.querySelector("video") as HTMLVideoElement;
          return element.currentTime > 1 ? element.getVideoPlaybackQuality().totalVideoFrames : 0;
        });
      await expect.poll(shown, { timeout: 20_000 }).toBeGreaterThan(20);
    }
  });
}

test("our own player picks one and says which", async ({ page, expected }) => {
  // A visitor asks who they are.
  expected.push(/401/);
  await page.goto(`/watch/${id}`);
  await playing(page);
  await page.mouse.move(500, 300);
  await page.getByRole("button", { name: "Quality" }).click();
  await page.getByRole("menuitem", { name: "Statistics for nerds" }).click();
  const stats = page.getByRole("region", { name: "Statistics for nerds" });
  await expect(stats.getByText(/(avc1|vp09|av01)\./)).toBeVisible();
});
