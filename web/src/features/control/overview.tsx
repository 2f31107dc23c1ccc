// The operator's overview: queue, workers, disks, failures, uploads, given-up jobs; asked again every five seconds.
import "./control.css";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys } from "../../api/queries";
import type { Overview } from "../../api/types";
import { bytes, percent } from "../../lib/format";
import { Bar, Failure, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { DeadJobs } from "./dead";
import { duration, Part, Tile, Title } from "./parts";
import { ControlTabs } from "./tabs";
import { Trend } from "./trend";
import { kindName, workerName } from "./words";

const EVERY_MS = 5000;
/** A disk with less than this part free is worth a warning. */
const LITTLE = 0.1;

export default function OverviewPage() {
  useTitle("Control");
  const query = useQuery({
    queryKey: keys.overview,
    queryFn: api.overview,
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Control</h1>
        <ControlTabs />
        {query.data && (
          <span className="clock-note push" role="status">
            {query.isError ? "The server does not answer" : `Kinora ${query.data.version}`}
          </span>
        )}
      </div>
      {query.isPending ? (
        <Waiting />
      ) : query.data ? (
        <>
          {query.isError && (
            <Notice tone="bad">What you see is from before: {inWords(query.error)} It is asked again by itself.</Notice>
          )}
          <Whole overview={query.data} />
        </>
      ) : (
        <Failure what="The overview could not be loaded" error={query.error} retry={() => void query.refetch()} />
      )}
    </div>
  );
}

function Whole({ overview }: { overview: Overview }) {
  return (
    <>
      <Tiles overview={overview} />
      <div className="control">
        <Queue overview={overview} />
        <Workers overview={overview} />
        <DeadJobs />
        <Failures overview={overview} />
        <Uploads overview={overview} />
        <Storage overview={overview} />
      </div>
    </>
  );
}

function Tiles({ overview }: { overview: Overview }) {
  const { requests, titles, trends, queue } = overview;
  const sum = (of: (kind: Overview["queue"][number]) => number) => queue.reduce((all, kind) => all + of(kind), 0);
  const waiting = sum((kind) => kind.queued);
  const wait = Math.max(0, ...queue.map((kind) => kind.oldest_wait_seconds));
  const errors = requests.total > 0 ? (requests.server_errors / requests.total) * 100 : 0;
  const atWork = titles.uploading + titles.processing;
  return (
    <dl className="tiles">
      <Tile
        name="Titles"
        figure={titles.ready.toLocaleString("en")}
        note={`${atWork} in work, ${titles.failed} failed, ${titles.trashed} in the trash`}
      />
      <Tile
        name="Waiting jobs"
        figure={String(waiting)}
        tone={wait > 600 ? "warn" : undefined}
        note={waiting > 0 ? `the first for ${duration(wait)}` : "the queue is empty"}
      >
        <Trend label="Waiting jobs" values={trends.map((minute) => minute.queued)} />
      </Tile>
      <Tile name="Running jobs" figure={String(sum((kind) => kind.running))} note={workersInWords(overview)}>
        <Trend label="Running jobs" values={trends.map((minute) => minute.running)} />
      </Tile>
      <Tile
        name="Requests"
        figure={requests.total.toLocaleString("en")}
        note={
          <>
            since <When at={requests.since} />, {requests.slow} slow
          </>
        }
      >
        <Trend label="Requests a minute" values={trends.map((minute) => minute.requests)} />
      </Tile>
      <Tile
        name="Server errors"
        figure={`${errors === 0 ? "0" : errors < 0.01 ? "< 0.01" : errors.toFixed(2)} %`}
        tone={errors >= 1 ? "bad" : undefined}
        note={`${requests.server_errors} of ${requests.total.toLocaleString("en")}`}
      >
        <Trend label="Server errors a minute" values={trends.map((minute) => minute.server_errors)} />
      </Tile>
    </dl>
  );
}

function Queue({ overview }: { overview: Overview }) {
  return (
    <Part title="Queue">
      {overview.queue.length === 0 ? (
        <p className="muted">Nothing waits, nothing runs.</p>
      ) : (
        <table className="sheet">
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col" className="number">
                Waiting
              </th>
              <th scope="col" className="number">
                Running
              </th>
              <th scope="col" className="number">
                Given up
              </th>
              <th scope="col" className="number">
                Longest wait
              </th>
            </tr>
          </thead>
          <tbody>
            {overview.queue.map((kind) => (
              <tr key={kind.kind}>
                <th scope="row">{kindName(kind.kind)}</th>
                <td className="number">{kind.queued}</td>
                <td className="number">{kind.running}</td>
                <td className="number">{kind.dead}</td>
                <td className="number">{kind.queued > 0 ? duration(kind.oldest_wait_seconds) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Part>
  );
}

function workersInWords({ workers }: Overview): string {
  const alive = workers.filter((worker) => !worker.silent).length;
  const silent = workers.length - alive;
  const words = alive === 1 ? "one worker" : `${alive} workers`;
  return silent > 0 ? `${words}, ${silent} silent` : words;
}

function Workers({ overview }: { overview: Overview }) {
  return (
    <Part title="Workers">
      {overview.workers.length === 0 ? (
        <Notice tone="bad">
          No worker runs: uploads are kept, but nothing is encoded. Start a process with the role “worker”.
        </Notice>
      ) : (
        <div>
          {overview.workers.map((worker) => (
            <div key={worker.name} className="worker">
              <div className="line">
                <b className="name" title={worker.name}>
                  {workerName(worker.name)}
                </b>
                <span className={`pill push ${worker.silent ? "bad" : worker.jobs.length > 0 ? "busy" : ""}`}>
                  {worker.silent ? "Silent" : worker.jobs.length > 0 ? "At work" : "Idle"}
                </span>
              </div>
              <div className="small muted">
                {worker.slots > 0 && `${worker.slots} ${worker.slots === 1 ? "slot" : "slots"}, `}
                started <When at={worker.started_at} />, last seen <When at={worker.seen_at} />
              </div>
              {worker.jobs.length > 0 && (
                <ul>
                  {worker.jobs.map((job) => (
                    <li key={job.id} className="small">
                      <span>{kindName(job.kind)}</span>
                      <Title video={job.video} />
                      <span className="muted">
                        since <When at={job.since} />
                        {job.attempt > 1 && `, attempt ${job.attempt}`}
                        {job.lease_seconds <= 0 ? ", lease run out" : `, lease for ${duration(job.lease_seconds)}`}
                      </span>
                    </li>
                  ))}
                </ul>
              )}
            </div>
          ))}
        </div>
      )}
    </Part>
  );
}

function Failures({ overview }: { overview: Overview }) {
  return (
    <Part title="Failed titles">
      {overview.failures.length === 0 ? (
        <p className="muted">None.</p>
      ) : (
        <table className="sheet folds">
          <thead>
            <tr>
              <th scope="col">Title</th>
              <th scope="col">Why</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {overview.failures.map((failure) => (
              <tr key={failure.video.id}>
                <th scope="row" className="name">
                  <Title video={failure.video} />
                </th>
                <td className="whole">{failure.message}</td>
                <td className="muted when">
                  <When at={failure.at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Part>
  );
}

function Uploads({ overview }: { overview: Overview }) {
  const more = overview.open_uploads - overview.uploads.length;
  return (
    <Part title="Uploads in progress">
      {overview.uploads.length === 0 ? (
        <p className="muted">None.</p>
      ) : (
        <div>
          {overview.uploads.map((upload) => (
            <div key={upload.id} className="worker">
              <div className="line">
                <span className="name">{upload.video ? <Title video={upload.video} /> : "A piece of a file"}</span>
                <span className="small muted push">{upload.owner}</span>
              </div>
              <Bar
                value={percent(upload.received, upload.length)}
                label={`Upload of ${upload.video?.title ?? "a piece of a file"}`}
              />
              <span className="small muted">
                {bytes(upload.received)} of {bytes(upload.length)}, <When at={upload.updated_at} />
              </span>
            </div>
          ))}
          {more > 0 && <p className="muted small">and {more} more</p>}
        </div>
      )}
    </Part>
  );
}

const places: Record<string, string> = { objects: "Videos", database: "Database", work: "Scratch of encodes" };

function Storage({ overview }: { overview: Overview }) {
  const { storage } = overview;
  return (
    <Part title="Storage" wide>
      <dl className="disks">
        {storage.disks.map((disk) => {
          const little = disk.free_bytes < disk.total_bytes * LITTLE;
          return (
            <div key={disk.place}>
              <dt>
                <span>{places[disk.place] ?? disk.place}</span>
                <span className={little ? "little" : "muted"}>
                  {bytes(disk.free_bytes)} free of {bytes(disk.total_bytes)}
                  {little && ": nearly full"}
                </span>
              </dt>
              <dd>
                <Bar
                  value={percent(disk.total_bytes - disk.free_bytes, disk.total_bytes)}
                  label={`${places[disk.place] ?? disk.place}: disk in use`}
                />
              </dd>
            </div>
          );
        })}
        <div>
          <dt>
            <span>{storage.database === "sqlite" ? "SQLite database" : "PostgreSQL database"}</span>
            <span className="muted">{bytes(storage.database_bytes)}</span>
          </dt>
        </div>
      </dl>
      <p className="clock-note">
        Disks are those of the machine that answers. What lies in a storage service is not counted here.
      </p>
    </Part>
  );
}

function Waiting() {
  return (
    <div className="stack" role="status" aria-label="Loading">
      <div className="tiles">
        {[1, 2, 3, 4, 5].map((tile) => (
          <Skeleton key={tile} height="136px" />
        ))}
      </div>
      <div className="control">
        <Skeleton height="200px" />
        <Skeleton height="200px" />
      </div>
    </div>
  );
}
