// What was made of the file.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as api from "../../../api/calls";
import { keys } from "../../../api/queries";
import type { Video } from "../../../api/types";
import { bitrate, bytes } from "../../../lib/format";
import { Button, Failure, Notice, Skeleton } from "../../../ui/basics";
import { retryWork } from "../actions";
import { Steps } from "../steps";
import { StopQuestion, stopWork } from "../stop";
import { Versions } from "./versions";

export function Source({ video }: { video: Video }) {
  return (
    <>
      {video.state === "ready" ? (
        // The steps of a version in the making are shown with it.
        <Versions video={video}>
          <Work video={video} />
        </Versions>
      ) : (
        <Work video={video} />
      )}
      <Renditions video={video} />
    </>
  );
}

/** The steps of the work on it, with what can be done about them. */
export function Work({ video }: { video: Video }) {
  const [stopping, setStopping] = useState<Video | null>(null);
  const busy =
    video.state === "uploading" || video.state === "processing" || (video.state === "ready" && !video.complete);
  if (!video.steps || video.steps.length === 0) return null;
  const formatsFailed = video.steps.some((step) => step.name === "formats" && step.state === "failed");
  // What was found wrong with the file, though a title could be made of it.
  const told = video.steps.find((step) => step.name === "probe" && step.state === "done" && step.message);
  return (
    <section className="panel" aria-labelledby="steps">
      <header>
        <h2 id="steps">Steps</h2>
        {busy && (
          <Button size="small" onClick={() => stopWork(video, setStopping)}>
            Cancel
          </Button>
        )}
        {(video.state === "failed" || video.state === "cancelled" || formatsFailed) && (
          <Button size="small" icon="retry" onClick={() => void retryWork(video)}>
            Try again
          </Button>
        )}
      </header>
      {video.state === "failed" && <Notice tone="bad">{video.error ?? "It failed."}</Notice>}
      {told && (
        <Notice tone="accent" icon="warning">
          {told.message}
        </Notice>
      )}
      <Steps steps={video.steps.map((step) => (step === told ? { ...step, message: "" } : step))} />
      <StopQuestion video={stopping} onDone={() => setStopping(null)} />
    </section>
  );
}

function Renditions({ video }: { video: Video }) {
  const list = useQuery({
    queryKey: [...keys.renditions(video.id), video.complete, video.state],
    queryFn: () => api.renditions(video.id),
  });
  return (
    <section className="panel" aria-labelledby="renditions">
      <h2 id="renditions">Renditions</h2>
      {list.isPending ? (
        <Skeleton height="128px" />
      ) : list.isError ? (
        <Failure what="The renditions could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : list.data.length === 0 ? (
        <p className="muted small">None yet. The first appears when the first part has been encoded.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
        <section className="scroll-x" tabIndex={0} aria-label="Table of renditions">
          <table className="figures">
            <thead>
              <tr>
                <th scope="col">Rendition</th>
                <th scope="col">Codec</th>
                <th scope="col">Picture</th>
                <th scope="col">Bit rate</th>
                <th scope="col">Size</th>
              </tr>
            </thead>
            <tbody>
              {list.data.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.label}</th>
                  <td>
                    <code>{one.codec}</code>
                  </td>
                  <td>{one.width && one.height ? `${one.width} × ${one.height}` : "–"}</td>
                  <td>{bitrate(one.bitrate_bps)}</td>
                  <td>{bytes(one.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}
