// A creator plans a live event, sees and changes its keys, edits it, and deletes it; viewers see that it is to come.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, headers, patch, signed as test } from "./support";

test.describe.configure({ mode: "serial" });
test.use({
  permissions: ["clipboard-read", "clipboard-write"],
  // A start that lies too far away is refused, and the player asks before it is known that the event is to come.
  expected: [/422|409 .*\/playback/],
});

const key = /^[a-z2-7]{26}-[a-z2-7]{26}$/;
let address = "";
const id = () => address.split("/").pop() ?? "";

test("an event is planned", async ({ page }) => {
  await page.goto("/studio");
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Live", level: 1 })).toBeVisible();
  await page.getByRole("link", { name: "New event" }).click();
  await page.getByRole("textbox", { name: "Title", exact: true }).fill("Launch night");
  await page.getByLabel("Description").fill("We launch, and answer questions.");
  await page.getByLabel("Starts at").fill("2030-05-01T20:00");
  await page.getByRole("radio", { name: /Under ten seconds behind/ }).check();
  await page.getByLabel("How far viewers can go back").selectOption({ label: "30 minutes" });
  await page.getByRole("button", { name: "Create event" }).click();
  // Too far away: the field says so, and nothing is lost.
  await expect(page.getByText("An event begins today or within two years.")).toBeVisible();
  const soon = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 11);
  await page.getByLabel("Starts at").fill(`${soon}20:00`);
  await page.getByRole("button", { name: "Create event" }).click();
  await expect(page.getByRole("heading", { name: "Launch night", level: 1 })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Waiting for your encoder" })).toBeVisible();
  address = new URL(page.url()).pathname;
  await expect(page.getByLabel("About the event")).toContainText("Under ten seconds behind");
});

test("its key is shown, copied and changed", async ({ page }) => {
  await page.goto(address);
  const panel = page.getByRole("region", { name: "Connect your encoder" });
  const shown = panel.locator(".live-value code").last();
  await expect(shown).toHaveText("•".repeat(16));
  await panel.getByRole("button", { name: "Show: Stream key" }).click();
  await expect(shown).toHaveText(key);
  const first = (await shown.textContent()) ?? "";
  await panel.getByRole("button", { name: "Copy: Stream key" }).click();
  await expect(page.getByText("Stream key copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(first);
  await panel.getByRole("button", { name: "Change the keys…" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Change the keys" }).click();
  await expect(shown).not.toHaveText(first);
  await expect(shown).toHaveText(key);
});

test("viewers see that it is to come", async ({ page, browser }) => {
  await page.goto(`/watch/${id()}`);
  await expect(page.getByRole("timer")).toContainText("days");
  await expect(page.getByRole("heading", { name: /^Starts / })).toBeVisible();
  const stranger = await browser.newPage();
  await stranger.goto("/");
  const row = stranger.getByRole("region", { name: "Coming up live" });
  await row.getByRole("link", { name: /Launch night/ }).click();
  await expect(stranger.getByRole("timer")).toBeVisible();
  await stranger.close();
});

for (const colorScheme of ["dark", "light"] as const)
  test(`its pages have no accessibility finding, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const pages: [string, string][] = [
      [address, ".live-value"],
      [`${address}?tab=settings`, ".live-form"],
      [`/watch/${id()}`, ".countdown"],
    ];
    for (const [path, ready] of pages) {
      await page.goto(path);
      await page.locator(ready).first().waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map((node) => node.html).join("\n")}`)).toEqual(
        [],
      );
    }
  });

test("it is edited, by two at once as well", async ({ page, request }) => {
  await page.goto(address);
  await page.getByRole("radio", { name: "Settings" }).click();
  await page.getByRole("textbox", { name: "Title", exact: true }).fill("Launch evening");
  await page.getByRole("switch", { name: "Keep a recording" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Launch evening", level: 1 })).toBeVisible();
  await expect(page.getByLabel("About the event")).toContainText("Not kept");
  await patch(request, id(), { title: "Launch party" });
  await expect(page.getByRole("heading", { name: "Launch party", level: 1 })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("textbox", { name: "Title", exact: true })).toHaveValue("Launch party");
});

test("it is deleted, taken back, and deleted again", async ({ page, request }) => {
  await page.goto(`${address}?tab=settings`);
  await page.getByRole("button", { name: "Delete event" }).click();
  await expect(page.getByRole("heading", { name: "Live", level: 1 })).toBeVisible();
  await expect(page.getByText("Launch party").first()).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("link", { name: /Launch party/ })).toBeVisible();
  await page.getByRole("link", { name: /Launch party/ }).click();
  await page.getByRole("radio", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Delete event" }).click();
  await expect(page.getByRole("link", { name: /Launch party/ })).toHaveCount(0);
  const gone = await request.delete(`/api/v1/videos/${id()}?permanent=true`, { headers });
  expect(gone.status()).toBe(204);
});
