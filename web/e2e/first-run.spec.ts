// A new server: set-up, an upload through the page, its progress, the first play. Everything after builds on it.
import { admin, clip, expect, keepVideo, patch, playing, statePath, test, video } from "./support";

test("set-up, upload, progress, play", async ({ page, context }) => {
  test.setTimeout(600_000);
  await page.goto("/");
  const setUp = page.getByRole("heading", { name: "Welcome" });
  const { setup_required: isNew } = await (await context.request.get("/api/v1/instance")).json();
  if (isNew) {
    await expect(setUp).toBeVisible();
    await expect(page).toHaveURL(/\/setup$/);
    await page.getByLabel("Your name").fill(admin.name);
    await page.getByLabel("E-mail").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Create the administrator" }).click();
  } else {
    await page.goto("/signin?next=/studio/upload");
    await page.getByLabel("E-mail").fill(admin.email);
    await page.getByLabel("Password").fill(admin.password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await expect(page).toHaveURL(/\/studio\/upload$/);
  await expect(page.getByRole("heading", { name: "Upload", exact: true })).toBeVisible();
  await context.storageState({ path: statePath });

  const created = page.waitForResponse(
    (answer) => answer.request().method() === "POST" && answer.url().endsWith("/api/v1/uploads"),
  );
  await page.getByLabel("Video files").setInputFiles(clip);
  const id = (await created).headers()["kinora-video-id"];
  expect(id).toBeTruthy();
  keepVideo(id as string);

  const item = page.getByRole("listitem").filter({ hasText: "Big buck bunny" }).first();
  await expect(item.getByText("Uploaded")).toBeVisible({ timeout: 60_000 });
  await expect(item.getByRole("list", { name: "Steps" })).toBeVisible();
  const watch = item.getByRole("link", { name: /^Watch/ });
  await expect(watch).toBeVisible({ timeout: 300_000 });
  await watch.click();
  await expect(page).toHaveURL(new RegExp(`/watch/${id}$`));
  await playing(page);

  await expect
    .poll(async () => (await video(context.request, id as string)).complete, { timeout: 300_000, intervals: [1000] })
    .toBe(true);
  await patch(context.request, id as string, {
    // Unlike any title of an earlier run against the same server.
    title: `Big buck bunny ${id?.slice(-6)}`,
    visibility: "public",
    attribution: "Big Buck Bunny © 2008 Blender Foundation, CC BY 3.0",
  });
});
