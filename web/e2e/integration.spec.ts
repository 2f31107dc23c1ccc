// What other people build on: webhooks in the studio, the share dialog, the embedded player in a foreign page, the docs.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, origin, playing, signed, test, videoId } from "./support";

signed("a webhook is made, tested, looked into, and removed", async ({ page }) => {
  await page.goto("/studio/webhooks");
  await page.getByRole("button", { name: "New webhook" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Address").fill("http://127.0.0.1:9/hook");
  await form.getByLabel("Description").fill("Nobody listens here");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(page.getByText(/^whsec_/)).toBeVisible();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("link", { name: /Nobody listens here/ }).click();
  await page.getByRole("button", { name: "Send test" }).click();
  const entry = page.getByRole("button", { name: /Test message/ });
  await expect(entry).toContainText(/no answer/i);
  await entry.click();
  await expect(page.getByText("private network")).toBeVisible();
  await expect(page.getByText('"type": "webhook.test"')).toBeVisible();
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByText("No webhooks yet")).toBeVisible();
});

signed("the share dialog gives a link and the code of the player", async ({ page }) => {
  await page.goto(`/watch/${videoId()}?t=4`);
  await playing(page);
  await page.getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Start at/).check();
  await expect(dialog.getByRole("textbox", { name: "Link" })).toHaveValue(
    new RegExp(`^${origin}/watch/${videoId()}\\?t=\\d+$`),
  );
  await expect(dialog.getByRole("textbox", { name: "Code for your page" })).toHaveValue(
    new RegExp(`^<iframe src="${origin}/embed/${videoId()}\\?t=\\d+"`),
  );
});

test.describe("the embedded player", () => {
  let foreign: Server;
  test.beforeAll(async () => {
    // Another origin: a page that frames the player and notes what it is told.
    foreign = createServer((request, response) => {
      const query = new URL(request.url ?? "/", "http://x").searchParams.get("embed") ?? "";
      response.writeHead(200, { "content-type": "text/html" });
      response.end(`<!doctype html><title>Foreign</title><link rel="icon" href="data:,">
        <iframe id="film" src="${origin}/embed/${videoId()}${query}" width="640" height="360" allow="autoplay"></iframe>
        <script>
          window.told = [];
          addEventListener("message", ({ data }) => data.kinora === 1 && told.push(data));
          window.send = (command, value) =>
            document.getElementById("film").contentWindow.postMessage({ kinora: 1, command, value }, "${origin}");
        </script>`);
    });
    await new Promise<void>((done) => foreign.listen(0, "127.0.0.1", done));
  });
  test.afterAll(() => foreign.close());
  const address = (query: string) =>
    `http://127.0.0.1:${(foreign.address() as AddressInfo).port}/?embed=${encodeURIComponent(query)}`;
  type Foreign = typeof globalThis & { told: { event: string; position: number }[]; send(c: string, v?: number): void };

  test("is steered by the page around it, which hears of it", async ({ page }) => {
    await page.goto(address(""));
    const frame = page.frameLocator("#film");
    await frame.getByRole("button", { name: /^Play/ }).waitFor();
    expect(await page.evaluate(() => (globalThis as Foreign).told)).toEqual([]);
    await page.evaluate(() => (globalThis as Foreign).send("listen"));
    const heard = (event: string) =>
      expect
        .poll(
          () => page.evaluate((name) => (globalThis as Foreign).told.filter((t) => t.event === name).length, event),
          {
            timeout: 30_000,
          },
        )
        .toBeGreaterThan(0);
    await heard("ready");
    await page.evaluate(() => {
      (globalThis as Foreign).send("mute");
      (globalThis as Foreign).send("play");
    });
    await heard("play");
    await heard("time");
    await page.evaluate(() => (globalThis as Foreign).send("seek", 10));
    await heard("seek");
    await expect.poll(() => page.evaluate(() => (globalThis as Foreign).told.at(-1)?.position ?? 0)).toBeGreaterThan(9);
    await page.evaluate(() => (globalThis as Foreign).send("pause"));
    await heard("pause");
  });

  test("hears only the origin that its address names", async ({ page }) => {
    await page.goto(address("?origin=https://other.example"));
    const frame = page.frameLocator("#film");
    await frame.getByRole("button", { name: /^Play/ }).waitFor();
    await page.evaluate(() => (globalThis as Foreign).send("play"));
    // A message of the frame to itself arrives behind ours.
    await frame.locator("body").evaluate(
      () =>
        new Promise((done) => {
          addEventListener("message", ({ data }) => data === "later" && done(null));
          window.postMessage("later", "*");
        }),
    );
    await expect(frame.getByRole("button", { name: /^Play/ })).toBeVisible();
    expect(await page.evaluate(() => (globalThis as Foreign).told)).toEqual([]);
  });
});

test("the documentation shows examples and every operation", async ({ page }) => {
  await page.goto("/docs/uploading");
  await page.getByRole("radio", { name: "Python" }).click();
  await expect(page.getByRole("region", { name: "Upload a file, Python" })).toContainText("urllib.request");
  await page.getByRole("link", { name: "API reference" }).click();
  await page.getByLabel("Find an operation").fill("post webhooks test");
  const operation = page.locator("details", { hasText: "/api/v1/webhooks/{id}/test" });
  await operation.locator("summary").click();
  await expect(operation.getByText("Idempotency-Key", { exact: true })).toBeVisible();
});
