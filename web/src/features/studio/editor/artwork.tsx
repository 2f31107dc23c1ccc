// The picture that stands for the title.
import { useQuery } from "@tanstack/react-query";
import * as api from "../../../api/calls";
import { keys } from "../../../api/queries";
import type { Video } from "../../../api/types";
import { clock } from "../../../lib/format";
import { Failure, Skeleton } from "../../../ui/basics";
import type { Form } from "./draft";

export function Artwork({ video, form }: { video: Video; form: Form }) {
  return <PosterChooser video={video} draft={form.draft} set={form.set} />;
}

function PosterChooser({ video, draft, set }: { video: Video; draft: Form["draft"]; set: Form["set"] }) {
  const posters = useQuery({
    queryKey: [...keys.posters(video.id), video.poster_url, video.complete],
    queryFn: () => api.posters(video.id),
  });
  const chosen = draft.poster_id ?? posters.data?.find((poster) => poster.chosen)?.id;
  return (
    <section className="panel" aria-labelledby="poster">
      <h2 id="poster">Poster</h2>
      {posters.isPending ? (
        <div className="posters" role="status" aria-label="Loading">
          {[1, 2, 3].map((one) => (
            <Skeleton key={one} ratio="16 / 9" />
          ))}
        </div>
      ) : posters.isError ? (
        <Failure what="The pictures could not be loaded" error={posters.error} retry={() => void posters.refetch()} />
      ) : posters.data.length === 0 ? (
        <p className="muted small">Pictures appear here when the video has been looked through.</p>
      ) : (
        <div className="posters" role="radiogroup" aria-labelledby="poster">
          {posters.data.map((poster) => (
            <label key={poster.id} className="poster-choice">
              <input
                type="radio"
                name="poster"
                className="sr"
                checked={poster.id === chosen}
                onChange={() => set({ poster_id: poster.id })}
              />
              <span className="poster">
                <img
                  src={poster.url.replace(/\/1280\.jpg$/, "/640.jpg")}
                  alt={`Frame at ${clock(poster.at_ms)}`}
                  loading="lazy"
                />
                <span className="length">{clock(poster.at_ms)}</span>
              </span>
            </label>
          ))}
        </div>
      )}
    </section>
  );
}
