// How the web app is built, served in development, and unit-tested.
import react from "@vitejs/plugin-react";
import { build, type Plugin, type Rolldown } from "vite";
import { defineConfig } from "vitest/config";
import { backdropSizes, stillWidth } from "./src/ui/picture";

// In development the API comes from a Kinora server on this machine.
const server = process.env.KINORA_SERVER ?? "http://127.0.0.1:8080";
const proxy = { target: server, changeOrigin: false };

/** `/boot.js`: a plain script, because modules run too late for it. */
function boot(): Plugin {
  const built = async () => {
    const rolldownOptions = { input: "src/boot.ts", output: { format: "iife" } } as const;
    const options = { write: false, target: "es2022", copyPublicDir: false, rolldownOptions } as const;
    const made = await build({ configFile: false, logLevel: "warn", build: options });
    return (made as Rolldown.RolldownOutput).output[0].code;
  };
  return {
    name: "kinora:boot",
    configureServer({ middlewares }) {
      middlewares.use("/boot.js", (_, answer, next) => {
        built().then((code) => answer.setHeader("content-type", "text/javascript").end(code), next);
      });
    },
    async generateBundle() {
      this.emitFile({ type: "asset", fileName: "boot.js", source: await built() });
    },
    // The server puts the first picture into the frame and reads there how large it is shown.
    transformIndexHtml: (html) =>
      html.replace("%BACKDROP_SIZES%", backdropSizes).replace("%STILL_WIDTH%", String(stillWidth)),
  };
}

export default defineConfig({
  plugins: [react(), boot()],
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
