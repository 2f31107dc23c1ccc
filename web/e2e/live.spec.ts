// A live event with a real encoder: the waiting page begins to play by itself, the studio shows how it goes, and at the end
// there is a recording.
import type { ChildProcess } from "node:child_process";
import { send } from "./encoder";
import { expect, frames, headers, listen, playing, position, signed as test, video } from "./support";

test.describe.configure({ mode: "serial" });
// What is not there yet when it has just begun is asked again. Who asks for a playlist after the end gets the recording's, which has no dates:
// Shaka remarks on it and plays on.
test.use({ expected: [/404/, /Missing EXT-X-PROGRAM-DATE-TIME/] });

let encoder: ChildProcess | null = null;
test.afterAll(() => void encoder?.kill("SIGKILL"));

test("an event goes live, is watched, and is a recording afterwards", async ({ page, browser, request }) => {
  test.setTimeout(180_000);
  const data = { title: "First flight", visibility: "unlisted", dvr_seconds: 3600 };
  const event = await (await request.post("/api/v1/events", { headers, data })).json();
  const ingest = await (await request.get(`/api/v1/events/${event.id}/ingest`)).json();
  const server = ingest.servers.find((one: { protocol: string }) => one.protocol === "rtmp")?.url;
  test.skip(!server, "this server takes no live streams");
  const viewer = await (await browser.newContext()).newPage();
  const errors = listen(viewer);
  await viewer.goto(`/watch/${event.id}`);
  await expect(viewer.getByRole("heading", { name: "It starts here by itself" })).toBeVisible();
  await page.goto(`/studio/live/${event.id}`);
  await expect(page.getByRole("heading", { name: "Waiting for your encoder" })).toBeVisible();

  encoder = send(server, ingest.keys[0].key);
  await expect(page.getByText("Encoder connected")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText("All is well.")).toBeVisible();
  await expect(page.getByRole("button", { name: "End event" })).toBeVisible({ timeout: 30_000 });
  await playing(viewer);
  await expect(viewer.locator(".on-air-mark")).toContainText("Live");

  // Back, and to the present again.
  await expect.poll(() => position(viewer), { timeout: 60_000 }).toBeGreaterThan(14);
  const now = viewer.getByRole("button", { name: "Live", exact: true });
  await viewer.keyboard.press("0");
  await viewer.mouse.move(420, 320);
  const back = viewer.getByRole("button", { name: "Go to live" });
  await expect(back).toBeVisible();
  expect(await position(viewer)).toBeLessThan(8);
  await back.click();
  await expect(now).toBeVisible({ timeout: 30_000 });
  await expect.poll(() => position(viewer)).toBeGreaterThan(12);

  // Players tell every few seconds that they are there.
  const tile = page.locator(".live-tiles .tile", { hasText: "Watching" }).locator(".figure");
  await expect(tile).toHaveText("1", { timeout: 45_000 });
  await page.getByRole("button", { name: "Show what viewers see" }).click();
  await expect.poll(() => frames(page), { timeout: 30_000 }).toBeGreaterThan(10);
  await expect(page.getByRole("slider", { name: "Bitrate over time" })).toBeVisible();

  await page.getByRole("button", { name: "End event" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "End event" }).click();
  await expect(page.getByRole("heading", { name: "This event is over" })).toBeVisible({ timeout: 30_000 });
  encoder.kill("SIGKILL");
  await page.getByRole("link", { name: "Watch the recording" }).click();
  await playing(page);
  await expect(page.locator(".time").first()).toContainText("/ 0:");
  expect(errors.filter((error) => !/404/.test(error))).toEqual([]);
  await viewer.context().close();
  await request.delete(`/api/v1/videos/${event.id}?permanent=true`, { headers });
});

test("clips are cut out of an event while it is live, and out of its recording", async ({ page, request }) => {
  test.setTimeout(240_000);
  const data = { title: "Second flight", visibility: "unlisted" };
  const event = await (await request.post("/api/v1/events", { headers, data })).json();
  const ingest = await (await request.get(`/api/v1/events/${event.id}/ingest`)).json();
  const server = ingest.servers.find((one: { protocol: string }) => one.protocol === "rtmp")?.url;
  test.skip(!server, "this server takes no live streams");
  encoder = send(server, ingest.keys[0].key);
  const studio = `/studio/live/${event.id}`;
  await page.goto(studio);
  await expect(page.getByRole("heading", { name: "Clips" })).toBeVisible({ timeout: 60_000 });

  // By keyboard: the place, its beginning, its end.
  const cut = async (title: string, from: number, to: number) => {
    await page.getByRole("button", { name: "Make a clip" }).click();
    const place = page.getByRole("slider", { name: "Position" });
    await expect(place).toBeEnabled({ timeout: 30_000 });
    await expect.poll(async () => Number(await place.getAttribute("max")), { timeout: 30_000 }).toBeGreaterThan(to);
    for (const [at, key, field] of [
      [from, "i", "Begins at"],
      [to, "o", "Ends at"],
    ] as const) {
      await place.fill(String(at));
      await page.keyboard.press(key);
      await expect(page.getByLabel(field, { exact: true })).toHaveValue(`0:0${at / 1000}.000`);
    }
    await page.getByLabel("Title of the clip").fill(title);
    await page.getByRole("button", { name: `Make a clip of 0:0${(to - from) / 1000}` }).click();
    await page.getByRole("status").getByRole("link", { name: title }).click({ timeout: 30_000 });
    await expect(page.getByRole("heading", { name: title })).toBeVisible();
    const id = new URL(page.url()).pathname.split("/").pop() as string;
    await expect.poll(async () => (await video(request, id)).complete, { timeout: 60_000 }).toBe(true);
    const { duration_ms } = await video(request, id);
    expect(duration_ms).toBeGreaterThanOrEqual(to - from);
    expect(duration_ms).toBeLessThan(to - from + 5000);
    return id;
  };
  const clips = [await cut("Take-off", 3000, 7000)];
  await request.post(`/api/v1/events/${event.id}/end`, { headers });
  encoder.kill("SIGKILL");
  await page.goto(studio);
  await expect(page.getByRole("heading", { name: "This event is over" })).toBeVisible({ timeout: 60_000 });
  clips.push(await cut("In the air", 2000, 5000));
  await request.delete(`/api/v1/videos/${event.id}?permanent=true`, { headers });
  for (const id of clips) {
    await page.goto(`/watch/${id}`);
    await playing(page);
    await request.delete(`/api/v1/videos/${id}?permanent=true`, { headers });
  }
});
