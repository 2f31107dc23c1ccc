// The control room of the encoding farm: the time chart, pausing, draining, encoding profiles.
import { expect, headers, signed as test } from "./support";

test.describe.configure({ mode: "serial" });
// What the server refuses on purpose: profiles that cannot work, a change on an old revision.
test.use({ expected: [/(412|422) \(/] });

const farm = "/api/v1/control/farm?hours=24";

test("the time chart tells who did what, to eyes, keys and ears", async ({ page, request }) => {
  await page.goto("/control");
  await page.getByRole("navigation", { name: "Control" }).getByRole("link", { name: "Farm" }).click();
  await expect(page).toHaveURL(/\/control\/farm$/);
  await page.getByText("24 h", { exact: true }).click();
  await expect(page).toHaveURL(/hours=24$/);
  const { attempts, workers } = await (await request.get(farm)).json();
  expect(attempts.length).toBeGreaterThan(2);
  const bars = page.locator(".timechart [data-bar]");
  await expect.poll(() => bars.count()).toBeGreaterThanOrEqual(attempts.length);

  // One bar takes the focus, the arrows move on, and what has it is told.
  const words = page.locator(".timechart-words");
  const first = page.locator(".timechart [data-bar][tabindex='0']");
  await expect(first).toHaveCount(1);
  await first.focus();
  await expect(words).toContainText("took");
  const before = await page.locator(":focus").getAttribute("data-bar");
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => page.locator(":focus").getAttribute("data-bar")).not.toBe(before);
  await page.keyboard.press("Home");
  await expect.poll(() => page.locator(":focus").getAttribute("data-bar")).toBe(before);
  await expect(page.locator(":focus")).toHaveAccessibleName(/\./);

  await page.getByText("The attempts as a table").click();
  await expect(page.getByRole("table").filter({ hasText: "Outcome" }).getByRole("row")).not.toHaveCount(1);
  const cards = page.getByRole("region", { name: "Workers" });
  await expect(cards.getByRole("listitem").filter({ has: page.getByRole("heading") })).toHaveCount(workers.length);
  await expect(cards.getByText("H.264").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "What took the most" }).getByRole("link").first()).toBeVisible();
});

test("the chart fits a phone by scrolling in its own box", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/control/farm?hours=24");
  await page.locator(".timechart [data-bar]").first().waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  const box = page.locator(".timechart-scroll");
  // The latest is in sight.
  expect(await box.evaluate((node) => node.scrollWidth > node.clientWidth && node.scrollLeft > 0)).toBe(true);
});

test("the farm is paused after a question, and resumed", async ({ page, request }) => {
  const paused = async () => (await (await request.get(farm)).json()).paused;
  await page.goto("/control/farm");
  await page.getByRole("button", { name: "Pause the farm" }).click();
  const question = page.getByRole("alertdialog", { name: "Pause the farm?" });
  await expect(question).toContainText("Workers finish what they are at");
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(await paused()).toBe(false);
  await page.getByRole("button", { name: "Pause the farm" }).click();
  await question.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("The farm is paused: no new work begins.")).toBeVisible();
  expect(await paused()).toBe(true);
  await page.getByRole("button", { name: "Resume the farm" }).click();
  await expect(page.getByText("The farm is paused: no new work begins.")).toBeHidden();
  expect(await paused()).toBe(false);
});

test("a worker is drained, and undone", async ({ page, request }) => {
  const drained = async () => (await (await request.get(farm)).json()).workers[0].drained;
  await page.goto("/control/farm");
  const cards = page.getByRole("region", { name: "Workers" });
  const first = cards
    .getByRole("listitem")
    .filter({ has: page.getByRole("heading") })
    .first();
  await first.getByRole("button", { name: /^Drain/ }).click();
  await expect(first.locator(".pill")).toHaveText(/^Drain/);
  expect(await drained()).toBe(true);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(first.getByRole("button", { name: /^Drain/ })).toBeVisible();
  expect(await drained()).toBe(false);
});

test("a profile is made, told what is wrong, changed by two, chosen, deleted and brought back", async ({
  page,
  request,
}) => {
  const name = `Archive ${Date.now()}`;
  const path = `/api/v1/control/profiles/${encodeURIComponent(name)}`;
  // New profiles begin as copies of the standard one.
  await request.post("/api/v1/control/profiles/built-in/choose", { headers });
  await page.goto("/control/profiles");
  await page.getByRole("link", { name: "New profile" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  const takes = page.getByRole("region", { name: "What it takes" });
  const total = takes.locator(".totals dd").first();
  const plain = await total.textContent();
  await page.getByRole("switch", { name: "AV1" }).click();
  await expect(takes.getByRole("table")).toHaveCount(2);
  await expect(total).not.toHaveText(plain ?? "");
  await takes.getByText("4K HDR").click();
  await expect(takes).toContainText("keeps HDR");

  // Words stand beside the field that they are about.
  const height = page.getByLabel("Height of rung 1", { exact: true });
  const good = await height.inputValue();
  await height.fill("721");
  await expect(page.getByText("The height of a rung must be even and between 64 and 4320, not 721.")).toBeVisible();
  await expect(height).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("button", { name: "Make the profile" })).toBeDisabled();
  await height.fill(good);
  const av1 = page.getByRole("group", { name: "AV1" });
  await av1.getByLabel("CRF").fill("70");
  await expect(page.getByText("The crf of AV1 must be between 15 and 58.")).toBeVisible();
  await av1.getByLabel("CRF").fill("32");
  await page.getByRole("button", { name: "Make the profile" }).click();
  await expect(page.getByRole("heading", { name, level: 2 })).toBeVisible();
  const stored = await (await request.get("/api/v1/control/profiles")).json();
  const { profile } = stored.items.find((item: { name: string }) => item.name === name);
  expect(profile.video).toContainEqual({ codec: "av1", effort: "fast", crf: 32 });

  // Somebody else is quicker.
  const other = { ...profile, keep_dolby: true };
  expect((await request.put(path, { headers, data: other })).status()).toBe(200);
  await av1.getByLabel("CRF").fill("30");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Someone else changed this profile in the meantime.")).toBeVisible();
  await page.getByRole("button", { name: "Show theirs" }).click();
  await expect(page.getByRole("switch", { name: "Keep Dolby sound" })).toBeChecked();
  await expect(av1.getByLabel("CRF")).toHaveValue("32");

  await page.getByRole("button", { name: "Choose as standard" }).click();
  await expect(page.getByText(`Titles are made with “${name}” from now on.`)).toBeVisible();
  await expect(page.getByRole("button", { name: `Delete ${name}` })).toBeDisabled();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "Choose as standard" })).toBeVisible();

  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText(`“${name}” is deleted.`)).toBeVisible();
  const entry = page.getByRole("navigation", { name: "Profiles" }).getByRole("link", { name });
  await expect(entry).toHaveCount(0);
  await page.getByText(`“${name}” is deleted.`).locator("..").getByRole("button", { name: "Undo" }).click();
  await expect(entry).toBeVisible();
  expect((await request.delete(path, { headers })).status()).toBe(204);
});

test("unsaved work is not lost by a link", async ({ page }) => {
  await page.goto("/control/profiles/+new");
  await page.getByLabel("Height of rung 1", { exact: true }).fill("1440");
  await page.getByRole("navigation", { name: "Control" }).getByRole("link", { name: "Farm" }).click();
  await page.getByRole("button", { name: "Keep editing" }).click();
  await expect(page.getByLabel("Height of rung 1", { exact: true })).toHaveValue("1440");
});
