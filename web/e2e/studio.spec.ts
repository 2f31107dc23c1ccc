// The studio: the editor's tabs, schedules, the history, many titles at once, filters, the trash.
import type { APIRequestContext, Page } from "playwright/test";
import { expect, headers, patch, signed as test, video, videoId } from "./support";

/** A title whose upload has only begun: enough to be edited. */
async function begun(request: APIRequestContext, title: string): Promise<string> {
  const answer = await request.post("/api/v1/uploads", {
    headers: {
      ...headers,
      "tus-resumable": "1.0.0",
      "upload-length": "1000",
      "upload-metadata": `filename ${btoa("x.mp4")},title ${btoa(title)}`,
    },
  });
  expect(answer.status()).toBe(201);
  return answer.headers()["kinora-video-id"] ?? "";
}
const gone = async (request: APIRequestContext, ids: string[]) => {
  const answer = await request.post("/api/v1/studio/bulk", { headers, data: { ids, action: "delete_forever" } });
  expect(answer.status()).toBe(200);
};
const box = (page: Page, title: string) => page.getByRole("checkbox", { name: `Select ${title}`, exact: true });
const save = (page: Page) => page.getByRole("button", { name: "Save" }).first().click();

test("one draft over all tabs", async ({ page, context }) => {
  const id = videoId();
  await patch(context.request, id, { kind: "clip", genres: [], tags: [], cast: [], directors: [] });
  await page.goto(`/studio/videos/${id}`);
  await page.getByLabel("Kind").selectOption("movie");
  await page.getByRole("checkbox", { name: "Animation" }).check({ force: true });
  await page.getByRole("textbox", { name: "Tags" }).fill("Rabbit, Forest");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Tags" }).getByText("forest")).toBeVisible();
  await page.getByRole("textbox", { name: "Directors" }).fill("Sacha Goedegebure");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add a person" }).click();
  await page.getByLabel("Name 1").fill("Frank");
  await page.getByLabel("Role 1").fill("The rodent");
  await page.getByRole("tab", { name: "Availability" }).click();
  await expect(page).toHaveURL(/tab=availability$/);
  await page.getByLabel("Until", { exact: true }).fill("2099-12-31T20:00");
  await save(page);
  await expect(page.getByText("Saved.")).toBeVisible();
  const saved = (await video(context.request, id)) as unknown as Record<string, unknown>;
  expect(saved).toMatchObject({
    kind: "movie",
    genres: ["animation"],
    tags: ["rabbit", "forest"],
    directors: ["Sacha Goedegebure"],
    cast: [{ name: "Frank", role: "The rodent" }],
  });
  expect(saved.available_until).toMatch(/^2099-1/);

  // By keyboard: the arrows move between tabs.
  await page.getByRole("tab", { name: "Availability" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "Artwork" })).toHaveAttribute("data-state", "active");

  await page.getByRole("tab", { name: "History" }).click();
  const undo = page.getByRole("button", { name: "Restore Plays until to nothing" }).first();
  await undo.click();
  await expect(page.getByText("Plays until is as it was.")).toBeVisible();
  await expect
    .poll(async () => ((await video(context.request, id)) as unknown as Record<string, unknown>).available_until)
    .toBeNull();
});

test.describe("faults", () => {
  test.use({ expected: [/422 \(Unprocessable/] });

  test("are told at their field, and their tab is opened", async ({ page }) => {
    await page.goto(`/studio/videos/${videoId()}?tab=availability`);
    await page.getByLabel("From", { exact: true }).fill("2030-01-02T10:00");
    await page.getByLabel("Until", { exact: true }).fill("2030-01-01T10:00");
    await page.getByRole("tab", { name: "Artwork" }).click();
    await save(page);
    await expect(page.getByText("The end of the availability must come after its beginning.")).toBeVisible();
    await expect(page.getByRole("tab", { name: "Availability needs attention" })).toBeVisible();
    await page.getByRole("button", { name: "Discard" }).click();
  });
});

test("a schedule is set, told and ended", async ({ page, context, browser }) => {
  const id = await begun(context.request, "Premiere night");
  await page.goto(`/studio/videos/${id}?tab=availability`);
  await page.getByRole("radio", { name: "Scheduled" }).check();
  await page.getByLabel("Becomes public").fill("2099-01-01T20:00");
  await save(page);
  await expect(page.getByText("Saved.")).toBeVisible();
  expect((await video(context.request, id)).visibility).toBe("scheduled");
  await page.goto("/studio?visibility=scheduled");
  await expect(page.getByRole("row", { name: "Premiere night" }).first().getByText("Scheduled")).toBeVisible();
  const visitor = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  expect((await visitor.request.get(`${new URL(page.url()).origin}/api/v1/videos/${id}`)).status()).toBe(404);
  await visitor.close();
  await gone(context.request, [id]);
});

test("a schedule and a time to play for many titles, and back", async ({ page, context }) => {
  const ids: string[] = [];
  for (const name of ["Season one", "Season two"]) ids.push(await begun(context.request, name));
  await page.goto("/studio?q=season&sort=oldest");
  await page.getByRole("checkbox", { name: "Select all" }).check();
  await page.getByRole("region", { name: "Selected titles" }).getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit 2 titles" });
  await dialog.getByLabel("Visibility").selectOption("scheduled");
  await dialog.getByLabel("Becomes public").fill("2099-01-01T20:00");
  await dialog.getByLabel("When they play").selectOption("between");
  await expect(dialog.getByRole("button", { name: "Apply" })).toBeDisabled();
  await dialog.getByLabel("Until").fill("2099-06-01T20:00");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("2 titles changed.")).toBeVisible();
  const fields = async (id: string) => {
    const { visibility, publish_at, available_from, available_until } = (await video(
      context.request,
      id,
    )) as unknown as Record<string, unknown>;
    return { visibility, publish_at, available_from, available_until };
  };
  const at = (text: string) => page.evaluate((local) => new Date(local).toISOString().slice(0, 16), text);
  for (const id of ids) {
    const now = await fields(id);
    expect(now.visibility).toBe("scheduled");
    expect(String(now.publish_at).slice(0, 16)).toBe(await at("2099-01-01T20:00"));
    expect(now.available_from).toBeNull();
    expect(String(now.available_until).slice(0, 16)).toBe(await at("2099-06-01T20:00"));
  }
  await page.getByRole("button", { name: "Undo" }).click();
  for (const id of ids)
    await expect
      .poll(() => fields(id))
      .toEqual({ visibility: "private", publish_at: null, available_from: null, available_until: null });
  await gone(context.request, ids);
});

test("many titles at once, with ranges, refusals and undo", async ({ page, context }) => {
  const ids: string[] = [];
  for (const name of ["Bulk one", "Bulk two", "Bulk three"]) ids.push(await begun(context.request, name));
  const [one, two] = ids as [string, string, string];
  await patch(context.request, two, { tags: Array.from({ length: 30 }, (_, n) => `t${n}`) });
  await page.goto("/studio?q=bulk&sort=oldest");
  await expect(page.locator("tbody tr")).toHaveCount(3);
  await box(page, "Bulk one").click();
  await box(page, "Bulk three").click({ modifiers: ["Shift"] });
  const bar = page.getByRole("region", { name: "Selected titles" });
  await expect(bar.getByText("3 selected")).toBeVisible();

  // The keyboard does the same.
  await page.keyboard.press("Escape");
  await expect(bar).toHaveCount(0);
  await box(page, "Bulk one").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+Space");
  await expect(bar.getByText("3 selected")).toBeVisible();

  await bar.getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit 3 titles" });
  await dialog.getByLabel("Visibility").selectOption("unlisted");
  await dialog.getByLabel("Add tags").fill("festival");
  await dialog.getByRole("button", { name: "Apply" }).click();
  const refused = page.getByRole("dialog", { name: "1 title not changed" });
  await expect(refused.getByText("A title has at most 30 tags.")).toBeVisible();
  await refused.getByRole("button", { name: "Close" }).click();
  expect((await video(context.request, one)).visibility).toBe("unlisted");
  expect((await video(context.request, two)).visibility).toBe("private");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(async () => (await video(context.request, one)).visibility).toBe("private");

  await page.getByRole("checkbox", { name: "Select all" }).check();
  await bar.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("Nothing fits")).toBeVisible();
  await page.goto("/studio?view=trash&q=bulk");
  await expect(page.getByText("30 days left").first()).toBeVisible();
  await page.getByRole("checkbox", { name: "Select all" }).check();
  await bar.getByRole("button", { name: "Delete for good" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByText("3 titles gone for good.")).toBeVisible();
  await expect.poll(async () => (await context.request.get(`/api/v1/videos/${one}`)).status()).toBe(404);
});

test.describe("outside its window", () => {
  test.use({ expected: [/403 \(Forbidden\)/] });

  test("a viewer is told when it comes", async ({ page, context, browser }) => {
    const id = videoId();
    await patch(context.request, id, { available_from: "2099-06-01T12:00:00Z" });
    const visitor = await browser.newContext({ storageState: { cookies: [], origins: [] } });
    const other = await visitor.newPage();
    await other.goto(new URL(`/watch/${id}`, process.env.KINORA_E2E_URL).href);
    await expect(other.getByRole("heading", { name: "Not yet" })).toBeVisible();
    await expect(other.getByText("1 June 2099")).toBeVisible();
    await visitor.close();
    await page.goto(`/watch/${id}`);
    await expect(page.getByText("Others cannot watch this yet.")).toBeVisible();
    await patch(context.request, id, { available_from: null });
  });
});
