// A live event with a real encoder: the waiting page begins to play by itself, the studio shows how it goes, and at the end
// there is a recording.
import type { ChildProcess } from "node:child_process";
import { send } from "./encoder";
import { expect, frames, headers, listen, playing, position, signed as test } from "./support";

test.describe.configure({ mode: "serial" });
// What is not there yet when it has just begun is asked again.
test.use({ expected: [/404/] });

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
