// The streams of an account: one stopped from elsewhere says so, one too many is refused with a way to end another.
import { expect, headers, playing, signed as test, videoId } from "./support";

test.describe.configure({ mode: "serial" });
// Media whose token was revoked, and playbacks that are refused.
test.use({ expected: [/status of (401|403|410)/] });

type Stream = { session: string; video_id: string };

test("a stream that is stopped elsewhere says so, and goes on when asked", async ({ page, request }) => {
  test.setTimeout(120_000);
  const begun = page.waitForResponse((one) => /\/playback$/.test(new URL(one.url()).pathname));
  await page.goto(`/watch/${videoId()}`);
  const { session } = await (await begun).json();
  await playing(page);
  const streams: Stream[] = await (await request.get("/api/v1/me/streams")).json();
  expect(streams.map((one) => one.session)).toContain(session);
  // All of the short film is here already, and after it the next one would begin: it is the player's own question that tells.
  await page.evaluate(() => document.querySelector("video")?.pause());
  const stopped = await request.delete(`/api/v1/me/streams/${session}`, { headers });
  expect(stopped.status()).toBe(204);
  const told = page.getByRole("alert").filter({ hasText: "Stopped from another device" });
  await expect(told).toBeVisible({ timeout: 60_000 });
  await told.getByRole("button", { name: "Watch here" }).click();
  await expect(told).toBeHidden();
  await playing(page);
});

test("one stream too many names the others, and can end one", async ({ page, request }) => {
  const other = await request.post(`/api/v1/videos/${videoId()}/playback`, { headers });
  const { session } = await other.json();
  // The page may ask more than once.
  let refusing = true;
  await page.route("**/playback*", (route) => {
    if (!refusing) return route.continue();
    const detail = "2 streams of this account play already. Stop one of them to watch here.";
    const body = { type: "about:blank", title: "Forbidden", status: 403, code: "too_many_streams", detail };
    return route.fulfill({ status: 403, contentType: "application/problem+json", json: body });
  });
  await page.goto(`/watch/${videoId()}`);
  const told = page.getByRole("alert").filter({ hasText: "Somebody is watching already" });
  await expect(told).toBeVisible();
  const rows = told.getByRole("listitem");
  await expect(rows).not.toHaveCount(0);
  const before = await rows.count();
  refusing = false;
  // The latest is the first.
  await told
    .getByRole("button", { name: /^Stop there/ })
    .first()
    .click();
  await expect(told).toBeHidden();
  await playing(page);
  const streams: Stream[] = await (await request.get("/api/v1/me/streams")).json();
  expect(streams.map((one) => one.session)).not.toContain(session);
  expect(before).toBeGreaterThan(0);
});

test("the account page tells what is being watched", async ({ page, request }) => {
  const begun = await request.post(`/api/v1/videos/${videoId()}/playback`, { headers });
  const { session } = await begun.json();
  await page.goto("/account");
  const panel = page.getByRole("region", { name: "Watching now" });
  await expect(panel.getByRole("button", { name: /^Stop there/ }).first()).toBeVisible();
  await panel
    .getByRole("button", { name: /^Stop there/ })
    .first()
    .click();
  await expect
    .poll(async () => {
      const streams: Stream[] = await (await request.get("/api/v1/me/streams")).json();
      return streams.some((one) => one.session === session);
    })
    .toBe(false);
});
