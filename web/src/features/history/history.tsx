// What I watched, by day, newest first: searched, each removable, all of it clearable.
import "./history.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Video } from "../../api/types";
import { lengthName } from "../../titles/extras";
import { left } from "../../titles/play";
import { Button, Empty, Failure, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";
import { Icon } from "../../ui/icon";
import { Confirm } from "../../ui/overlay";
import { toast } from "../../ui/toast";

const refresh = () => {
  for (const key of [keys.history, keys.home]) void queryClient.invalidateQueries({ queryKey: key });
};

async function remove(video: Video) {
  try {
    await api.forget(video.id);
    refresh();
    const seen = video.progress;
    const undo = () =>
      seen &&
      void api.savePosition(video.id, seen.position_ms, seen.duration_ms).then(refresh, (e) => toast(inWords(e)));
    toast(`“${video.title}” is no longer in your history.`, seen ? { label: "Undo", run: undo } : undefined);
  } catch (error) {
    toast(`It could not be removed. ${inWords(error)}`);
  }
}

export default function HistoryPage() {
  useTitle("History");
  const q = (new URLSearchParams(useSearch()).get("q") ?? "").trim();
  const [asking, setAsking] = useState(false);
  const history = useInfiniteQuery({
    queryKey: keys.historyOf(q),
    queryFn: ({ pageParam }) => api.history(q, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (old) => old,
  });
  const videos = history.data?.pages.flatMap((page) => page.items) ?? [];
  const clear = async () => {
    try {
      await api.clearHistory();
      toast("Your history is empty.");
    } catch (error) {
      toast(`Your history could not be cleared. ${inWords(error)}`);
    }
    refresh();
  };
  return (
    <div className="page wide">
      <div className="page-head">
        <h1>History</h1>
        <SearchHistory q={q} />
        {(videos.length > 0 || q) && (
          <Button icon="trash" className="push" onClick={() => setAsking(true)}>
            Clear all
          </Button>
        )}
      </div>
      {history.isPending ? (
        <div className="grid" role="status" aria-label="Loading">
          {[1, 2, 3, 4].map((card) => (
            <CardSkeleton key={card} />
          ))}
        </div>
      ) : history.isError ? (
        <Failure what="Your history could not be loaded" error={history.error} retry={() => void history.refetch()} />
      ) : videos.length === 0 ? (
        <Nothing q={q} />
      ) : (
        <>
          <ul className="grid" aria-busy={history.isPlaceholderData}>
            {videos.map((video) => (
              <li key={video.id}>
                <Card
                  video={video}
                  note={note(video)}
                  menu={[
                    { label: "Remove from history", icon: "close", danger: true, onSelect: () => void remove(video) },
                  ]}
                />
              </li>
            ))}
          </ul>
          {history.hasNextPage && (
            <Button busy={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
              Show more
            </Button>
          )}
        </>
      )}
      <Confirm
        open={asking}
        title="Clear your whole history?"
        yes="Clear all"
        danger
        onAnswer={(yes) => {
          setAsking(false);
          if (yes) void clear();
        }}
      >
        All titles start from their beginning again, and “Continue watching” becomes empty. This cannot be undone.
      </Confirm>
    </div>
  );
}

/** Typing changes the address, and the address what is shown. */
function SearchHistory({ q }: { q: string }) {
  const [text, setText] = useState(q);
  const [, navigate] = useLocation();
  useEffect(() => {
    const words = text.trim();
    if (words === q) return;
    const timer = setTimeout(
      () => navigate(words ? `/history?q=${encodeURIComponent(words)}` : "/history", { replace: true }),
      200,
    );
    return () => clearTimeout(timer);
  }, [text, q, navigate]);
  return (
    <search className="history-search">
      <Icon name="search" size={18} />
      <input
        type="search"
        className="input"
        aria-label="Search your history"
        placeholder="Search your history"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </search>
  );
}

function Nothing({ q }: { q: string }) {
  return (
    <Empty
      icon="history"
      title={q ? `You have not watched “${q}”` : "You have not watched anything yet"}
      actions={
        q ? (
          <Link className="btn primary" href={`/search?q=${encodeURIComponent(q)}`}>
            Search all titles
          </Link>
        ) : (
          <Link className="btn primary" href="/">
            Find something
          </Link>
        )
      }
    >
      {q
        ? "No title of your history has all of these words."
        : "What you watch appears here, and goes on where you stopped on any device."}
    </Empty>
  );
}

function note(video: Video) {
  const ms = left(video);
  return ms > 0 ? `${lengthName(ms)} left` : "Watched";
}
