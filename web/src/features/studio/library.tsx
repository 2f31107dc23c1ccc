// The studio's library: a table on wide screens, cards on phones; live.
import "./studio.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import * as api from "../../api/calls";
import { useStudioEvents } from "../../api/events";
import { keys } from "../../api/queries";
import type { Video } from "../../api/types";
import { clock } from "../../lib/format";
import { warmWatch } from "../../player/warm";
import { Button, Empty, Failure, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Confirm, Menu, type MenuEntry } from "../../ui/overlay";
import { Poster } from "../../ui/poster";
import { cancelWork, remove, removeForever, restore, retryWork } from "./actions";
import { DropAnywhere } from "./drop";
import { StateOf, VisibilityOf } from "./state";

export default function LibraryPage() {
  const trash = new URLSearchParams(useSearch()).get("view") === "trash";
  const [, navigate] = useLocation();
  useTitle(trash ? "Trash" : "Studio");
  useStudioEvents();
  const [asked, setAsked] = useState<Video | null>(null);
  const list = useInfiniteQuery({
    queryKey: keys.studioList(trash),
    queryFn: ({ pageParam }) => api.studio(trash, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
  // A title that changed sides meanwhile is shown on its new side only.
  const videos = (list.data?.pages.flatMap((page) => page.items) ?? []).filter(
    (video) => (video.deleted_at !== null) === trash,
  );
  return (
    <div className="page">
      <DropAnywhere />
      <div className="page-head">
        <h1>Studio</h1>
        <div className="segmented" role="radiogroup" aria-label="View">
          <button type="button" role="radio" aria-checked={!trash} onClick={() => navigate("/studio")}>
            <Icon name="film" size={16} />
            Library
          </button>
          <button type="button" role="radio" aria-checked={trash} onClick={() => navigate("/studio?view=trash")}>
            <Icon name="trash" size={16} />
            Trash
          </button>
        </div>
        <Link className="btn quiet push" href="/studio/webhooks">
          <Icon name="link" />
          Webhooks
        </Link>
        <Link className="btn primary" href="/studio/upload">
          <Icon name="upload" />
          Upload
        </Link>
      </div>
      {list.isPending ? (
        <TableSkeleton />
      ) : list.isError ? (
        <Failure what="The library could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : videos.length === 0 ? (
        <Nothing trash={trash} />
      ) : (
        <Titles videos={videos} trash={trash} onPurge={setAsked} />
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
      <Confirm
        open={asked !== null}
        title="Delete for good?"
        yes="Delete for good"
        danger
        onAnswer={(yes) => {
          if (yes && asked) void removeForever(asked);
          setAsked(null);
        }}
      >
        “{asked?.title}”, its original file and all its renditions are removed at once. This cannot be undone.
      </Confirm>
    </div>
  );
}

function Titles({
  videos,
  trash,
  onPurge,
}: {
  videos: readonly Video[];
  trash: boolean;
  onPurge: (video: Video) => void;
}) {
  return (
    <table className="titles">
      <thead>
        <tr>
          <th scope="col">Title</th>
          <th scope="col">State</th>
          <th scope="col">Visibility</th>
          <th scope="col">Length</th>
          <th scope="col">{trash ? "Deleted" : "Added"}</th>
          <th scope="col">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {videos.map((video) => (
          <tr key={video.id}>
            <th scope="row">
              <TitleLink video={video} trash={trash} />
            </th>
            <td>
              <StateOf video={video} />
            </td>
            <td>
              <VisibilityOf video={video} />
            </td>
            <td>{video.duration_ms ? clock(video.duration_ms) : "–"}</td>
            <td className="muted">
              <When at={(trash && video.deleted_at) || video.created_at} />
            </td>
            <td>
              <Actions video={video} trash={trash} onPurge={onPurge} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
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
  const busy =
    video.state === "uploading" || video.state === "processing" || (video.state === "ready" && !video.complete);
  const watch = () => {
    warmWatch(video.id);
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
        busy && { label: "Cancel", icon: "close", onSelect: () => void cancelWork(video) },
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
    </div>
  );
}

function Nothing({ trash }: { trash: boolean }) {
  return trash ? (
    <Empty icon="trash" title="The trash is empty">
      What you delete stays here for a while and can be restored.
    </Empty>
  ) : (
    <Empty
      icon="upload"
      title="No titles yet"
      actions={
        <Link className="btn primary" href="/studio/upload">
          <Icon name="upload" />
          Upload a video
        </Link>
      }
    >
      Drop a video file anywhere on this page. It uploads, is encoded, and can be watched while that still goes on.
    </Empty>
  );
}

function TableSkeleton() {
  return (
    <div className="stack" role="status" aria-label="Loading">
      {[1, 2, 3, 4].map((row) => (
        <div key={row} className="line" style={{ flexWrap: "nowrap", gap: 16 }}>
          <Skeleton width="128px" ratio="16 / 9" />
          <Skeleton width="40%" height="20px" />
          <Skeleton width="96px" height="24px" />
        </div>
      ))}
    </div>
  );
}
