// The operators' pages: what the instance does, and who has an account on it.
import { admin, expect, headers, signed as test } from "./support";

test.describe.configure({ mode: "serial" });

test("the overview tells the state and refreshes itself", async ({ page, request }) => {
  await page.goto("/");
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Control" }).click();
  await expect(page).toHaveURL(/\/control$/);
  const { titles, workers } = await (await request.get("/api/v1/control/overview")).json();
  const tile = (name: string) => page.locator(".tile").filter({ has: page.getByText(name, { exact: true }) });
  await expect(tile("Titles").locator(".figure")).toHaveText(String(titles.ready));
  await expect(page.getByRole("region", { name: "Workers" }).getByTitle(workers[0].name)).toBeVisible();
  await expect(page.getByRole("region", { name: "Storage" })).toContainText("SQLite database");
  await expect(page.getByRole("progressbar", { name: "Videos: disk in use" })).toBeVisible();
  // The number of requests grows while nobody touches the page.
  const requests = async () => Number((await tile("Requests").locator(".figure").textContent())?.replace(/\D/g, ""));
  const before = await requests();
  await expect.poll(requests, { timeout: 20_000 }).toBeGreaterThan(before);
});

test("an upload in progress is seen, with its owner", async ({ page, request }) => {
  const metadata = ["filename", "slow.mp4", "title", "Slow boat"];
  const pairs = [0, 2].map((at) => `${metadata[at]} ${Buffer.from(metadata[at + 1] ?? "").toString("base64")}`);
  const made = await request.post("/api/v1/uploads", {
    headers: { ...headers, "tus-resumable": "1.0.0", "upload-length": "1000000", "upload-metadata": pairs.join(",") },
  });
  expect(made.status()).toBe(201);
  await page.goto("/control");
  const uploads = page.getByRole("region", { name: "Uploads in progress" });
  await expect(uploads).toContainText("Slow boat");
  await expect(uploads).toContainText(admin.name);
  await expect(uploads).toContainText("0 B of 1 MB");
  const gone = await request.delete(made.headers().location ?? "", {
    headers: { ...headers, "tus-resumable": "1.0.0" },
  });
  expect(gone.status()).toBe(204);
  await expect(uploads).not.toContainText("Slow boat", { timeout: 20_000 });
});

test("accounts are made, found, changed, disabled and enabled again", async ({ page, browser, baseURL }) => {
  const email = `grace-${Date.now()}@example.org`;
  await page.goto("/control/users");
  await page.getByRole("button", { name: "New account" }).click();
  const dialog = page.getByRole("dialog", { name: "New account" });
  await dialog.getByLabel("Name").fill("Grace Hopper");
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByLabel("Password").fill("a ship in port is safe");
  await dialog.getByLabel("Role").selectOption("creator");
  await dialog.getByRole("button", { name: "Create" }).click();
  await expect(dialog).toBeHidden();

  await page.getByRole("searchbox", { name: "Search accounts" }).fill("GRACE-");
  const row = page.getByRole("row").filter({ hasText: email });
  await expect(row).toBeVisible();
  await expect(page.getByText(admin.email)).toBeHidden();

  await row.getByLabel("Role of Grace Hopper").selectOption("viewer");
  await expect(page.getByText("Grace Hopper is now viewer.")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row.getByLabel("Role of Grace Hopper")).toHaveValue("creator");

  await row.getByRole("button", { name: "More for Grace Hopper" }).click();
  await page.getByRole("menuitem", { name: "Storage quota…" }).click();
  await page.getByLabel("Quota in gigabytes").fill("2.5");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("0 B of 2.5 GB");

  const signIn = async () => {
    const other = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
    const answer = await other.request.post("/api/v1/session", {
      headers,
      data: { email, password: "a ship in port is safe" },
    });
    await other.close();
    return answer.status();
  };
  expect(await signIn()).toBe(201);
  await row.getByRole("button", { name: "More for Grace Hopper" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await expect(row.getByText("Disabled")).toBeVisible();
  expect(await signIn()).toBe(401);
  await page.getByText("may not sign in").locator("..").getByRole("button", { name: "Undo" }).click();
  await expect(row.getByText("Disabled")).toBeHidden();
  expect(await signIn()).toBe(201);
});

test("creators do not get in", async ({ browser, request, baseURL }) => {
  const email = `nobody-${Date.now()}@example.org`;
  const password = "a long password indeed";
  const made = await request.post("/api/v1/users", {
    headers,
    data: { name: "Nobody", email, password, role: "creator" },
  });
  expect(made.status()).toBe(201);
  const context = await browser.newContext({ baseURL, storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto("/signin?next=/control");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "This page is for administrators" })).toBeVisible();
  for (const path of ["overview", "jobs"]) {
    expect((await context.request.get(`/api/v1/control/${path}`)).status()).toBe(403);
  }
  await context.close();
});

test("edges: how they stand, bringing a title near, purging", async ({ page, request }) => {
  await page.goto("/control");
  await page.getByRole("navigation", { name: "Control" }).getByRole("link", { name: "Edges" }).click();
  await expect(page).toHaveURL(/\/control\/edges$/);
  const card = page.locator(".farmhand").first();
  await expect(card.getByText(/^(Idle|Serving)$/)).toBeVisible();
  const held = async () => {
    const { edges } = await (await request.get("/api/v1/control/edges")).json();
    return edges[0].memory.objects + edges[0].disk.objects;
  };

  await page.getByRole("button", { name: "Purge…" }).click();
  let dialog = page.getByRole("dialog", { name: "Purge the edges" });
  await dialog.getByRole("textbox", { name: "Title" }).fill("buck");
  await dialog.getByRole("button", { name: /buck/i }).first().click();
  await dialog.getByRole("button", { name: "Purge" }).click();
  await expect(page.getByText("All edges forget it.")).toBeVisible();

  const before = await held();
  await page.getByRole("button", { name: "Bring a title near…" }).click();
  dialog = page.getByRole("dialog", { name: "Bring a title near" });
  await expect(dialog.getByRole("button", { name: "Bring near" })).toBeDisabled();
  await dialog.getByRole("textbox", { name: "Title" }).fill("zzzqq");
  await expect(dialog.getByText("No title is called so.")).toBeVisible();
  await dialog.getByRole("textbox", { name: "Title" }).fill("buck");
  await dialog.getByRole("button", { name: /buck/i }).first().click();
  await dialog.getByText("Everything").click();
  await dialog.getByRole("button", { name: "Bring near" }).click();
  await expect(page.getByText(/^Edges fetch “/)).toBeVisible();
  await expect(card.getByText(/near, [\d.]+ .B/)).toBeVisible({ timeout: 20_000 });
  expect(await held()).toBeGreaterThan(before);

  await page.getByRole("button", { name: "Bring a title near…" }).click();
  await dialog.getByRole("textbox", { name: "Title" }).fill("buck");
  await dialog.getByRole("button", { name: /buck/i }).first().click();
  await dialog.getByText("At a time").click();
  // Plans reach a year ahead.
  const ahead = new Date(Date.now() + 180 * 86_400_000);
  await dialog.getByLabel("Time", { exact: true }).fill(`${ahead.toISOString().slice(0, 10)}T20:00`);
  await dialog.getByRole("switch", { name: "Every day" }).click();
  await dialog.getByRole("button", { name: "Bring near" }).click();
  const planned = page.getByRole("row").filter({ hasText: "every day" });
  await expect(planned).toContainText(
    ahead.toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }),
  );
  await planned.getByRole("button", { name: /^Remove/ }).click();
  await expect(planned).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(planned).toHaveCount(1);
  await planned.getByRole("button", { name: /^Remove/ }).click();
  await expect(planned).toHaveCount(0);
});
