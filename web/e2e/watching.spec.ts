// The player beyond playing: captions and their look, what it remembers, the next title, statistics; and four arrows.
import { expect, headers, playing, position, signed as test, video, videoId } from "./support";

test.beforeEach(async ({ context }) => {
  await context.request.delete("/api/v1/me/history", { headers });
});

const captions = `WEBVTT

00:00.000 --> 00:25.000
Somewhere in a meadow
`;

test("captions show as the viewer likes them, and stay on", async ({ page }) => {
  await page.route("**/main.mpd*", async (route) => {
    const answer = await route.fetch();
    const set =
      '<AdaptationSet contentType="text" lang="en" mimeType="text/vtt"><Role schemeIdUri="urn:mpeg:dash:role:2011" value="caption"/><Representation id="t0" bandwidth="200"><BaseURL>/e2e.vtt</BaseURL></Representation></AdaptationSet></Period>';
    await route.fulfill({ response: answer, body: (await answer.text()).replace("</Period>", set) });
  });
  await page.route("**/e2e.vtt*", (route) => route.fulfill({ contentType: "text/vtt", body: captions }));
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  const cue = page.locator(".shaka-text-container span", { hasText: "Somewhere in a meadow" }).last();
  await expect(cue).toHaveCount(0);
  await page.mouse.move(500, 300);
  await page.getByRole("button", { name: "Captions" }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await expect(cue).toBeVisible();
  await page.mouse.move(510, 310);
  await page.getByRole("button", { name: "Captions" }).click();
  await page.getByRole("menuitem", { name: "How captions look" }).click();
  const before = await cue.evaluate((span) => Number.parseFloat(getComputedStyle(span).fontSize));
  await page.getByRole("radio", { name: "200 %" }).check({ force: true });
  await page.getByRole("group", { name: "Text" }).getByRole("radio", { name: "Yellow" }).check({ force: true });
  await page.keyboard.press("Escape");
  await expect(cue).toHaveCSS("color", "rgb(255, 225, 77)");
  expect(await cue.evaluate((span) => Number.parseFloat(getComputedStyle(span).fontSize))).toBeGreaterThan(
    before * 1.8,
  );
  await page.reload();
  await playing(page);
  await expect(cue).toBeVisible();
  await expect(cue).toHaveCSS("color", "rgb(255, 225, 77)");
});

test("volume and speed are remembered", async ({ page }) => {
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  await page.keyboard.press(">");
  await page.keyboard.press("m");
  await page.reload();
  await playing(page);
  const now = await page.evaluate(() => {
    const element = document.querySelector("video") as HTMLVideoElement;
    return { rate: element.playbackRate, muted: element.muted };
  });
  expect(now).toEqual({ rate: 1.25, muted: true });
});

test("statistics are complete", async ({ page }) => {
  await page.goto(`/watch/${videoId()}`);
  await playing(page);
  await page.mouse.move(500, 300);
  await page.getByRole("button", { name: "Quality" }).click();
  await page.getByRole("menuitem", { name: "Statistics for nerds" }).click();
  const stats = page.getByRole("region", { name: "Statistics for nerds" });
  for (const name of ["Rung", "Codecs", "Bandwidth", "Buffer", "Dropped", "Latency", "First frame"])
    await expect(stats.getByText(name, { exact: true })).toBeVisible();
  await expect(stats).toContainText(/after \d+ ms/);
  await expect(stats).toContainText("avc1");
});

test("the next title is offered at the end, counts down, and can be cancelled", async ({ page, context }) => {
  const { title, duration_ms } = await video(context.request, videoId());
  // The library of these tests has one title: what is like it is told for the server.
  const self = await (await context.request.get(`/api/v1/videos/${videoId()}`)).json();
  const next = { ...self, id: "01980000-0000-7000-8000-000000000001", title: "The one after" };
  await page.route("**/related*", (route) => route.fulfill({ json: [next] }));
  await page.goto(`/watch/${videoId()}?t=${duration_ms / 1000 - 3}`);
  const card = page.getByRole("region", { name: "Next title" });
  await expect(card).toBeVisible({ timeout: 40_000 });
  await expect(card).toContainText("The one after");
  await expect(card).toContainText(/Up next in \d/);
  await card.getByRole("button", { name: "Cancel" }).click();
  await expect(card).toHaveCount(0);
  await expect(page.getByRole("heading", { name: title, level: 1 })).toBeVisible();
  // With the data saver nothing goes on by itself.
  await page.evaluate(() => localStorage.setItem("kinora-preferences", '{"saver":true}'));
  await page.reload();
  await expect(card).toBeVisible({ timeout: 40_000 });
  await expect(card).not.toContainText("Up next in");
});

test("four arrows and a back key reach everything", async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem("kinora-preferences", '{"layout":"tv"}'));
  await page.goto("/");
  await page.locator(".card-link").first().waitFor();
  const at = () => page.evaluate(() => (document.activeElement as HTMLElement | null)?.textContent?.trim() ?? "");
  await page.keyboard.press("ArrowDown");
  expect(await at()).toMatch(/^(Play|Watch live)$/);
  await page.keyboard.press("ArrowRight");
  expect(await at()).toBe("Details");
  await page.keyboard.press("ArrowUp");
  await expect(page.locator("header :focus")).toHaveCount(1);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(page.locator(".card-link:focus, .see-all:focus")).toHaveCount(1);
  if (await page.locator(".see-all:focus").count()) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/title\//);
  await page
    .getByRole("link", { name: /^(Play|Resume)/ })
    .first()
    .waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/watch\//);
  await playing(page);
  // Down from the picture goes to the controls, aside along them, up to the seek bar.
  await page.keyboard.press("ArrowDown");
  await expect(page.locator(".controls :focus")).toHaveCount(1);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".player :focus")).toHaveCount(1);
  const before = await position(page);
  expect(before).toBeGreaterThan(0);
  await page.evaluate(() => window.dispatchEvent(new KeyboardEvent("keydown", { key: "GoBack" })));
  await expect(page).toHaveURL(/\/title\//);
});
