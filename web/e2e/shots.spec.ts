// Photographs of every page at four widths, dark and light, into the folder KINORA_SHOTS.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pages } from "./pages";
import { expect, signedState, test } from "./support";

const folder = process.env.KINORA_SHOTS;
const sizes = { 390: 844, 768: 1024, 1280: 800, 1920: 1080 };

test.skip(!folder, "KINORA_SHOTS names no folder");

for (const { name, path, ready, anonymous } of pages) {
  for (const colorScheme of ["dark", "light"] as const) {
    test(`${name}, ${colorScheme}`, async ({ browser }) => {
      mkdirSync(folder as string, { recursive: true });
      for (const [width, height] of Object.entries(sizes)) {
        const context = await browser.newContext({
          colorScheme,
          viewport: { width: Number(width), height },
          hasTouch: Number(width) < 800,
          storageState: anonymous ? undefined : signedState(),
        });
        const page = await context.newPage();
        await page.goto(path());
        await ready(page);
        await page.evaluate(() =>
          document.fonts.ready.then(() =>
            Promise.all(
              [...document.images].map(
                (image) => image.complete || image.loading === "lazy" || image.decode().catch(() => {}),
              ),
            ),
          ),
        );
        // Nothing may stick out sideways.
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        await page.screenshot({ path: join(folder as string, `${name}-${width}-${colorScheme}.png`) });
        await context.close();
      }
    });
  }
}
