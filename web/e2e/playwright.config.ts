// End-to-end tests in Debian's Chromium against a running server (KINORA_E2E_URL), one worker.
import { defineConfig } from "playwright/test";

const baseURL = process.env.KINORA_E2E_URL;
if (!baseURL) throw new Error("KINORA_E2E_URL must name a running Kinora server, such as http://127.0.0.1:8080");

export default defineConfig({
  testDir: ".",
  outputDir: "../test-results",
  workers: 1,
  // A test that fails is tried once more where nobody watches; the report names it as flaky, which is a fault to be found.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    baseURL,
    viewport: { width: 1280, height: 800 },
    // Its own test lets it in; elsewhere it would stand between a page and what a test alters.
    serviceWorkers: "block",
    // What hangs should say where, long before the test's own time is up.
    navigationTimeout: 30_000,
    actionTimeout: 30_000,
    trace: "retain-on-failure",
    launchOptions: {
      timeout: 60_000,
      executablePath: process.env.KINORA_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
      ],
    },
  },
  projects: [
    { name: "first run", testMatch: "first-run.spec.ts" },
    { name: "pages", testIgnore: "first-run.spec.ts", dependencies: ["first run"] },
  ],
});
