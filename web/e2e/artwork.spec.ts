// The artwork tab: upload with a crop by keyboard and by dragging, a moment, the text, deleting with undo, refusals.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { APIRequestContext, Page } from "playwright/test";
import { expect, headers, signed as test, videoId } from "./support";

const folder = mkdtempSync(join(tmpdir(), "kinora-art-"));
function picture(name: string): string {
  const file = join(folder, name);
  const graph = "testsrc2=s=1600x1200,format=yuvj420p";
  const made = spawnSync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", graph, "-frames:v", "1", file]);
  expect(made.status).toBe(0);
  return file;
}

type One = { id: string; kind: string; origin: string; state: string; chosen: boolean; width: number; alt: string };
async function pictures(request: APIRequestContext): Promise<One[]> {
  const answer = await request.get(`/api/v1/videos/${videoId()}/artwork`);
  expect(answer.status()).toBe(200);
  return answer.json();
}

/** What earlier runs have made. */
async function clean(request: APIRequestContext) {
  for (const one of await pictures(request))
    if (one.origin !== "frame") await request.delete(`/api/v1/videos/${videoId()}/artwork/${one.id}`, { headers });
}

const open = async (page: Page) => {
  await page.goto(`/studio/videos/${videoId()}?tab=artwork`);
  await expect(page.getByRole("heading", { name: "Portrait" })).toBeVisible();
};
const panel = (page: Page, name: string) => page.locator(".art-panel", { has: page.getByRole("heading", { name }) });

async function accessible(page: Page) {
  const found = await new AxeBuilder({ page }).analyze();
  expect(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`)).toEqual([]);
}

test.beforeEach(({ context }) => clean(context.request));
test("an upload is cropped by keyboard and becomes the portrait", async ({ page, context }) => {
  await open(page);
  await page.getByLabel("Picture file for the portrait").setInputFiles(picture("upright.jpg"));
  const dialog = page.getByRole("dialog", { name: "Crop the portrait" });
  const frame = dialog.getByRole("group", { name: /^The part that is shown/ });
  await expect(frame).toBeVisible();
  await accessible(page);
  const before = await frame.boundingBox();
  await frame.focus();
  for (let n = 0; n < 5; n++) await page.keyboard.press("ArrowRight");
  for (let n = 0; n < 5; n++) await page.keyboard.press("+");
  const after = await frame.boundingBox();
  expect(after?.x).toBeGreaterThan(before?.x ?? 0);
  expect(after?.width).toBeLessThan(before?.width ?? 0);
  await dialog.getByRole("button", { name: "Use it" }).click();
  const made = panel(page, "Portrait").getByRole("radio");
  await expect(made).toBeChecked({ timeout: 60_000 });
  const portrait = (await pictures(context.request)).find((one) => one.kind === "portrait");
  expect(portrait).toMatchObject({ state: "ready", chosen: true, origin: "upload" });
  expect(portrait?.width).toBeGreaterThan(600);
  expect(portrait?.width).toBeLessThan(800);

  // Words for it, then gone, then back.
  await panel(page, "Portrait").getByRole("button", { name: "More for Uploaded picture" }).click();
  await page.getByRole("menuitem", { name: "Describe…" }).click();
  await page.getByLabel("What it shows").fill("Test patterns");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await panel(page, "Portrait").getByRole("button", { name: "More for Test patterns" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(made).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(made).toBeChecked();
  await accessible(page);
});

test("the frame is dragged by pointer, and its corner resizes it", async ({ page }) => {
  await open(page);
  await page.getByLabel("Picture file for the banner").setInputFiles(picture("wide.png"));
  const frame = page.getByRole("group", { name: /^The part that is shown/ });
  const before = await frame.boundingBox();
  if (!before) throw new Error("no frame");
  const corner = page.getByRole("button", { name: "Lower right corner" });
  const grip = await corner.boundingBox();
  if (!grip) throw new Error("no corner");
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(grip.x - before.width / 3, grip.y, { steps: 5 });
  await page.mouse.up();
  const smaller = await frame.boundingBox();
  expect(smaller?.width).toBeLessThan(before.width * 0.8);
  expect(smaller?.x).toBeCloseTo(before.x, 0);
  await page.mouse.move((smaller?.x ?? 0) + 40, (smaller?.y ?? 0) + 40);
  await page.mouse.down();
  await page.mouse.move((smaller?.x ?? 0) + 90, (smaller?.y ?? 0) + 100, { steps: 5 });
  await page.mouse.up();
  const moved = await frame.boundingBox();
  expect((moved?.x ?? 0) - (smaller?.x ?? 0)).toBeCloseTo(50, -1);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a moment of the video becomes the banner", async ({ page, context }) => {
  await open(page);
  await page.getByRole("button", { name: "Use a moment as banner" }).click();
  const dialog = page.getByRole("dialog", { name: "Use a moment" });
  const slider = dialog.getByRole("slider", { name: "Moment" });
  await slider.focus();
  for (let n = 0; n < 10; n++) await page.keyboard.press("ArrowRight");
  const use = dialog.getByRole("button", { name: "Use this frame" });
  await expect(use).toBeEnabled({ timeout: 60_000 });
  await accessible(page);
  await use.click();
  await page.getByRole("button", { name: "Use it" }).click();
  await expect(panel(page, "Banner").getByRole("radio")).toBeChecked({ timeout: 60_000 });
  const banner = (await pictures(context.request)).find((one) => one.kind === "banner");
  expect(banner).toMatchObject({ state: "ready", chosen: true, origin: "moment" });
});

test.describe("refusals", () => {
  // What the browser says of a picture that it cannot decode.
  test.use({ expected: [/blob:/] });
  test("what is no picture is refused in words", async ({ page }) => {
    const text = join(folder, "notes.jpg");
    writeFileSync(text, "<svg xmlns='http://www.w3.org/2000/svg'/>");
    await open(page);
    await page.getByLabel("Picture file for the poster").setInputFiles(text);
    await expect(page.getByText("This file cannot be shown as a picture.")).toBeVisible();
    await page.getByRole("button", { name: "Cancel" }).click();
  });
});

test("the home page asks for modern formats and blurs meanwhile", async ({ page }) => {
  const answer = page.waitForResponse((one) => /\/artwork\/[^/]+\?width=\d+$/.test(one.url()) && one.ok());
  await page.goto("/");
  expect((await answer).headers()["content-type"]).toMatch(/^image\/(avif|webp)$/);
  const poster = page.locator(".card .poster img").first();
  await expect(page.locator(".card .poster").first()).toHaveCSS("background-image", /^url\("data:image\/svg\+xml/);
  await expect(poster).toHaveAttribute("srcset", /\?width=320 320w/);
});
