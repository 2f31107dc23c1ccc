// What is seen before the app is there: the page's first picture, in the place, size and file that the app shows it in.
import { expect, type Page } from "playwright/test";
import { signedState, test, videoId } from "./support";

const picture = ".backdrop-picture > img, .player .still";
const sizes = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

/** The first picture's file, its frame's box, and whether it is a fresh one that fades in. */
const seen = (page: Page) =>
  page.locator(picture).evaluate((image: HTMLImageElement) => {
    const box = (image.parentElement as HTMLElement).closest(".player, .backdrop-picture")?.getBoundingClientRect();
    return {
      file: image.currentSrc,
      box: box && [box.x, box.y, box.width, box.height].map(Math.round),
      complete: image.complete,
      arriving: image.hasAttribute("data-arriving"),
    };
  });

const pages = { home: () => "/", title: () => `/title/${videoId()}`, watch: () => `/watch/${videoId()}` };

for (const [name, path] of Object.entries(pages)) {
  for (const viewport of sizes) {
    for (const signed of [false, true]) {
      const who = signed ? "signed in" : "visitor";
      test(`${name} at ${viewport.width}, ${who}: the app takes over without moving the picture`, async ({
        browser,
      }) => {
        const context = await browser.newContext({ viewport, storageState: signed ? signedState() : undefined });
        const page = await context.newPage();
        let release = () => {};
        const held = new Promise<void>((settle) => {
          release = settle;
        });
        await page.route(/\/assets\/.*\.js$/, async (route) => {
          await held;
          await route.continue();
        });
        // On Watch the film itself would follow at once.
        await page.route("**/media/**", () => {});
        await page.goto(path(), { waitUntil: "commit" });
        await expect.poll(() => seen(page).catch(() => null)).toMatchObject({ complete: true });
        const before = await seen(page);
        await page.evaluate((which) => {
          const gaps: string[] = [];
          Object.assign(window, { gaps });
          new MutationObserver(() => {
            if (!document.querySelector(which))
              gaps.push(document.querySelector("#root")?.innerHTML.slice(0, 200) ?? "");
          }).observe(document.body, { childList: true, subtree: true });
        }, picture);
        release();
        await page.getByRole("link", { name: "Skip to the content" }).waitFor();
        await page.waitForTimeout(500);
        expect(await seen(page)).toEqual(before);
        expect(await page.evaluate(() => (window as unknown as { gaps: string[] }).gaps)).toEqual([]);
        await context.close();
      });
    }
  }
}
