// Moves files by tus. Lives outside the pages, so that uploads go on while one looks elsewhere.
import type { Upload as TusUpload } from "tus-js-client";
import { instance } from "../api/calls";
import { problemOf, unreachable } from "../api/problem";
import { keys, listsChanged, queryClient } from "../api/queries";
import { titleFromFile } from "../lib/format";
import { createStore, kept } from "../lib/store";
import { active, type Event, fresh, over, startable, step, type Upload } from "./state";

export const uploads = createStore<readonly Upload[]>([]);
const files = new Map<string, File>();
const running = new Map<string, TusUpload>();
let next = 1;

function tell(key: string, event: Event) {
  uploads.set((list) => list.map((upload) => (upload.key === key ? step(upload, event) : upload)));
  pump();
}

function pump() {
  for (const key of startable(uploads.get())) {
    uploads.set((list) => list.map((upload) => (upload.key === key ? step(upload, { kind: "start" }) : upload)));
    void send(key);
  }
}

/** Takes files, for titles of their own or as the next version of one; returns in words what it refuses. */
export function addFiles(list: Iterable<File>, replaces: string | null = null): string[] {
  const refused: string[] = [];
  for (const file of list) {
    const media =
      file.type === "" || /^(video|audio)\//.test(file.type) || /\.(mkv|mxf|ts|m2ts|mov|avi)$/i.test(file.name);
    const again = uploads
      .get()
      .some(
        (upload) =>
          !over(upload) && upload.name === file.name && upload.size === file.size && upload.replaces === replaces,
      );
    if (file.size === 0) refused.push(`“${file.name}” is empty.`);
    else if (!media) refused.push(`“${file.name}” is not a video.`);
    else if (!again) {
      const key = String(next++);
      files.set(key, file);
      uploads.set((now) => [...now, fresh(key, file.name, file.size, replaces)]);
    }
  }
  pump();
  return refused;
}

const videoOf = (url: string) => `kinora-upload ${url}`;

async function send(key: string) {
  const file = files.get(key);
  if (!file) return;
  try {
    const [tus, { upload_chunk_bytes, max_upload_bytes }] = await Promise.all([
      import("tus-js-client"),
      queryClient.fetchQuery({ queryKey: keys.instance, queryFn: instance, staleTime: Number.POSITIVE_INFINITY }),
    ]);
    if (max_upload_bytes > 0 && file.size > max_upload_bytes)
      return tell(key, { kind: "fail", message: "The file is larger than this server accepts." });
    const own = uploads.get().find((upload) => upload.key === key);
    if (own?.phase !== "starting") return;
    const { replaces } = own;
    const transfer = new tus.Upload(file, {
      endpoint: "/api/v1/uploads",
      chunkSize: upload_chunk_bytes > 0 ? upload_chunk_bytes : Number.POSITIVE_INFINITY,
      retryDelays: [500, 1000, 2000, 4000, 8000, 15_000, 30_000],
      // An upload of the same file for another purpose must not be gone on with.
      storeFingerprintForResuming: !replaces,
      removeFingerprintOnSuccess: true,
      metadata: {
        filename: file.name,
        filetype: file.type || "application/octet-stream",
        title: titleFromFile(file.name),
        visibility: "private",
        ...(replaces ? { replaces } : {}),
      },
      onAfterResponse: (request, response) => {
        const videoId = response.getHeader("Kinora-Video-Id");
        const url = response.getHeader("Location");
        if (!videoId) return;
        tell(key, { kind: "created", videoId });
        if (request.getMethod() === "POST" && url) kept.write(videoOf(new URL(url, location.href).href), videoId);
        void queryClient.invalidateQueries({ queryKey: keys.studio });
        if (replaces) void queryClient.invalidateQueries({ queryKey: [...keys.video(replaces), "versions"] });
      },
      onProgress: (sent) => tell(key, { kind: "progress", sent, at: performance.now() }),
      onShouldRetry: (error, _attempt, options) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        const again = status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;
        if (again) tell(key, { kind: "wait", message: "The connection was lost. It goes on by itself." });
        return again && (options.retryDelays?.length ?? 0) > 0;
      },
      onError: (error) => tell(key, { kind: "fail", message: words(error) }),
      onSuccess: () => {
        const { url } = transfer;
        if (url) kept.write(videoOf(new URL(url, location.href).href), null);
        running.delete(key);
        files.delete(key);
        tell(key, { kind: "finish" });
        listsChanged();
        void queryClient.invalidateQueries({ queryKey: keys.session });
      },
    });
    running.set(key, transfer);
    // The same file was here before: go on where it stopped.
    const [former] = replaces ? [] : await transfer.findPreviousUploads();
    if (former) {
      transfer.resumeFromPreviousUpload(former);
      tell(key, {
        kind: "created",
        videoId: former.uploadUrl ? kept.read(videoOf(new URL(former.uploadUrl, location.href).href)) : null,
      });
    }
    transfer.start();
  } catch (error) {
    tell(key, { kind: "fail", message: error instanceof Error ? error.message : "The upload could not start." });
  }
}

function words(error: unknown): string {
  const response = (error as { originalResponse?: { getStatus(): number; getBody(): string } | null }).originalResponse;
  if (!response) return unreachable().message;
  let body: unknown;
  try {
    body = JSON.parse(response.getBody());
  } catch {
    body = undefined;
  }
  return problemOf(response.getStatus(), body).message;
}

export function pause(key: string) {
  tell(key, { kind: "pause" });
  void running
    .get(key)
    ?.abort()
    .catch(() => {});
}

export function resume(key: string) {
  const transfer = running.get(key);
  if (transfer && uploads.get().filter(active).length < 2) {
    tell(key, { kind: "start" });
    transfer.start();
  } else tell(key, { kind: "queue" });
}

/** Ends the upload here and on the server. */
export function cancel(key: string) {
  tell(key, { kind: "cancel" });
  files.delete(key);
  const transfer = running.get(key);
  running.delete(key);
  // `true` also terminates it on the server; if that does not arrive, the upload expires there.
  void transfer
    ?.abort(true)
    .catch(() => {})
    .finally(listsChanged);
}

export function forgetDone() {
  uploads.set((list) => list.filter((upload) => !over(upload)));
}

// Closing the tab while bytes flow asks first. Nothing would be lost: choosing the file again resumes it.
addEventListener("beforeunload", (event) => {
  if (uploads.get().some(active)) event.preventDefault();
});
