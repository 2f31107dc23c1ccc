// Playback in our own player: start, seek, quality, throttling, resuming elsewhere, keyboard.
import {
  expect,
  headers,
  listen,
  pictureHeight,
  playing,
  position,
  signedState,
  signed as test,
  videoId,
} from "./support";

// Each test plays from the beginning: where the one before stopped may leave too little of a short clip.
test.beforeEach(async ({ context }) => {
  const answer = await context.request.delete(`/api/v1/me/history/${videoId()}`, { headers });
  expect(answer.status()).toBe(204);
});

test("plays, and seeks to within a tenth of a second", async ({ page }) => {
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  await page.keyboard.press("k");
  // The time of the picture that is on screen, whenever it was put there.
  await page.evaluate(() => {
    const video = document.querySelector("video") as HTMLVideoElement;
    const note: VideoFrameRequestCallback = (_, frame) => {
      video.dataset.shown = String(frame.mediaTime);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  });
  for (const tenth of [5, 2, 8]) {
    await page.keyboard.press(String(tenth));
    const look = () =>
      page.evaluate(() => {
        const video = document.querySelector("video") as HTMLVideoElement;
        return {
          seeking: video.seeking,
          now: video.currentTime,
          shown: Number(video.dataset.shown ?? -99),
          duration: video.duration,
        };
      });
    await expect.poll(async () => (await look()).seeking).toBe(false);
    const { now, duration } = await look();
    expect(Math.abs(now - (duration * tenth) / 10)).toBeLessThan(0.1);
    await expect.poll(async () => Math.abs((await look()).shown - now)).toBeLessThan(0.1);
  }
});

test("pointer on the seek bar shows a picture of the moment", async ({ page }) => {
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  const box = await page.getByRole("slider", { name: "Seek" }).boundingBox();
  if (!box) throw new Error("the seek bar has no box");
  const picture = page.waitForResponse((answer) => /\/storyboard\/\d+\.jpg$/.test(answer.url()) && answer.ok());
  // The first move wakes the controls, the second is over the bar.
  await page.mouse.move(box.x + box.width / 2, box.y - 80);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await picture;
  await expect(page.locator(".preview")).toContainText(/0:1[45]/);
});

test("switches down when the network is slow", async ({ page, context }) => {
  // What an earlier, faster visit left behind: playback starts on the best rung.
  await page.addInitScript(() => localStorage.setItem("kinora-bandwidth", "40000000"));
  await page.goto("/");
  const card = page.getByRole("link", { name: /Big buck bunny/i }).first();
  await card.hover();
  await page.mouse.move(5, 5);
  await page.waitForLoadState("networkidle");
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 40,
    downloadThroughput: 1_300_000 / 8,
    uploadThroughput: 125_000,
  });
  await card.click();
  await expect.poll(() => pictureHeight(page), { timeout: 60_000 }).toBeGreaterThan(0);
  const best = await pictureHeight(page);
  await expect.poll(() => pictureHeight(page), { timeout: 90_000 }).toBeLessThan(best);
});

test("the quality menu fixes a rung", async ({ page }) => {
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  const choose = async (name: string | RegExp) => {
    await page.mouse.move(400, 300);
    await page.getByRole("button", { name: "Quality" }).click();
    await page.getByRole("menuitemradio", { name }).click();
  };
  await choose(/^360p/);
  await expect.poll(() => pictureHeight(page)).toBe(360);
  await choose(/^480p/);
  await expect.poll(() => pictureHeight(page)).toBe(480);
});

test("goes on in a second browser where the first stopped", async ({ page, browser }) => {
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  const saved = page.waitForResponse(
    (answer) => answer.request().method() === "PUT" && answer.url().includes("/me/history/") && answer.status() === 204,
  );
  await page.keyboard.press("4");
  await expect.poll(() => position(page)).toBeGreaterThan(12);
  await page.keyboard.press("k");
  await saved;
  await page.waitForTimeout(300);
  const stopped = await position(page);
  const other = await browser.newContext({ storageState: signedState() });
  const elsewhere = await other.newPage();
  const errors = listen(elsewhere);
  await elsewhere.goto(`/watch/${videoId()}`);
  await playing(elsewhere);
  const at = await position(elsewhere);
  expect(at).toBeGreaterThan(stopped - 1);
  expect(at).toBeLessThan(stopped + 8);
  expect(errors).toEqual([]);
  await other.close();
});

test("keyboard: pause, skip, mute, speed, help", async ({ page }) => {
  await page.goto(`/watch/${videoId()}?t=10`);
  await playing(page);
  const state = () =>
    page.evaluate(() => {
      const video = document.querySelector("video") as HTMLVideoElement;
      return { paused: video.paused, muted: video.muted, rate: video.playbackRate, at: video.currentTime };
    });
  await page.keyboard.press("k");
  expect((await state()).paused).toBe(true);
  const { at } = await state();
  await page.keyboard.press("l");
  expect((await state()).at).toBeCloseTo(at + 10, 1);
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowRight");
  expect((await state()).at).toBeCloseTo(at + 5, 1);
  await page.keyboard.press("m");
  expect((await state()).muted).toBe(true);
  await page.keyboard.press("m");
  await page.keyboard.press(">");
  // The player holds the picture for a moment after a jump.
  await expect.poll(async () => (await state()).rate).toBe(1.25);
  await page.keyboard.press("<");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("f");
  await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
  await page.keyboard.press("f");
  await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull();
  // The bar itself is reachable: slider and buttons by Tab.
  await page.getByRole("slider", { name: "Seek" }).focus();
  await page.keyboard.press("Home");
  await expect.poll(() => position(page)).toBeLessThan(0.5);
});

test("tells the time from click to first frame", async ({ page }) => {
  await page.goto("/");
  const card = page.getByRole("link", { name: /Big buck bunny/i }).first();
  await card.focus();
  await page.waitForLoadState("networkidle");
  await card.click();
  const ms = await page.waitForFunction(() => {
    const click = performance.getEntriesByName("kinora:click").at(-1);
    const frame = performance.getEntriesByName("kinora:first-frame").at(-1);
    return click && frame ? frame.startTime - click.startTime : null;
  });
  const value = await ms.jsonValue();
  test.info().annotations.push({ type: "click to first frame", description: `${Math.round(value ?? 0)} ms` });
  console.log(`click to first frame: ${Math.round(value ?? 0)} ms`);
  expect(value).toBeLessThan(4000);
});
