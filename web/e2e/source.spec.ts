// The source of a title: imported from a link, recognised as a duplicate, replaced, trimmed, gone back to.
import { createReadStream, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import type { APIRequestContext } from "playwright/test";
import { clip, expect, headers, signed as test, video } from "./support";

/** Somebody else's web server, on one of the ports that the tested server may ask. */
let server: Server;
let link: string;
test.beforeAll(async () => {
  const { size } = statSync(clip);
  server = createServer((request, response) => {
    if (!request.url?.startsWith("/film.mp4")) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-length": size, "content-type": "video/mp4", etag: '"film"' });
    createReadStream(clip).pipe(response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  link = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.afterAll(() => server.close());

const complete = (request: APIRequestContext, id: string) =>
  expect.poll(async () => (await video(request, id)).complete, { timeout: 110_000 }).toBe(true);

test.describe("import", () => {
  test.use({ expected: [/422/] });
  test("a link becomes a title; what cannot be fetched says why", async ({ page, context }) => {
    await page.goto("/studio/upload");
    const field = page.getByRole("textbox", { name: "Import from a link" });
    const start = page.getByRole("button", { name: "Import", exact: true });
    await start.click();
    await expect(page.getByText("Put the link of a video file here.")).toBeVisible();
    await field.fill("http://169.254.169.254/latest/meta-data");
    await start.click();
    await expect(page.getByRole("alert").filter({ hasText: "private network" })).toBeVisible();

    await field.fill(`${link}/nothing.mp4`);
    await field.press("Enter");
    const gone = page.getByRole("listitem", { name: "nothing", exact: true });
    await expect(gone.getByText("There is no file at this link.").first()).toBeVisible({ timeout: 30_000 });
    await expect(gone.getByRole("button", { name: "Try nothing again" })).toBeVisible();

    await field.fill(`${link}/film.mp4?signature=secret`);
    await start.click();
    const item = page.getByRole("listitem", { name: "film", exact: true });
    const edit = item.getByRole("link", { name: "Edit details" });
    await expect(edit).toBeVisible({ timeout: 60_000 });
    // The first run has uploaded this very file.
    await expect(item.getByText("You already uploaded this file as")).toBeVisible({ timeout: 30_000 });
    const id = (await edit.getAttribute("href"))?.split("/").pop() ?? "";
    await item.getByRole("button", { name: "Keep both" }).click();
    await expect(item.getByText("You already uploaded this file as")).toHaveCount(0);
    await complete(context.request, id);
    await context.request.delete(`/api/v1/videos/${id}?permanent=true`, { headers });
  });
});

test("a title is trimmed, replaced, and goes back", async ({ page, context }) => {
  test.setTimeout(400_000);
  const made = await context.request.post("/api/v1/imports", {
    headers,
    data: { url: `${link}/film.mp4`, title: "To be cut" },
  });
  expect(made.status()).toBe(201);
  const { video_id: id } = await made.json();
  await complete(context.request, id);
  const before = await video(context.request, id);
  await page.goto(`/studio/videos/${id}?tab=source`);
  await page.getByRole("button", { name: "Trim", exact: true }).click();
  const from = page.getByRole("slider", { name: "Beginning of the part" });
  await expect(from).toBeVisible();
  await from.focus();
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByLabel("From", { exact: true })).toHaveValue("0:02.040");
  await page.getByLabel("To", { exact: true }).fill("12.5");
  await page.getByLabel("To", { exact: true }).press("Enter");
  await expect(page.getByRole("slider", { name: "End of the part" })).toHaveAttribute("aria-valuetext", "0:12.500");
  await page.getByRole("button", { name: "Keep only this" }).click();
  await expect(page.getByText(/stay\. .* at the cuts are encoded again/)).toBeVisible();
  await page.getByRole("button", { name: /^Trim to 0:10/ }).click();
  await expect(page.getByRole("heading", { name: "The cut version" })).toBeVisible();
  const plays = page.getByRole("list", { name: "Versions" }).getByRole("listitem").filter({ hasText: "plays now" });
  await expect(plays).toContainText("Trimmed", { timeout: 110_000 });
  const cut = await video(context.request, id);
  expect(Math.abs(cut.duration_ms - 10_460)).toBeLessThan(60);

  await page.getByRole("button", { name: "Go back to version 1" }).click();
  await expect(plays).toContainText("First upload");
  expect((await video(context.request, id)).duration_ms).toBe(before.duration_ms);

  await page.getByLabel("New file").setInputFiles(clip);
  await expect(page.getByRole("heading", { name: "The new version" })).toBeVisible();
  await expect(page.getByText("Until it is complete, the title plays as it does now.")).toBeVisible();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page.getByRole("heading", { name: "The new version" })).toHaveCount(0);
  await expect(
    page
      .getByRole("listitem")
      .filter({ hasText: basename(clip) })
      .filter({ hasText: "Cancelled" }),
  ).toBeVisible();
  await context.request.delete(`/api/v1/videos/${id}?permanent=true`, { headers });
});
