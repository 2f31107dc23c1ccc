// Search as you type; the address is the state.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearch } from "wouter";
import * as api from "../../api/calls";
import { keys } from "../../api/queries";
import { Button, Empty, Failure, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";

export default function SearchPage() {
  const q = (new URLSearchParams(useSearch()).get("q") ?? "").trim();
  useTitle(q ? `“${q}”` : "Search");
  const found = useInfiniteQuery({
    queryKey: keys.search(q),
    queryFn: ({ pageParam, signal }) => api.search(q, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (old) => old,
    enabled: q !== "",
  });
  const videos = q ? (found.data?.pages.flatMap((page) => page.items) ?? []) : [];
  const settled = found.isSuccess && !found.isPlaceholderData;
  return (
    <div className="page">
      <h1>{q ? `Results for “${q}”` : "Search"}</h1>
      <div className="sr" role="status">
        {q && settled ? `${videos.length}${found.hasNextPage ? " or more" : ""} titles found` : ""}
      </div>
      {!q ? (
        <Empty icon="search" title="What would you like to watch?">
          Type a part of a title, a description or a creator's name. Results appear as you type.
        </Empty>
      ) : found.isError ? (
        <Failure what="The search failed" error={found.error} retry={() => void found.refetch()} />
      ) : found.isPending ? (
        <div className="grid">
          {[1, 2, 3, 4, 5, 6, 7, 8].map((card) => (
            <CardSkeleton key={card} />
          ))}
        </div>
      ) : videos.length === 0 && settled ? (
        <Empty icon="search" title={`Nothing found for “${q}”`}>
          Try fewer or shorter words; the beginning of a word is enough.
        </Empty>
      ) : (
        <>
          <ul className="grid" aria-busy={found.isPlaceholderData}>
            {videos.map((video) => (
              <li key={video.id}>
                <Card video={video} />
              </li>
            ))}
          </ul>
          {found.hasNextPage && (
            <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
              Show more
            </Button>
          )}
        </>
      )}
    </div>
  );
}
