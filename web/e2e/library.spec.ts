// Search, editing, deleting with undo, rows by arrow keys, resuming an upload.
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, patch, signed as test, video, videoId } from "./support";

test("search as you type, with the words in the address", async ({ page }) => {
  await page.goto("/");
  // Keys are heard from when the app has taken over.
  await page.getByRole("link", { name: "Skip to the content" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("buck bu");
  await expect(page).toHaveURL(/\/search\?q=buck(%20|\+)bu$/);
  await expect(page.getByRole("link", { name: /Big buck bunny/i }).first()).toBeVisible();
  await page.reload();
  await expect(page.getByRole("searchbox")).toHaveValue("buck bu");
  await expect(page.getByRole("link", { name: /Big buck bunny/i }).first()).toBeVisible();
  await page.getByRole("searchbox").fill("zzzzqq");
  await expect(page.getByRole("heading", { name: "Nothing found for “zzzzqq”" })).toBeVisible();
});

test("filters stay in the address while the words change", async ({ page, context }) => {
  const found = page
    .getByRole("main")
    .getByRole("link", { name: /Big buck bunny/i })
    .first();
  await patch(context.request, videoId(), { maturity_rating: "PG", release_year: 2008 });
  await page.goto("/search?q=buck");
  await page.getByLabel("Released").selectOption("2000s");
  await page.getByLabel("Rating").selectOption("PG");
  await expect(page).toHaveURL(/year_from=2000&year_to=2009.*rating=PG|rating=PG.*year_from=2000&year_to=2009/);
  await expect(found).toBeVisible();
  await page.getByRole("searchbox").fill("bunny");
  await expect(page).toHaveURL(/q=bunny.*rating=PG|rating=PG.*q=bunny/);
  await expect(found).toBeVisible();
  await page.getByLabel("Released").selectOption("2010s");
  await expect(page.getByRole("heading", { name: "Nothing found for “bunny” with these filters" })).toBeVisible();
  await page.getByRole("link", { name: "Clear the filters" }).click();
  await expect(page).toHaveURL(/\/search\?q=bunny$/);
  await expect(found).toBeVisible();
  await patch(context.request, videoId(), { maturity_rating: null, release_year: null });
});

test.describe("editor", () => {
  test.use({ expected: [/412/] });
  test("saves, warns before leaving, and explains a conflict", async ({ page, context }) => {
    const id = videoId();
    const before = await video(context.request, id);
    await page.goto(`/studio/videos/${id}`);
    const title = page.getByLabel("Title", { exact: true });
    await expect(title).toHaveValue(before.title);
    await page.getByLabel("Description").fill(`Edited at ${new Date().toISOString()}`);
    await page.getByRole("button", { name: "Save" }).first().click();
    await expect(page.getByText("Saved.")).toBeVisible();
    expect((await video(context.request, id)).revision).toBeGreaterThan(before.revision);

    await title.fill("Mine");
    await page.getByRole("link", { name: "Back to the library" }).click();
    await expect(page.getByRole("alertdialog", { name: "Leave without saving?" })).toBeVisible();
    await page.getByRole("button", { name: "Keep editing" }).click();
    await expect(title).toHaveValue("Mine");

    await patch(context.request, id, { title: "Theirs" });
    await page.getByRole("button", { name: "Save" }).first().click();
    await expect(page.getByText("Someone else saved this title while you were editing.")).toBeVisible();
    await page.getByRole("button", { name: "Take theirs" }).click();
    await expect(title).toHaveValue("Theirs");
    await title.fill(before.title);
    await page.getByRole("button", { name: "Save" }).first().click();
    await expect.poll(async () => (await video(context.request, id)).title).toBe(before.title);
  });
});

test("a poster is chosen from the frames", async ({ page, context }) => {
  const id = videoId();
  await page.goto(`/studio/videos/${id}?tab=artwork`);
  const frames = page.getByRole("radiogroup", { name: "Poster" }).getByRole("radio");
  await expect(frames.nth(1)).toBeAttached();
  const picked = await frames.evaluateAll((all) => all.findIndex((one) => !(one as HTMLInputElement).checked));
  await frames.nth(picked).click({ force: true });
  await expect(frames.nth(picked)).toBeChecked();
  await expect
    .poll(async () => {
      const answer = await context.request.get(`/api/v1/videos/${id}/artwork`);
      const pictures: { kind: string; chosen: boolean }[] = await answer.json();
      return pictures.filter((one) => one.kind === "poster").findIndex((one) => one.chosen);
    })
    .toBe(picked);
});

test("delete, undo, trash and restore", async ({ page, context }) => {
  const { title } = await video(context.request, videoId());
  await page.goto("/studio");
  const row = page.getByRole("row", { name: title });
  await row.getByRole("button", { name: /^More for/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: /^More for/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("radio", { name: "Trash" }).click();
  await expect(page).toHaveURL(/view=trash/);
  await row.getByRole("button", { name: /^Restore/ }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("radio", { name: "Library" }).click();
  await expect(row).toBeVisible();
});

test("everything by keyboard: skip link, cards, menu", async ({ page }) => {
  await page.goto("/");
  await page
    .getByRole("link", { name: /Big buck bunny/i })
    .first()
    .waitFor();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("main").locator(":focus")).toBeVisible();
  const first = page.locator(".row .card-link").first();
  await first.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await expect(first).toBeFocused();
  await page.getByRole("button", { name: /^Account of/ }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "History" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: /^Account of/ })).toBeFocused();
});

test("an upload survives its tab", async ({ page, context }) => {
  const file = join(mkdtempSync(join(tmpdir(), "kinora-clip-")), "survivor.mp4");
  // Noise does not compress: six seconds become several megabytes.
  const made = spawnSync("ffmpeg", [
    "-v",
    "error",
    "-f",
    "lavfi",
    "-i",
    "nullsrc=s=640x360:r=24:d=6,geq=random(1)*255:128:128",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-qp",
    "18",
    "-pix_fmt",
    "yuv420p",
    file,
  ]);
  expect(made.status).toBe(0);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await page.goto("/studio/upload");
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  await cdp.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 600_000,
  });
  await page.getByLabel("Video files").setInputFiles(file);
  const item = page.getByRole("listitem", { name: "survivor.mp4" });
  await expect(item.getByText(/^([5-9]|\d\d) %/)).toBeVisible({ timeout: 30_000 });
  // Pausing and going on in the same tab.
  await item.getByRole("button", { name: /^Pause/ }).click();
  await expect(item.getByText(/^Paused/)).toBeVisible();
  await page.close({ runBeforeUnload: false });

  const again = await context.newPage();
  await again.goto("/studio/upload");
  await expect(again.getByText("Unfinished uploads")).toBeVisible();
  const offset = again.waitForRequest(
    (request) => request.method() === "PATCH" && request.url().includes("/api/v1/uploads/"),
  );
  await again.getByLabel("Video files").setInputFiles(file);
  expect(Number((await offset).headers()["upload-offset"])).toBeGreaterThan(0);
  const resumed = again.getByRole("listitem", { name: "survivor.mp4" });
  await expect(resumed.getByText(/^Uploaded/)).toBeVisible({ timeout: 60_000 });
  // Not needed further: cancel the work and remove the title for good.
  const edit = await resumed.getByRole("link", { name: "Edit details" }).getAttribute("href");
  const id = edit?.split("/").at(-1) ?? "";
  const headers = { origin: new URL(again.url()).origin };
  await context.request.delete(`/api/v1/videos/${id}`, { headers });
  expect((await context.request.delete(`/api/v1/videos/${id}?permanent=true`, { headers })).status()).toBe(204);
});
