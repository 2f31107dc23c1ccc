// Installable: a manifest with icons that exist, a worker that keeps the shell and nothing else, an offline page.
import { expect, signed as test, videoId } from "./support";

test.use({ serviceWorkers: "allow", expected: [/ERR_INTERNET_DISCONNECTED|Failed to load resource|Failed to fetch/] });

test("the manifest names icons that exist", async ({ request }) => {
  const manifest = await (await request.get("/manifest.webmanifest")).json();
  expect(manifest.display).toBe("standalone");
  const purposes = manifest.icons.map((icon: { purpose: string }) => icon.purpose);
  expect(purposes).toContain("maskable");
  for (const icon of manifest.icons as { src: string; type: string }[]) {
    const answer = await request.get(icon.src);
    expect(answer.status()).toBe(200);
    expect(answer.headers()["content-type"]).toContain(icon.type);
  }
});

test("the shell opens offline and says so; API and media are never kept", async ({ page, context }) => {
  await page.goto(`/watch/${videoId()}`);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await page.goto("/");
  await page.locator(".card-link").first().waitFor();
  const kept = await page.evaluate(async () => {
    const found: string[] = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
    return found;
  });
  expect(kept).toContain("/");
  expect(kept.length).toBeGreaterThan(4);
  expect(kept.filter((path) => /^\/(api|media)\//.test(path))).toEqual([]);
  await context.setOffline(true);
  await page.goto("/history");
  await expect(page.getByRole("heading", { name: "You are offline" })).toBeVisible();
  await context.setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "History" })).toBeVisible();
});
