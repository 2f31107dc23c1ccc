// A playback on a slow line, from the player's beats to the operators' page of quality.
import { expect, listen, playing, signed as test, video, videoId } from "./support";

test.describe.configure({ mode: "serial" });

const quality = "/api/v1/control/quality?window=5m";

test("what a player tells is on the page within seconds", async ({ page, context, request }) => {
  const { title } = await video(request, videoId());
  const before = await (await request.get(quality)).json();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 40,
    downloadThroughput: 1_500_000 / 8,
    uploadThroughput: 500_000 / 8,
  });
  const media: string[] = [];
  page.on("request", (one) => /\.(m4s|mp4)(\?|$)/.test(one.url()) && media.push(one.url()));
  const started = page.waitForRequest((one) => one.url().endsWith("/api/v1/beats"));
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  const first = (await started).postDataJSON();
  expect(first).toMatchObject({ v: 1, beats: [{ seq: 0, kind: "start" }] });
  const answer = await page.waitForResponse(async (one) => {
    const body = one.url().endsWith("/api/v1/beats") ? one.request().postData() : null;
    return body?.includes('"kind":"play"') ?? false;
  });
  expect(answer.status()).toBe(200);
  const told = Date.now();
  // CMCD in the query, with the session that the server gave.
  expect(media.length).toBeGreaterThan(2);
  for (const url of media) expect(new URL(url).searchParams.get("CMCD")).toContain("sid=");

  const control = await context.newPage();
  const errors = listen(control);
  await control.goto("/control/quality?window=5m");
  const row = control.getByRole("region", { name: "By title" }).getByRole("row").filter({ hasText: title });
  await expect(row.locator('[data-label="now"]')).not.toHaveText("0");
  expect(Date.now() - told).toBeLessThan(8_000);
  await expect(row.locator('[data-label="starts"]')).not.toHaveText("0");
  await expect(row.locator('[data-label="95 of 100"]')).toHaveText(/^\d+(\.\d)? m?s$/);
  await expect(row.locator('[data-label="bitrate"]')).toHaveText(/^[\d.]+ [kM]b\/s$/);
  // From whoever delivered: the origin, or the edge in front of it.
  await expect(control.getByRole("region", { name: "By edge" }).getByRole("row").nth(1)).toBeVisible();
  const played = async () => {
    const after = await (await request.get(quality)).json();
    expect(after.total.starts).toBeGreaterThan(before.total.starts);
    return after.total.playing_ms - before.total.playing_ms;
  };
  // The first beat of a slow start may tell of no playing yet; the next comes ten seconds later.
  await expect.poll(played, { timeout: 25_000 }).toBeGreaterThan(500);

  // The page goes on by itself: the viewer leaves, and is no longer counted.
  const now = Number(await row.locator('[data-label="now"]').textContent());
  await page.close({ runBeforeUnload: true });
  await expect(row.locator('[data-label="now"]')).toHaveText(String(now - 1), { timeout: 40_000 });
  expect(errors).toEqual([]);
});

test("the charts tell what is under the pointer and the arrows", async ({ page }) => {
  await page.goto("/control");
  await page.getByRole("navigation", { name: "Control" }).getByRole("link", { name: "Quality" }).click();
  await expect(page).toHaveURL(/\/control\/quality$/);
  await page.getByText("5 min", { exact: true }).click();
  await expect(page).toHaveURL(/window=5m$/);
  const chart = page.getByRole("slider", { name: "Bitrate over time" });
  await chart.focus();
  await page.keyboard.press("Home");
  const first = await chart.getAttribute("aria-valuetext");
  await page.keyboard.press("End");
  await expect(chart).not.toHaveAttribute("aria-valuetext", first ?? "");
  await chart.hover();
  await expect(page.getByText(/^\d\d:\d\d: /).first()).toBeVisible();
});

test("an embedded player tells, too", async ({ page, request }) => {
  const before = await (await request.get(quality)).json();
  const beats = page.waitForRequest((one) => one.url().endsWith("/api/v1/beats"));
  await page.goto(`/embed/${videoId()}?autoplay=1`);
  expect((await beats).postDataJSON().beats[0].kind).toBe("start");
  await expect.poll(async () => (await (await request.get(quality)).json()).total.starts).toBe(before.total.starts + 1);
});

test("fits a phone", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/control/quality?window=5m");
  await page.getByRole("region", { name: "By title" }).getByRole("row").nth(1).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
