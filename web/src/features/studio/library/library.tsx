// The studio's library: filters, a table on wide screens and cards on phones, a selection to edit at once; live.
import "../studio.css";
import "../editor/editor.css";
import "./library.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import * as api from "../../../api/calls";
import { useStudioEvents } from "../../../api/events";
import { keys } from "../../../api/queries";
import type { Video } from "../../../api/types";
import { Button, Empty, Failure, Skeleton, useTitle } from "../../../ui/basics";
import { Icon } from "../../../ui/icon";
import { Confirm } from "../../../ui/overlay";
import { removeForever } from "../actions";
import { DropAnywhere } from "../drop";
import { BulkBar } from "./bulk";
import { FilterBar, useFilters } from "./filters";
import { useSelection } from "./selection";
import { Titles } from "./table";

export default function LibraryPage() {
  const filters = useFilters();
  const { trash, query, active } = filters;
  const [, navigate] = useLocation();
  useTitle(trash ? "Trash" : "Studio");
  useStudioEvents();
  const [asked, setAsked] = useState<Video | null>(null);
  const list = useInfiniteQuery({
    queryKey: keys.studioList(query),
    queryFn: ({ pageParam }) => api.studio(query, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
  // A title that changed sides meanwhile is shown on its new side only.
  const videos = useMemo(
    () =>
      (list.data?.pages.flatMap((page) => page.items) ?? []).filter((video) => (video.deleted_at !== null) === trash),
    [list.data, trash],
  );
  const ids = useMemo(() => videos.map((video) => video.id), [videos]);
  const selection = useSelection(ids);
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
        <Link className="btn quiet push" href="/studio/live">
          <Icon name="live" />
          Live
        </Link>
        <Link className="btn quiet" href="/studio/webhooks">
          <Icon name="link" />
          Webhooks
        </Link>
        <Link className="btn primary" href="/studio/upload">
          <Icon name="upload" />
          Upload
        </Link>
      </div>
      {(videos.length > 0 || active || query.sort || (list.isPending && !trash)) && <FilterBar filters={filters} />}
      {list.isPending ? (
        <TableSkeleton />
      ) : list.isError ? (
        <Failure what="The library could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : videos.length === 0 && active ? (
        <Empty
          icon="search"
          title="Nothing fits"
          actions={<Button onClick={() => filters.set({ q: "", state: "", visibility: "" })}>Show all</Button>}
        >
          No title has all of these words and properties.
        </Empty>
      ) : videos.length === 0 ? (
        <Nothing trash={trash} />
      ) : (
        <Titles videos={videos} trash={trash} selection={selection} onPurge={setAsked} />
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
      <BulkBar videos={videos} selection={selection} trash={trash} />
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
    <div className="titles-wait" role="status" aria-label="Loading">
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <div key={row}>
          <Skeleton width="128px" ratio="16 / 9" />
          <Skeleton width="60%" height="20px" />
          <Skeleton width="96px" height="24px" />
        </div>
      ))}
    </div>
  );
}
