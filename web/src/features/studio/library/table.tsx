// The rows of the studio's library. The boxes select: Shift takes a range, the arrows move between rows.
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Video } from "../../../api/types";
import { clock, left } from "../../../lib/format";
import { warmWatch } from "../../../player/warm";
import { Button, When } from "../../../ui/basics";
import { Menu, type MenuEntry } from "../../../ui/overlay";
import { Poster } from "../../../ui/poster";
import { remove, restore, retryWork } from "../actions";
import { StateOf, VisibilityOf } from "../state";
import { StopQuestion, stopWork } from "../stop";
import type { Selection } from "./selection";

export function Titles({
  videos,
  trash,
  selection,
  onPurge,
}: {
  videos: readonly Video[];
  trash: boolean;
  selection: Selection;
  onPurge: (video: Video) => void;
}) {
  const some = selection.ids.length > 0;
  const all = selection.ids.length === videos.length;
  return (
    <table className="titles selectable" data-selecting={some || undefined}>
      <thead>
        <tr>
          <th scope="col" className="select-cell">
            <Box
              label="Select all"
              checked={all}
              partly={some && !all}
              onChecked={(on) => selection.all(on)}
              onKeyDown={(event) => walk(event, selection)}
            />
          </th>
          <th scope="col">Title</th>
          <th scope="col">State</th>
          <th scope="col">Visibility</th>
          <th scope="col">Length</th>
          <th scope="col">{trash ? "Time left" : "Added"}</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {videos.map((video) => (
          <tr key={video.id} data-selected={selection.has(video.id) || undefined}>
            <td className="select-cell">
              <Box
                label={`Select ${video.title}`}
                checked={selection.has(video.id)}
                onChecked={(on, range) => selection.set(video.id, on, range)}
                onKeyDown={(event) => walk(event, selection)}
              />
            </td>
            <th scope="row">
              <TitleLink video={video} trash={trash} />
            </th>
            <td className="state-cell">
              <StateOf video={video} />
            </td>
            <td className="visibility-cell">
              <VisibilityOf video={video} />
            </td>
            <td className="length-cell">{video.duration_ms ? clock(video.duration_ms) : "–"}</td>
            <td className="muted when-cell">
              {trash && video.purge_at ? left(video.purge_at, Date.now()) : <When at={video.created_at} />}
            </td>
            <td className="actions-cell">
              <Actions video={video} trash={trash} onPurge={onPurge} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Up and down go to the box of the next row, Control+A takes all, Escape none. */
function walk(event: KeyboardEvent<HTMLInputElement>, selection: Selection) {
  const boxes = [...(event.currentTarget.closest("table")?.querySelectorAll<HTMLInputElement>(".box") ?? [])];
  const at = boxes.indexOf(event.currentTarget);
  if (event.key === "ArrowDown") boxes[at + 1]?.focus();
  else if (event.key === "ArrowUp") boxes[at - 1]?.focus();
  else if (event.key === "a" && (event.ctrlKey || event.metaKey)) selection.all(true);
  else if (event.key === "Escape") selection.all(false);
  else return;
  event.preventDefault();
}

function Box(props: {
  label: string;
  checked: boolean;
  partly?: boolean;
  onChecked: (on: boolean, range: boolean) => void;
  onKeyDown: (event: KeyboardEvent<HTMLInputElement>) => void;
}) {
  const box = useRef<HTMLInputElement>(null);
  const shift = useRef(false);
  const partly = props.partly ?? false;
  useEffect(() => {
    if (box.current) box.current.indeterminate = partly;
  }, [partly]);
  return (
    <label className="box-target">
      <input
        ref={box}
        type="checkbox"
        className="box"
        aria-label={props.label}
        checked={props.checked}
        onKeyDown={(event) => {
          shift.current = event.shiftKey;
          props.onKeyDown(event);
        }}
        onClick={(event) => {
          shift.current = event.shiftKey || shift.current;
        }}
        onChange={(event) => {
          props.onChecked(event.target.checked, shift.current);
          shift.current = false;
        }}
      />
    </label>
  );
}

function TitleLink({ video, trash }: { video: Video; trash: boolean }) {
  const inner = (
    <>
      <Poster video={{ ...video, duration_ms: null }} sizes="128px" />
      <span>
        <span className="name">{video.title}</span>
        <span className="small muted about">
          {video.error && video.state === "failed" ? video.error : video.description}
        </span>
      </span>
    </>
  );
  return trash ? (
    <span className="title-link">{inner}</span>
  ) : (
    <Link href={`/studio/videos/${video.id}`} className="title-link">
      {inner}
    </Link>
  );
}

function Actions({ video, trash, onPurge }: { video: Video; trash: boolean; onPurge: (video: Video) => void }) {
  const [, navigate] = useLocation();
  const [stopping, setStopping] = useState<Video | null>(null);
  const busy =
    video.state === "uploading" || video.state === "processing" || (video.state === "ready" && !video.complete);
  const watch = () => {
    warmWatch(video.id, video.live);
    navigate(`/watch/${video.id}`);
  };
  const items: (MenuEntry | false)[] = trash
    ? [
        { label: "Restore", icon: "retry", onSelect: () => void restore(video) },
        "line",
        { label: "Delete for good", icon: "trash", danger: true, onSelect: () => onPurge(video) },
      ]
    : [
        video.state === "ready" && { label: "Watch", icon: "play", onSelect: watch },
        { label: "Edit", icon: "edit", onSelect: () => navigate(`/studio/videos/${video.id}`) },
        busy && { label: "Cancel", icon: "close", onSelect: () => stopWork(video, setStopping) },
        (video.state === "failed" || video.state === "cancelled") && {
          label: "Try again",
          icon: "retry",
          onSelect: () => void retryWork(video),
        },
        "line",
        { label: "Delete", icon: "trash", danger: true, onSelect: () => void remove(video) },
      ];
  return (
    <div className="line row-actions">
      {trash ? (
        <Button size="small" onClick={() => void restore(video)} aria-label={`Restore ${video.title}`}>
          Restore
        </Button>
      ) : (
        video.state === "ready" && (
          <Button look="quiet" icon="play" aria-label={`Watch ${video.title}`} title="Watch" onClick={watch} />
        )
      )}
      <Menu trigger={<Button look="quiet" icon="more" aria-label={`More for ${video.title}`} />} items={items} />
      <StopQuestion video={stopping} onDone={() => setStopping(null)} />
    </div>
  );
}
