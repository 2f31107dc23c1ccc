// Edges of their own process, in five regions: one dies and its viewers move to another; all but one die, with everything
// behind it, and its viewer watches to the end.
import type { Page, Request } from "playwright/test";
import { program, Regions } from "./regions";
import { expect, playing, position, test } from "./support";

test.skip(program === "", "KINORA_BIN names no program, and edges are processes of their own");
test.describe.configure({ mode: "serial" });
// What was lost on its way is told by the browser, whatever the player makes of it.
test.use({ expected: [/Failed to load resource/] });

const shapes = [20, 30, 45, 60, 90].map((roundTripMs) => ({ bitsPerSecond: 8_000_000, roundTripMs }));
const [filmSeconds, segmentSeconds] = [120, 4];
const regions = new Regions();

test.beforeAll(async () => {
  test.setTimeout(300_000);
  await regions.start(shapes, filmSeconds);
});
test.afterAll(() => regions.stop());

type Fetched = { at: number; port: number };

/** A page that plays, and what it fetches of picture and sound. */
class Viewer {
  readonly fetched: Fetched[] = [];
  readonly failed: Fetched[] = [];

  constructor(readonly page: Page) {
    const note = (list: Fetched[]) => (request: Request) => {
      const { pathname, port } = new URL(request.url());
      if (pathname.endsWith(".m4s") && request.method() === "GET") list.push({ at: Date.now(), port: Number(port) });
    };
    page.on("requestfinished", note(this.fetched));
    page.on("requestfailed", note(this.failed));
  }

  async watch(page: "watch" | "embed", from = 0) {
    await this.page.goto(`${regions.origin.url}/${page}/${regions.title}?t=${from}&autoplay=1`);
    await playing(this.page);
    await this.page.evaluate(() => {
      const video = document.querySelector("video") as HTMLVideoElement;
      video.addEventListener("waiting", () => {
        video.dataset.waited = `${video.dataset.waited ?? ""} ${video.currentTime}`;
      });
    });
  }

  ahead() {
    return this.page.evaluate(() => {
      const { buffered, currentTime } = document.querySelector("video") as HTMLVideoElement;
      return buffered.length > 0 ? buffered.end(buffered.length - 1) - currentTime : 0;
    });
  }

  waited() {
    return this.page.evaluate(() => document.querySelector("video")?.dataset.waited ?? "");
  }

  async edge() {
    await this.page.mouse.move(400, 300);
    await this.page.getByRole("button", { name: "Quality" }).click();
    await this.page.getByRole("menuitem", { name: "Statistics for nerds" }).click();
    const stats = this.page.getByRole("region", { name: "Statistics for nerds" });
    const line = stats.locator("div", { has: this.page.getByText("Edge", { exact: true }) }).locator("dd");
    const told = await line.first().textContent();
    await stats.getByRole("button", { name: "Close statistics" }).click();
    return told;
  }
}

/** How long the picture stood still since a moment, seconds. */
async function watch(page: Page) {
  const [from, since] = [await position(page), Date.now()];
  return async () => (Date.now() - since) / 1000 - ((await position(page)) - from);
}

for (const how of ["resets its connections", "falls silent"] as const)
  test(`the region that ${how} loses its viewers to another within two segments`, async ({ page, browser }) => {
    // In a window of its own: a tab behind another shows nothing.
    const second = await browser.newContext();
    const viewers = [new Viewer(page), new Viewer(await second.newPage())];
    await Promise.all(viewers.map((viewer, at) => viewer.watch(at === 0 ? "watch" : "embed")));
    const [first] = regions.lines;
    if (!first) throw new Error("there is no region");
    // Enough ahead to pass over the gap, and far from all of it.
    for (const viewer of viewers) {
      await expect.poll(() => viewer.ahead(), { timeout: 30_000 }).toBeGreaterThan(12);
      expect(new Set(viewer.fetched.map((one) => one.port))).toEqual(new Set([first.port]));
    }
    const stood = await Promise.all(viewers.map((viewer) => watch(viewer.page)));
    const broken = Date.now();
    if (how === "falls silent") first.silence();
    else await first.reset();

    for (const [at, viewer] of viewers.entries()) {
      const moved = () => viewer.fetched.find((one) => one.at > broken && one.port !== first.port)?.at;
      await expect.poll(moved, { timeout: 20_000 }).toBeDefined();
      const seconds = ((moved() ?? 0) - broken) / 1000;
      console.log(`viewer ${at + 1}: media from another region ${seconds.toFixed(1)} s after the first one ${how}`);
      expect(seconds).toBeLessThan(2 * segmentSeconds);
    }
    // There it stays, and nobody waits for the first one again.
    await page.waitForTimeout(2 * segmentSeconds * 1000);
    for (const [at, viewer] of viewers.entries()) {
      const settled = Math.max(...viewer.fetched.map((one) => one.at)) - segmentSeconds * 1000;
      expect(viewer.failed.filter((one) => one.at > settled)).toEqual([]);
      expect(await viewer.waited()).toBe("");
      expect(await stood[at]?.()).toBeLessThan(0.5);
      expect(await viewer.edge()).toBe(`127.0.0.1:${regions.lines[1]?.port}`);
    }
    // When it is back, so are they.
    await first.restore();
    const restored = Date.now();
    for (const viewer of viewers) {
      const back = () => viewer.fetched.some((one) => one.at > restored && one.port === first.port);
      await expect.poll(back, { timeout: 40_000 }).toBe(true);
      expect(await viewer.waited()).toBe("");
    }
    await second.close();
  });

test("with everything behind an edge dead, its viewer watches to the end", async ({ page }) => {
  const [edge, ...others] = regions.edges;
  if (!edge) throw new Error("there is no edge");
  await regions.warm(edge);
  const viewer = new Viewer(page);
  const start = filmSeconds - 60;
  await viewer.watch("watch", start);
  await page.evaluate(() => {
    const video = document.querySelector("video") as HTMLVideoElement;
    video.playbackRate = 2;
  });
  // No time to clean up: API, worker, origin, database, and the edges of all other regions.
  await Promise.all([regions.origin, ...others].map((role) => role.end("SIGKILL")));
  const killed = Date.now();
  expect(await viewer.ahead()).toBeLessThan(40);
  await expect(fetch(regions.origin.url)).rejects.toThrow();
  const ended = () => page.evaluate(() => document.querySelector("video")?.ended ?? false);
  await expect.poll(ended, { timeout: 90_000 }).toBe(true);
  expect(await position(page)).toBeCloseTo(filmSeconds, 0);
  expect(await viewer.waited()).toBe("");
  const after = viewer.fetched.filter((one) => one.at > killed);
  console.log(`${after.length} segments from the edge after everything behind it was killed`);
  expect(after.length).toBeGreaterThan(4);
  expect(new Set(after.map((one) => one.port))).toEqual(new Set([regions.lines[0]?.port]));
  await expect(page.locator(".player-failed")).toHaveCount(0);
});
