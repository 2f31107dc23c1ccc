// The title page, my list, history: what they show and what pressing things does.
import { expect, headers, signed as test, videoId } from "./support";

test.beforeEach(async ({ context }) => {
  await context.request.delete(`/api/v1/me/watchlist/${videoId()}`, { headers });
  await context.request.delete("/api/v1/me/history", { headers });
});

test("a title's page tells what it is and plays it", async ({ page, context }) => {
  const watched = { position_ms: 12_000, duration_ms: 30_000 };
  await context.request.put(`/api/v1/me/history/${videoId()}`, { headers, data: watched });
  await page.goto(`/title/${videoId()}`);
  await expect(page.getByRole("heading", { name: /Big buck bunny/i, level: 1 })).toBeVisible();
  await expect(page.getByRole("link", { name: "From the start" })).toBeVisible();
  await page.getByRole("link", { name: "Resume at 0:12" }).click();
  await expect(page).toHaveURL(new RegExp(`/watch/${videoId()}$`));
  await page.goto("/title/01980000-0000-7000-8000-000000000000");
  await expect(page.getByText("There is no such title")).toBeVisible();
});
test.use({ expected: [/404/] });

test("my list: put on, undo, take off from the list itself", async ({ page }) => {
  await page.goto(`/title/${videoId()}`);
  const button = page.getByRole("button", { name: "My list" });
  await expect(button).toHaveAttribute("aria-pressed", "false");
  await button.click();
  await expect(button).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(button).toHaveAttribute("aria-pressed", "false");
  await button.click();
  await expect(button).toHaveAttribute("aria-pressed", "true");
  await page.goto("/");
  await expect(page.getByRole("region", { name: "My list" })).toBeVisible();
  await page.goto("/list");
  const card = page.getByRole("main").getByRole("link", { name: /Big buck bunny/i });
  await expect(card).toBeVisible();
  await page.getByRole("button", { name: /^More for Big buck bunny/i }).click();
  await page.getByRole("menuitem", { name: "Take off my list" }).click();
  await expect(card).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(card).toBeVisible();
  await page.reload();
  await expect(card).toBeVisible();
});

test("history: search, remove with undo, clear after a question", async ({ page, context }) => {
  const watched = { position_ms: 12_000, duration_ms: 30_000 };
  await context.request.put(`/api/v1/me/history/${videoId()}`, { headers, data: watched });
  await page.goto("/history");
  const card = page.getByRole("main").getByRole("link", { name: /Big buck bunny/i });
  await expect(card).toBeVisible();
  await page.getByRole("searchbox", { name: "Search your history" }).fill("zzzz");
  await expect(page).toHaveURL(/\/history\?q=zzzz$/);
  await expect(page.getByText("You have not watched “zzzz”")).toBeVisible();
  await page.getByRole("searchbox", { name: "Search your history" }).fill("buck");
  await expect(card).toBeVisible();
  await page.getByRole("button", { name: /^More for/ }).click();
  await page.getByRole("menuitem", { name: "Remove from history" }).click();
  await expect(card).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(card).toBeVisible();
  await page.getByRole("button", { name: "Clear all" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Clear all" }).click();
  await expect(card).toHaveCount(0);
  await page.goto("/history");
  await expect(page.getByText("You have not watched anything yet")).toBeVisible();
});

test("a card moves when looked at, and not for those who save data", async ({ page }) => {
  await page.goto("/");
  const card = page.locator(".row .card-link").first();
  await card.hover();
  const moving = card.locator("video[data-on]");
  await expect(moving).toHaveCount(1, { timeout: 20_000 });
  expect(await moving.evaluate((video: HTMLVideoElement) => video.muted)).toBe(true);
  await page.mouse.move(5, 5);
  await expect(card.locator("video")).toHaveCount(0);
  await page.evaluate(() => localStorage.setItem("kinora-preferences", '{"saver":true}'));
  await page.reload();
  const media: string[] = [];
  page.on("request", (request) => request.url().includes("/media/") && media.push(request.url()));
  await card.hover();
  await page.waitForTimeout(1500);
  expect(media).toEqual([]);
  await page.evaluate(() => localStorage.removeItem("kinora-preferences"));
});
