// Lists of the farm: titles that wait and whose turn it is, titles that took the most, attempts that failed.
import { useId } from "react";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Attempt, Farm, Priority, WaitingTitle } from "../../api/types";
import { When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";
import { Log, Part, Title } from "./parts";
import { cpuTime, hasFailed, kindName, outcomes, workerName } from "./words";

const priorities: Record<Priority, string> = { first: "First", normal: "By turns", later: "Later" };
const MOST_FAILED = 8;

export function Waiting({ farm }: { farm: Farm }) {
  return (
    <Part title="Waiting for a worker">
      {farm.waiting.length === 0 ? (
        <p className="muted">No title waits.</p>
      ) : (
        <table className="sheet folds">
          <thead>
            <tr>
              <th scope="col">Title</th>
              <th scope="col" className="number">
                Jobs
              </th>
              <th scope="col">Waits since</th>
              <th scope="col">Turn</th>
            </tr>
          </thead>
          <tbody>
            {farm.waiting.map((waiting) => (
              <WaitingRow key={waiting.video.id} waiting={waiting} />
            ))}
          </tbody>
        </table>
      )}
    </Part>
  );
}

function WaitingRow({ waiting }: { waiting: WaitingTitle }) {
  const id = useId();
  const { video, jobs, priority, since } = waiting;
  const set = async (to: Priority, from?: Priority) => {
    try {
      const moved = await api.prioritise(video.id, to);
      const words =
        moved.jobs === 0
          ? `Nothing of “${video.title}” waits any more.`
          : `“${video.title}” has its turn ${to === "first" ? "first" : to === "later" ? "when nothing else waits" : "with the others"}.`;
      if (from && moved.jobs > 0) toast(words, { label: "Undo", run: () => void set(from) });
      else toast(words);
    } catch (error) {
      toast(`That failed. ${inWords(error)}`);
    }
    await queryClient.invalidateQueries({ queryKey: keys.farm });
  };
  return (
    <tr>
      <th scope="row" className="name">
        <Title video={video} />
      </th>
      <td className="number" data-label="Jobs">
        {jobs}
      </td>
      <td className="muted when">
        <When at={since} />
      </td>
      <td>
        <label className="sr" htmlFor={id}>
          Turn of {video.title}
        </label>
        <span className="select">
          <select
            id={id}
            className="input turn"
            value={priority}
            onChange={(event) => void set(event.target.value as Priority, priority)}
          >
            {Object.entries(priorities).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
          <Icon name="down" size={16} />
        </span>
      </td>
    </tr>
  );
}

export function Costliest({ farm }: { farm: Farm }) {
  const top = Math.max(1, ...farm.costliest.map((cost) => cost.cpu_seconds));
  return (
    <Part title="What took the most">
      {farm.costliest.length === 0 ? (
        <p className="muted">Nothing was encoded in this time.</p>
      ) : (
        <table className="sheet folds">
          <thead>
            <tr>
              <th scope="col">Title</th>
              <th scope="col">CPU time</th>
              <th scope="col" className="number">
                A minute of film
              </th>
              <th scope="col" className="number">
                Attempts
              </th>
            </tr>
          </thead>
          <tbody>
            {farm.costliest.map((cost, at) => (
              <tr key={cost.video?.id ?? `gone ${at}`}>
                <th scope="row" className="name">
                  {cost.video ? <Title video={cost.video} /> : <span className="muted">A title that is gone</span>}
                </th>
                <td className="costbar">
                  {cpuTime(cost.cpu_seconds)}
                  <i style={{ width: `${(cost.cpu_seconds / top) * 100}%` }} />
                </td>
                <td className="number" data-label="A minute of film">
                  {cost.cpu_seconds_per_minute === null ? "–" : cpuTime(cost.cpu_seconds_per_minute)}
                </td>
                <td className="number" data-label="Attempts">
                  {cost.attempts}
                  {cost.wasted > 0 && <span className="bad small in-vain"> {cost.wasted} in vain</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Part>
  );
}

export function Failed({ farm }: { farm: Farm }) {
  const failed = farm.attempts.filter((attempt) => hasFailed(attempt.outcome));
  if (failed.length === 0) return null;
  return (
    <Part title="Attempts that failed" wide>
      <ul className="failed">
        {failed.slice(0, MOST_FAILED).map((attempt) => (
          <FailedOne key={`${attempt.job_id} ${attempt.started_at}`} attempt={attempt} />
        ))}
      </ul>
      {failed.length > MOST_FAILED && (
        <p className="muted small">and {failed.length - MOST_FAILED} more: the table below the chart has them all</p>
      )}
    </Part>
  );
}

function FailedOne({ attempt }: { attempt: Attempt }) {
  return (
    <li>
      <div className="line">
        <b>{kindName(attempt.kind)}</b>
        <Title video={attempt.video} />
        <span className="small muted push">
          {workerName(attempt.worker)}, <When at={attempt.ended_at} />
        </span>
      </div>
      <p className="small">
        <span className="bad">{outcomes[attempt.outcome]}.</span> {attempt.error ?? "No reason was noted."}{" "}
        {attempt.has_log && <Log attempt={attempt.id} of={kindName(attempt.kind)} />}
      </p>
    </li>
  );
}
