// My list: what I mean to watch, latest added first.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import * as api from "../../api/calls";
import { keys } from "../../api/queries";
import type { Video } from "../../api/types";
import { useListed } from "../../titles/list";
import { Button, Empty, Failure, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";

export default function ListPage() {
  useTitle("My list");
  const list = useInfiniteQuery({
    queryKey: keys.watchlist,
    queryFn: ({ pageParam }) => api.watchlist(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  const videos = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="page wide">
      <h1>My list</h1>
      {list.isPending ? (
        <div className="grid" role="status" aria-label="Loading">
          {[1, 2, 3, 4, 5, 6].map((card) => (
            <CardSkeleton key={card} />
          ))}
        </div>
      ) : list.isError ? (
        <Failure what="Your list could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : videos.length === 0 ? (
        <Empty
          icon="plus"
          title="Your list is empty"
          actions={
            <Link className="btn primary" href="/">
              Find something
            </Link>
          }
        >
          Put titles here with “My list” on their page, or from the menu of any card. They wait on all your devices.
        </Empty>
      ) : (
        <>
          <ul className="grid">
            {videos.map((video) => (
              <Entry key={video.id} video={video} />
            ))}
          </ul>
          {list.hasNextPage && (
            <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more
            </Button>
          )}
        </>
      )}
    </div>
  );
}

function Entry({ video }: { video: Video }) {
  const on = useListed(video);
  // Taken off a moment ago: it leaves at once, and comes back with “Undo”.
  if (!on) return null;
  return (
    <li>
      <Card video={video} />
    </li>
  );
}
