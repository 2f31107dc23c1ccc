// Replacing and trimming the source of a title, and the versions that it has had.
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useRef, useState } from "react";
import * as api from "../../../api/calls";
import { inWords } from "../../../api/problem";
import { listsChanged, queryClient, updateVideo } from "../../../api/queries";
import type { Version, Video } from "../../../api/types";
import { bytes, clock, percent } from "../../../lib/format";
import { useStore } from "../../../lib/store";
import { Bar, Button, Failure, Notice, Skeleton, When } from "../../../ui/basics";
import { toast } from "../../../ui/toast";
import { over } from "../../../upload/state";
import { addFiles, cancel, uploads } from "../../../upload/transfer";
import { cancelWork } from "../actions";
import { ImportForm } from "../import";
import { Steps } from "../steps";

const Trim = lazy(() => import("./trim"));

export const versionsKey = (id: string) => ["video", id, "versions"] as const;

const kinds: Record<string, string> = { original: "First upload", replaced: "Replaced", trimmed: "Trimmed" };

export function Versions({ video, children }: { video: Video; children: ReactNode }) {
  const list = useQuery({
    // The title's revision moves with its versions, its steps with the work on one.
    queryKey: [...versionsKey(video.id), video.revision, video.steps?.map((step) => step.state).join()],
    queryFn: () => api.versions(video.id),
    placeholderData: (old) => old,
  });
  const pending = list.data?.find((one) => one.state === "uploading" || one.state === "processing");
  const [trimming, setTrimming] = useState(false);
  // What was sent live has no source, and can be cut only where its segments end.
  const sent = list.data?.some((one) => one.current && one.size === null) ?? false;
  const ready = video.state === "ready" && video.complete && video.deleted_at === null;
  return (
    <>
      {pending ? <Pending video={video} version={pending} /> : children}
      {ready && !pending && (
        <section className="panel" aria-labelledby="trim">
          <h2 id="trim">Trim</h2>
          {trimming ? (
            <Suspense fallback={<Skeleton height="320px" />}>
              <Trim video={video} onClose={() => setTrimming(false)} />
            </Suspense>
          ) : (
            <>
              <p className="muted small">
                {sent
                  ? "Cut away the beginning or the end, in steps of about two seconds. Nothing is encoded again."
                  : "Cut away the beginning, the end, or parts in the middle. Only the moments at the cuts are encoded again."}
              </p>
              <div className="line">
                <Button icon="edit" onClick={() => setTrimming(true)}>
                  Trim
                </Button>
              </div>
            </>
          )}
        </section>
      )}
      {ready && !pending && <Replace video={video} />}
      <History video={video} list={list} busy={Boolean(pending)} />
    </>
  );
}

/** The version in the making, with its own progress. */
function Pending({ video, version }: { video: Video; version: Version }) {
  const upload = useStore(uploads).find((one) => one.replaces === video.id && !over(one));
  return (
    <section className="panel" aria-labelledby="pending">
      <header>
        <h2 id="pending">{version.kind === "trimmed" ? "The cut version" : "The new version"}</h2>
        <Button
          size="small"
          onClick={() => {
            if (upload) cancel(upload.key);
            void cancelWork(video).then(() => queryClient.invalidateQueries({ queryKey: versionsKey(video.id) }));
          }}
        >
          Cancel
        </Button>
      </header>
      <p className="muted small">Until it is complete, the title plays as it does now.</p>
      {upload && (
        <Bar value={percent(upload.sent, upload.size)} label={`Upload of the new version of ${video.title}`} />
      )}
      {upload?.message && <p className="small muted">{upload.message}</p>}
      {video.steps && <Steps steps={video.steps} />}
    </section>
  );
}

function Replace({ video }: { video: Video }) {
  const input = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState<string>();
  const upload = useStore(uploads).find((one) => one.replaces === video.id && !over(one));
  const failure = refused ?? (upload?.phase === "failed" ? upload.message : null);
  return (
    <section className="panel" aria-labelledby="replace">
      <h2 id="replace">Replace the file</h2>
      <p className="muted small">
        The title keeps its address, its details and its viewers. It plays as it does now until the new file is ready,
        and you can go back.
      </p>
      <div className="line">
        <Button
          icon="upload"
          busy={Boolean(upload) && upload?.phase !== "failed"}
          onClick={() => input.current?.click()}
        >
          Choose a file
        </Button>
        <input
          ref={input}
          className="sr"
          type="file"
          accept="video/*,audio/*,.mkv,.mxf,.ts,.m2ts"
          aria-label="New file"
          tabIndex={-1}
          onChange={(event) => {
            if (upload) cancel(upload.key);
            setRefused(addFiles(event.target.files ?? [], video.id)[0]);
            event.target.value = "";
          }}
        />
      </div>
      {failure && <Notice tone="bad">{failure}</Notice>}
      <ImportForm
        replaces={video.id}
        onStarted={() => void queryClient.invalidateQueries({ queryKey: versionsKey(video.id) })}
      />
    </section>
  );
}

type Query = {
  data?: Version[] | undefined;
  isPending: boolean;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
};

function History({ video, list, busy }: { video: Video; list: Query; busy: boolean }) {
  const shown = (list.data ?? []).filter((one) => one.state !== "uploading" && one.state !== "processing");
  return (
    <section className="panel" aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      {list.isPending ? (
        <Skeleton height="96px" />
      ) : list.isError ? (
        <Failure what="The versions could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ul className="versions" aria-label="Versions">
          {shown.map((one) => (
            <Line key={one.number} video={video} version={one} busy={busy} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ video, version, busy }: { video: Video; version: Version; busy: boolean }) {
  const { id } = version;
  const name = `version ${version.number}`;
  const act = async (what: () => Promise<unknown>, done: string) => {
    try {
      await what();
      listsChanged();
      toast(done);
    } catch (error) {
      toast(inWords(error));
    }
    void queryClient.invalidateQueries({ queryKey: versionsKey(video.id) });
  };
  const earlier = version.state === "ready" && !version.current && id;
  return (
    <li data-current={version.current || undefined}>
      <div>
        <b>
          {version.number}. {kinds[version.kind] ?? version.kind}
        </b>
        {version.current && <span className="badge">plays now</span>}
        <p className="small muted">
          {[
            version.filename,
            version.duration_ms ? clock(version.duration_ms) : "",
            version.width && version.height ? `${version.width} × ${version.height}` : "",
            version.kind !== "trimmed" && version.size ? bytes(version.size) : "",
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
        <p className="small muted">
          <When at={version.created_at} />
          {version.kept_until && (
            <> · kept until {new Date(version.kept_until).toLocaleDateString(undefined, { dateStyle: "medium" })}</>
          )}
        </p>
        {version.state === "failed" && <p className="small bad-text">{version.error ?? "It failed."}</p>}
        {version.state === "cancelled" && <p className="small muted">Cancelled</p>}
      </div>
      {earlier && (
        <div className="line">
          <Button
            size="small"
            disabled={busy}
            aria-label={`Go back to ${name}`}
            onClick={() =>
              void act(
                async () => updateVideo(await api.restoreVersion(video.id, earlier)),
                "The title plays that version again.",
              )
            }
          >
            Go back to this
          </Button>
          <Button
            size="small"
            look="quiet"
            icon="trash"
            aria-label={`Delete ${name}`}
            onClick={() => void act(() => api.deleteVersion(video.id, earlier), "That version is kept no longer.")}
          />
        </div>
      )}
    </li>
  );
}
