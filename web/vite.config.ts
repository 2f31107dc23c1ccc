// How the web app is built, served in development, and unit-tested.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// In development the API comes from a Kinora server on this machine.
const server = process.env.KINORA_SERVER ?? "http://127.0.0.1:8080";
const proxy = { target: server, changeOrigin: false };

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssMinify: "lightningcss",
    chunkSizeWarningLimit: 600,
    // The app, and the player alone for other sites' pages.
    rolldownOptions: { input: ["index.html", "embed.html"] },
  },
  server: { proxy: { "/api": proxy, "/media": proxy } },
  preview: { proxy: { "/api": proxy, "/media": proxy } },
  test: { include: ["src/**/*.test.ts"] },
});
