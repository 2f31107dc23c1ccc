// Jobs that were given up: try again, or put away.
import { useInfiniteQuery } from "@tanstack/react-query";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { DeadJob } from "../../api/types";
import { Button, Failure, Skeleton, When } from "../../ui/basics";
import { toast } from "../../ui/toast";
import { Log, Part, Title } from "./parts";
import { kindName } from "./words";

const EVERY_MS = 15_000;

export function DeadJobs() {
  const list = useInfiniteQuery({
    queryKey: keys.deadJobs,
    queryFn: ({ pageParam }) => api.deadJobs(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: EVERY_MS,
  });
  const jobs = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Part title="Jobs given up" wide>
      {list.isPending ? (
        <Skeleton height="48px" />
      ) : list.isError ? (
        <Failure what="The jobs could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : jobs.length === 0 ? (
        <p className="muted">None. A job lands here when its last attempt has failed.</p>
      ) : (
        <table className="sheet folds">
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">What went wrong</th>
              <th scope="col">When</th>
              <th scope="col">
                <span className="sr">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <DeadRow key={job.id} job={job} />
            ))}
          </tbody>
        </table>
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
    </Part>
  );
}

function DeadRow({ job }: { job: DeadJob }) {
  const about = `${kindName(job.kind)}${job.video ? ` of ${job.video.title}` : ""}`;
  const act = async (call: (id: string) => Promise<void>, done: string) => {
    try {
      await call(job.id);
      toast(done);
    } catch (error) {
      toast(`That failed. ${inWords(error)}`);
    }
    await Promise.all([
      queryClient.invalidateQueries({ queryKey: keys.deadJobs }),
      queryClient.invalidateQueries({ queryKey: keys.overview }),
      queryClient.invalidateQueries({ queryKey: keys.farm }),
    ]);
  };
  return (
    <tr>
      <th scope="row">
        {kindName(job.kind)} <Title video={job.video} />
      </th>
      <td className="whole name">
        {job.error || "No reason was noted."}{" "}
        <span className="muted small">({job.attempts === 1 ? "one attempt" : `${job.attempts} attempts`})</span>{" "}
        {job.log && <Log attempt={job.log} of={about} />}
      </td>
      <td className="muted when">
        <When at={job.at} />
      </td>
      <td className="end">
        <Button
          size="small"
          look="quiet"
          icon="retry"
          aria-label={`Try again: ${about}`}
          title="Try again"
          onClick={() => void act(api.retryJob, `“${about}” begins again.`)}
        />
        <Button
          size="small"
          look="quiet"
          icon="trash"
          aria-label={`Put away: ${about}`}
          title="Put away"
          onClick={() => void act(api.discardJob, `“${about}” is put away.`)}
        />
      </td>
    </tr>
  );
}
