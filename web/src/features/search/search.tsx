// Search as you type; the address is the state. Without words: what was searched before, and what is new.
import "./search.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, useLocation, useSearch } from "wouter";
import * as api from "../../api/calls";
import { keys } from "../../api/queries";
import { useStore } from "../../lib/store";
import { genreName, languageName } from "../../titles/extras";
import { Button, Empty, Failure, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";
import { Icon } from "../../ui/icon";
import { Select } from "../../ui/inputs";
import { toast } from "../../ui/toast";
import { forgetSearch, rememberSearch, restoreSearches, searches } from "./recent";

/** Words that stay this long were meant. */
const settledMs = 1500;

export default function SearchPage() {
  const params = new URLSearchParams(useSearch());
  const q = (params.get("q") ?? "").trim();
  const filters = filtersOf(params);
  const filtered = api.filterNames.some((name) => name !== "sort" && filters[name] !== undefined);
  const asked = q !== "" || filtered;
  useTitle(q ? `“${q}”` : "Search");
  const found = useInfiniteQuery({
    queryKey: keys.search(q, filters),
    queryFn: ({ pageParam, signal }) => api.search(q, filters, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (old) => old,
    enabled: asked,
  });
  const videos = asked ? (found.data?.pages.flatMap((page) => page.items) ?? []) : [];
  const settled = found.isSuccess && !found.isPlaceholderData;
  const some = settled && videos.length > 0;
  useEffect(() => {
    if (!q || !some) return;
    const timer = setTimeout(() => rememberSearch(q), settledMs);
    return () => clearTimeout(timer);
  }, [q, some]);
  return (
    <div className="page wide">
      <h1>{q ? `Results for “${q}”` : filters.genre ? genreName(filters.genre) : "Search"}</h1>
      <FilterBar q={q} filters={filters} />
      <div className="sr" role="status">
        {asked && settled ? `${videos.length}${found.hasNextPage ? " or more" : ""} titles found` : ""}
      </div>
      {!asked ? (
        <Before />
      ) : found.isError ? (
        <Failure what="The search failed" error={found.error} retry={() => void found.refetch()} />
      ) : found.isPending ? (
        <Waiting />
      ) : videos.length === 0 && settled ? (
        <Nothing q={q} filtered={filtered} />
      ) : (
        <>
          <Names label="People" names={(found.data?.pages[0]?.people ?? []).map(({ name }) => name)} />
          <Names label="Channels" names={(found.data?.pages[0]?.channels ?? []).map(({ name }) => name)} />
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

/** People or channels by that name: each leads to its titles. */
function Names({ label, names }: { label: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <section className="line" aria-label={label}>
      <h2>{label}</h2>
      <ul className="recent">
        {names.map((name) => (
          <li key={name}>
            <Link href={address(name)} className="named">
              <Icon name="user" size={16} />
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function filtersOf(params: URLSearchParams): api.Filters {
  return Object.fromEntries(api.filterNames.flatMap((name) => (params.get(name) ? [[name, params.get(name)]] : [])));
}

function FilterBar({ q, filters }: { q: string; filters: api.Filters }) {
  const [, navigate] = useLocation();
  const vocabulary = useQuery({ queryKey: keys.vocabulary, queryFn: api.vocabulary, staleTime: 300_000 });
  const changeAll = (values: api.Filters) => {
    const params = new URLSearchParams({ ...(q ? { q } : {}), ...filters, ...values });
    for (const name of api.filterNames) if (!params.get(name)) params.delete(name);
    navigate(`/search?${params}`, { replace: true });
  };
  const change = (name: keyof api.Filters, value: string) => changeAll({ [name]: value });
  const any = { value: "", label: "Any" };
  return (
    <div className="search-filters">
      <Select
        label="Genre"
        value={filters.genre ?? ""}
        onValue={(value) => change("genre", value)}
        options={[any, ...(vocabulary.data?.genres ?? []).map(({ id, name }) => ({ value: id, label: name }))]}
      />
      <Select
        label="Language"
        value={filters.language ?? ""}
        onValue={(value) => change("language", value)}
        options={[
          any,
          ...(vocabulary.data?.languages ?? []).map(({ tag }) => ({ value: tag, label: languageName(tag) })),
        ]}
      />
      <Select
        label="Released"
        value={`${filters.year_from ?? ""}-${filters.year_to ?? ""}`}
        onValue={(value) => {
          const [from, to] = value.split("-");
          changeAll({ year_from: from, year_to: to });
        }}
        options={years(filters)}
      />
      <Select
        label="Rating"
        value={filters.rating ?? ""}
        onValue={(value) => change("rating", value)}
        options={[any, ...(vocabulary.data?.ratings ?? []).map(({ id }) => ({ value: id, label: id }))]}
      />
      <Select
        label="Length"
        value={filters.length ?? ""}
        onValue={(value) => change("length", value)}
        options={[
          any,
          { value: "short", label: "Under 20 min" },
          { value: "medium", label: "20 to 60 min" },
          { value: "long", label: "Over an hour" },
        ]}
      />
      <Select
        label="Order"
        value={filters.sort ?? ""}
        onValue={(value) => change("sort", value)}
        options={[
          { value: "", label: "Best first" },
          { value: "newest", label: "Newest first" },
          { value: "longest", label: "Longest first" },
        ]}
      />
    </div>
  );
}

/** Decades; and what the address says, where that is something else. */
function years({ year_from, year_to }: api.Filters) {
  const last = Math.floor(new Date().getFullYear() / 10) * 10;
  const decades = [0, 1, 2, 3, 4].map((ago) => last - ago * 10);
  const usual = [
    { value: "-", label: "Any" },
    ...decades.map((year) => ({ value: `${year}-${year + 9}`, label: `${year}s` })),
    { value: `-${last - 41}`, label: `Before ${last - 40}` },
  ];
  const value = `${year_from ?? ""}-${year_to ?? ""}`;
  if (usual.some((one) => one.value === value)) return usual;
  return [...usual, { value, label: `${year_from ?? "…"} to ${year_to ?? "…"}` }];
}

function Waiting() {
  return (
    <div className="grid" role="status" aria-label="Searching">
      {[1, 2, 3, 4, 5, 6, 7, 8].map((card) => (
        <CardSkeleton key={card} />
      ))}
    </div>
  );
}

const address = (words: string) => `/search?q=${encodeURIComponent(words)}`;

function Before() {
  const recent = useStore(searches);
  const clear = () => {
    restoreSearches([]);
    toast("Your searches are forgotten.", { label: "Undo", run: () => restoreSearches(recent) });
  };
  return (
    <>
      {recent.length > 0 ? (
        <section className="stack" aria-label="Recent searches">
          <div className="line">
            <h2>Recent searches</h2>
            <Button look="quiet" size="small" onClick={clear}>
              Forget all
            </Button>
          </div>
          <ul className="recent">
            {recent.map((words) => (
              <li key={words}>
                <Link href={address(words)}>
                  <Icon name="history" size={16} />
                  {words}
                </Link>
                <button type="button" aria-label={`Forget ${words}`} onClick={() => forgetSearch(words)}>
                  <Icon name="close" size={14} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      ) : (
        <p className="muted">Type a part of a title, a name or a description. Results appear as you type.</p>
      )}
      <Newest title="New" />
    </>
  );
}

function Nothing({ q, filtered }: { q: string; filtered: boolean }) {
  if (filtered) return <NothingFits q={q} />;

  // What a shorter search would be: without the last word, or the beginning of the only one.
  const words = q.split(/\s+/);
  const shorter = words.length > 1 ? words.slice(0, -1).join(" ") : q.slice(0, Math.max(3, Math.ceil(q.length / 2)));
  return (
    <>
      <Empty
        icon="search"
        title={`Nothing found for “${q}”`}
        actions={
          shorter !== q && (
            <Link className="btn" href={address(shorter)}>
              <Icon name="search" />
              Search for “{shorter}”
            </Link>
          )
        }
      >
        Try fewer or shorter words; the beginning of a word is enough. Or take one of these.
      </Empty>
      <Newest title="New titles" />
    </>
  );
}

/** The filters may be what hides it. */
function NothingFits({ q }: { q: string }) {
  return (
    <>
      <Empty
        icon="search"
        title={q ? `Nothing found for “${q}” with these filters` : "No title fits these filters"}
        actions={
          <Link className="btn" href={q ? address(q) : "/search"}>
            <Icon name="close" />
            Clear the filters
          </Link>
        }
      >
        There may be something without them. Or take one of these.
      </Empty>
      <Newest title="New titles" />
    </>
  );
}

function Newest({ title }: { title: string }) {
  const newest = useQuery({ queryKey: keys.newest, queryFn: () => api.newest(12) });
  if (newest.isPending) return <Waiting />;
  if (!newest.data?.items.length) return null;
  return (
    <section className="stack" aria-label={title}>
      <h2>{title}</h2>
      <ul className="grid">
        {newest.data.items.map((video) => (
          <li key={video.id}>
            <Card video={video} />
          </li>
        ))}
      </ul>
    </section>
  );
}
