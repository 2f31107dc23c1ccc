// No page has an accessibility finding, in either theme.
import { AxeBuilder } from "@axe-core/playwright";
import { pages } from "./pages";
import { expect, signedState, test } from "./support";

for (const { name, path, ready, anonymous } of pages) {
  for (const colorScheme of ["dark", "light"] as const) {
    test.describe(`${name}, ${colorScheme}`, () => {
      test.use({ colorScheme, reducedMotion: "reduce" } as object);
      test.use({ storageState: async ({ browserName: _ }, use) => use(anonymous ? undefined : signedState()) });
      test("is clean", async ({ page }) => {
        await page.goto(path());
        await ready(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(
          violations.map(({ id, nodes }) => ({
            id,
            nodes: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
          })),
        ).toEqual([]);
      });
    });
  }
}
