// Uploads a file and waits until it can be watched: upload.ts FILE. Needs KINORA_SERVER and KINORA_TOKEN.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

const server = process.env.KINORA_SERVER;
const headers = { authorization: `Bearer ${process.env.KINORA_TOKEN}`, "tus-resumable": "1.0.0" };
const file = process.argv[2] ?? "";
const bytes = await readFile(file);
const base64 = (text: string) => Buffer.from(text).toString("base64");

async function call(method: string, path: string, more: Record<string, string> = {}, body?: Uint8Array) {
  const answer = await fetch(new URL(path, server), { method, headers: { ...headers, ...more }, body });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer;
}

// 1. Begin: tus answers where the bytes go, and which title they become. Sent again with the same key, it begins only once.
const begun = await call("POST", "/api/v1/uploads", {
  "idempotency-key": crypto.randomUUID(),
  "upload-length": String(bytes.length),
  "upload-metadata": `filename ${base64(basename(file))},title ${base64("From TypeScript")}`,
});
const upload = begun.headers.get("location") ?? "";
const id = begun.headers.get("kinora-video-id");

// 2. Send, in pieces. After a break, ask with HEAD for Upload-Offset and go on from there.
const piece = 8 * 1024 * 1024;
for (let offset = 0; offset < bytes.length; offset += piece)
  await call(
    "PATCH",
    upload,
    { "upload-offset": String(offset), "content-type": "application/offset+octet-stream" },
    bytes.subarray(offset, offset + piece),
  );

// 3. Wait. A title can be played before all its renditions are complete.
for (;;) {
  const video = await (await call("GET", `/api/v1/videos/${id}`)).json();
  if (video.state === "ready") break;
  if (video.state === "failed") throw new Error(video.error);
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
console.log(`watch it at ${server}/watch/${id}`);
