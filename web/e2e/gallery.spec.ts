// The component gallery, which exists in development builds only: drawn without an error, clean for axe, photographed.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { createServer, type ViteDevServer } from "vite";
import { expect, origin, signedState, test } from "./support";

let server: ViteDevServer;
let base: string;
test.beforeAll(async () => {
  const root = new URL("..", import.meta.url).pathname;
  const proxy = { target: origin, changeOrigin: true };
  server = await createServer({
    root,
    logLevel: "error",
    server: { port: 0, host: "127.0.0.1", proxy: { "/api": proxy } },
  });
  await server.listen();
  base = server.resolvedUrls?.local[0] ?? "";
});
test.afterAll(() => server.close());

for (const colorScheme of ["dark", "light"] as const) {
  test(`the gallery, ${colorScheme}`, async ({ browser }) => {
    test.setTimeout(180_000);
    const context = await browser.newContext({
      colorScheme,
      reducedMotion: "reduce",
      storageState: signedState() ?? undefined,
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${base}dev/gallery`);
    await page.getByRole("heading", { name: "Components" }).waitFor({ timeout: 120_000 });
    await expect(page.getByRole("region", { name: "Cards in their states" })).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.target.join(" ")) }))).toEqual([]);
    const folder = process.env.KINORA_SHOTS;
    if (folder) {
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `gallery-${colorScheme}.png`), fullPage: true });
    }
    expect(errors).toEqual([]);
    await context.close();
  });
}
