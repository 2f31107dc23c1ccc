// Workers of the farm, one card each: what the machine is, what it can encode, what it is at; draining it.
import { useState } from "react";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Farm, Worker } from "../../api/types";
import { bytes } from "../../lib/format";
import { Bar, Button, Notice, When } from "../../ui/basics";
import { toast } from "../../ui/toast";
import { Part, Title } from "./parts";
import { codecName, cpuTime, encoderName, kindName, workerName } from "./words";

export function Workers({ farm }: { farm: Farm }) {
  return (
    <Part title="Workers" wide>
      {farm.workers.length === 0 ? (
        <Notice tone="bad">
          No worker runs: uploads are kept, but nothing is encoded. Start a process with the role “worker”.
        </Notice>
      ) : (
        <ul className="farmhands">
          {farm.workers.map((worker) => (
            <Card key={worker.name} worker={worker} farm={farm} />
          ))}
        </ul>
      )}
    </Part>
  );
}

function standing(worker: Worker): { word: string; tone: string } {
  if (worker.silent) return { word: "Silent", tone: "bad" };
  if (worker.drained) return { word: worker.jobs.length > 0 ? "Draining" : "Drained", tone: "" };
  return worker.jobs.length > 0 ? { word: "At work", tone: "busy" } : { word: "Idle", tone: "" };
}

function Card({ worker, farm }: { worker: Worker; farm: Farm }) {
  const { machine } = worker;
  const did = farm.throughput.workers.find((row) => row.worker === worker.name);
  const { word, tone } = standing(worker);
  const name = workerName(worker.name);
  const facts = [
    machine.cores > 0 && `${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`,
    machine.memory_bytes > 0 && bytes(machine.memory_bytes),
    worker.slots > 0 && `${worker.slots} ${worker.slots === 1 ? "slot" : "slots"}`,
    machine.version && `Kinora ${machine.version}`,
  ].filter(Boolean);
  return (
    <li className="farmhand">
      <div className="line">
        <h3 className="name" title={worker.name}>
          {name}
        </h3>
        <span className={`pill push ${tone}`}>{word}</span>
      </div>
      <p className="small muted">
        {facts.join(", ")}
        {facts.length > 0 && <br />}
        last seen <When at={worker.seen_at} />
      </p>
      {machine.codecs.length > 0 && (
        <ul className="codecs" aria-label={`${name} encodes`}>
          {machine.codecs.map((codec) => (
            <li key={codec}>{codecName(codec)}</li>
          ))}
          {machine.encoders.map((encoder) => (
            <li key={encoder}>{encoderName(encoder)}</li>
          ))}
        </ul>
      )}
      {did && did.busy_share !== null && (
        <div className="stack share">
          <Bar value={did.busy_share * 100} label={`${name}: time of its slots in use`} />
          <span className="small muted">
            {Math.round(did.busy_share * 100)} % busy, {did.done.toLocaleString("en")} done
            {did.failed > 0 && `, ${did.failed} failed`}, CPU {cpuTime(did.cpu_seconds)}
          </span>
        </div>
      )}
      {worker.jobs.length > 0 && (
        <ul className="at-work" aria-label={`${name} works on`}>
          {worker.jobs.map((job) => (
            <li key={job.id} className="small">
              <span>{kindName(job.kind)}</span> <Title video={job.video} />{" "}
              <span className="muted">
                since <When at={job.since} />
                {job.attempt > 1 && `, attempt ${job.attempt}`}
              </span>
            </li>
          ))}
        </ul>
      )}
      {worker.slots > 0 && <Drain worker={worker} name={name} />}
    </li>
  );
}

function Drain({ worker, name }: { worker: Worker; name: string }) {
  const [busy, setBusy] = useState(false);
  const set = async (drained: boolean, undo: boolean) => {
    setBusy(true);
    try {
      await api.drainWorker(worker.name, drained);
      const words = drained ? `${name} ends what it is at and takes no more.` : `${name} takes work again.`;
      if (undo) toast(words, { label: "Undo", run: () => void set(!drained, false) });
      else toast(words);
    } catch (error) {
      toast(`That failed. ${inWords(error)}`);
    }
    await queryClient.invalidateQueries({ queryKey: keys.farm });
    setBusy(false);
  };
  return (
    <div className="line end">
      <Button
        size="small"
        icon={worker.drained ? "play" : "pause"}
        busy={busy}
        aria-label={`${worker.drained ? "Resume" : "Drain"} ${name}`}
        onClick={() => void set(!worker.drained, true)}
      >
        {worker.drained ? "Resume" : "Drain"}
      </Button>
      <span className="small muted">
        {worker.drained
          ? worker.jobs.length > 0
            ? "Ends what it is at, takes no more."
            : "Takes no work. Its machine can be stopped."
          : "Before its machine is stopped."}
      </span>
    </div>
  );
}
