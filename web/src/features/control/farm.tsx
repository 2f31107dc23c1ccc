// The encoding farm: what workers did and do, pausing, draining, whose turn it is, what went wrong, what titles took.
import "./control.css";
import "./farm.css";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Farm } from "../../api/types";
import { Button, Failure, Notice, Skeleton, useTitle } from "../../ui/basics";
import { Confirm } from "../../ui/overlay";
import { Segments } from "../../ui/segments";
import { toast } from "../../ui/toast";
import { Chart } from "./chart";
import { DeadJobs } from "./dead";
import { Costliest, Failed, Waiting } from "./farm-lists";
import { Part, Tile } from "./parts";
import { ControlTabs } from "./tabs";
import { cpuTime } from "./words";
import { Workers } from "./workers";

const EVERY_MS = 5000;
const ranges = [
  { value: "1", label: "1 h" },
  { value: "6", label: "6 h" },
  { value: "24", label: "24 h" },
] as const;
type Range = (typeof ranges)[number]["value"];

export default function FarmPage() {
  useTitle("Encoding farm");
  const search = useSearch();
  const [, navigate] = useLocation();
  const asked = new URLSearchParams(search).get("hours");
  const range: Range = ranges.find(({ value }) => value === asked)?.value ?? "1";
  const query = useQuery({
    queryKey: keys.farmOf(Number(range)),
    queryFn: () => api.farm(Number(range)),
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Encoding farm</h1>
        <ControlTabs />
        {query.data && <Pause paused={query.data.paused} />}
      </div>
      {query.isPending ? (
        <Waits />
      ) : query.data ? (
        <>
          {query.isError && (
            <Notice tone="bad">What you see is from before: {inWords(query.error)} It is asked again by itself.</Notice>
          )}
          {query.data.paused && (
            <Notice tone="accent" icon="pause">
              The farm is paused: no new work begins. Uploads are taken as ever and wait for their turn.
            </Notice>
          )}
          <Segments
            quiet
            label="How far back"
            value={range}
            options={ranges}
            onValue={(value) =>
              navigate(value === "1" ? "/control/farm" : `/control/farm?hours=${value}`, { replace: true })
            }
          />
          <Whole farm={query.data} />
        </>
      ) : (
        <Failure what="The farm could not be loaded" error={query.error} retry={() => void query.refetch()} />
      )}
    </div>
  );
}

function Pause({ paused }: { paused: boolean }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const set = async (pause: boolean) => {
    setBusy(true);
    try {
      await api.pauseFarm(pause);
      toast(pause ? "The farm is paused." : "The farm works again.");
    } catch (error) {
      toast(`That failed. ${inWords(error)}`);
    }
    await queryClient.invalidateQueries({ queryKey: keys.farm });
    setBusy(false);
  };
  return (
    <>
      <Button
        className="push"
        look={paused ? "primary" : "plain"}
        icon={paused ? "play" : "pause"}
        busy={busy}
        onClick={() => (paused ? void set(false) : setAsking(true))}
      >
        {paused ? "Resume the farm" : "Pause the farm"}
      </Button>
      <Confirm
        open={asking}
        title="Pause the farm?"
        yes="Pause"
        onAnswer={(yes) => {
          setAsking(false);
          if (yes) void set(true);
        }}
      >
        Workers finish what they are at and begin nothing new. Nothing is lost: uploads are taken as ever, and titles
        wait until you resume.
      </Confirm>
    </>
  );
}

function Whole({ farm }: { farm: Farm }) {
  const hours = (Date.parse(farm.at) - Date.parse(farm.since)) / 3_600_000;
  return (
    <>
      <Figures farm={farm} hours={hours} />
      <div className="control">
        <Part title="Who did what" wide>
          {farm.attempts.length === 0 && farm.workers.every((worker) => worker.jobs.length === 0) ? (
            <p className="muted">
              Nothing was encoded in the last {hours === 1 ? "hour" : `${hours} hours`}. Work shows here as bars as soon
              as a title is uploaded.
            </p>
          ) : (
            <Chart farm={farm} />
          )}
          {farm.attempts_left_out && (
            <p className="clock-note">Only the latest 5,000 attempts are drawn. The figures above count all.</p>
          )}
        </Part>
        <Workers farm={farm} />
        <Waiting farm={farm} />
        <Costliest farm={farm} />
        <Failed farm={farm} />
        <DeadJobs />
      </div>
    </>
  );
}

function Figures({ farm, hours }: { farm: Farm; hours: number }) {
  const { done, failed, cpu_seconds, busy_share } = farm.throughput;
  const slots = farm.workers.reduce((all, worker) => all + worker.slots, 0);
  const perHour = done / hours;
  const within = hours === 1 ? "in this hour" : `in ${hours} hours`;
  return (
    <dl className="tiles">
      <Tile
        name="Busy"
        figure={busy_share === null ? "–" : `${Math.round(busy_share * 100)} %`}
        note={slots === 0 ? "no worker is there" : `of ${slots} ${slots === 1 ? "slot" : "slots"}`}
      />
      <Tile
        name="Jobs an hour"
        figure={perHour < 10 ? String(Number(perHour.toFixed(1))) : Math.round(perHour).toLocaleString("en")}
        note={`${done.toLocaleString("en")} done ${within}`}
      />
      <Tile name="CPU time" figure={cpuTime(cpu_seconds)} note="of encoders and decoders" />
      <Tile
        name="Failed attempts"
        figure={failed.toLocaleString("en")}
        tone={failed > 0 && failed * 20 >= done + failed ? "bad" : undefined}
        note={done + failed > 0 ? `${((failed / (done + failed)) * 100).toFixed(1)} % of all ${within}` : "none ran"}
      />
    </dl>
  );
}

function Waits() {
  return (
    <div className="stack" role="status" aria-label="Loading">
      <div className="tiles">
        {[1, 2, 3, 4].map((tile) => (
          <Skeleton key={tile} height="104px" />
        ))}
      </div>
      <Skeleton height="240px" />
      <div className="control">
        <Skeleton height="200px" />
        <Skeleton height="200px" />
      </div>
    </div>
  );
}
