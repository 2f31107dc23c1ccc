// What I watched, newest first, each removable.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Video } from "../../api/types";
import { clock, percent } from "../../lib/format";
import { Button, Empty, Failure, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/poster";
import { toast } from "../../ui/toast";

export default function HistoryPage() {
  useTitle("History");
  const history = useInfiniteQuery({
    queryKey: keys.history,
    queryFn: ({ pageParam }) => api.history(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  const videos = history.data?.pages.flatMap((page) => page.items) ?? [];
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: keys.history });
    void queryClient.invalidateQueries({ queryKey: keys.home });
  };
  const remove = async (video: Video) => {
    try {
      await api.forget(video.id);
      refresh();
      const seen = video.progress;
      toast(
        `“${video.title}” is no longer in your history.`,
        seen
          ? {
              label: "Undo",
              run: () =>
                void api
                  .savePosition(video.id, seen.position_ms, seen.duration_ms)
                  .then(refresh, (e) => toast(inWords(e))),
            }
          : undefined,
      );
    } catch (error) {
      toast(`It could not be removed. ${inWords(error)}`);
    }
  };
  return (
    <div className="page">
      <h1>History</h1>
      {history.isPending ? (
        <div className="grid" role="status" aria-label="Loading">
          {[1, 2, 3, 4].map((card) => (
            <CardSkeleton key={card} />
          ))}
        </div>
      ) : history.isError ? (
        <Failure what="Your history could not be loaded" error={history.error} retry={() => void history.refetch()} />
      ) : videos.length === 0 ? (
        <Empty
          icon="history"
          title="You have not watched anything yet"
          actions={
            <Link className="btn primary" href="/">
              Find something
            </Link>
          }
        >
          What you watch appears here, and goes on where you stopped on any device.
        </Empty>
      ) : (
        <>
          <ul className="grid">
            {videos.map((video) => (
              <li key={video.id} className="stack" style={{ gap: 4 }}>
                <Card video={video} note={note(video)} />
                <div>
                  <Button
                    look="quiet"
                    size="small"
                    icon="close"
                    aria-label={`Remove ${video.title} from the history`}
                    onClick={() => void remove(video)}
                  >
                    Remove
                  </Button>
                </div>
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
    </div>
  );
}

function note(video: Video) {
  const seen = video.progress;
  if (!seen) return video.owner.name;
  return percent(seen.position_ms, seen.duration_ms) > 95
    ? "Watched"
    : `${clock(seen.duration_ms - seen.position_ms)} left`;
}
