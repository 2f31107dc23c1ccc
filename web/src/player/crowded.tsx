// Why a playback may not begin although the title may be watched: the account is watched elsewhere. Says where, and ends it
// there if the viewer wants.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import * as api from "../api/calls";
import { inWords } from "../api/problem";
import { keys, queryClient } from "../api/queries";
import { deviceName } from "../lib/device";
import { Button, Failure, Skeleton, When } from "../ui/basics";
import { Icon } from "../ui/icon";
import { toast } from "../ui/toast";

const headings: Record<string, string> = {
  too_many_streams: "Somebody is watching already",
  too_many_devices: "This is one device too many",
  stopped_elsewhere: "Stopped from another device",
};

/** Is this about the account's other streams and devices? */
export const isCrowded = (code: string | undefined): code is string => code !== undefined && code in headings;

type Row = { id: string; name: string; what: React.ReactNode; end: () => Promise<unknown>; label: string };

export function Crowded({ code, text, again }: { code: string; text: string; again: () => void }) {
  return (
    <div className="player-failed crowded" role="alert">
      <Icon name="screen" size={40} />
      <h2>{headings[code]}</h2>
      <p>{text}</p>
      {code === "too_many_streams" && <Streams again={again} />}
      {code === "too_many_devices" && <Devices again={again} />}
      <div className="line">
        <Button look={code === "stopped_elsewhere" ? "primary" : "plain"} icon="play" onClick={again}>
          Watch here
        </Button>
        <Link className="btn" href="/account">
          All devices
        </Link>
      </div>
    </div>
  );
}

/** What the account watches now; `again` once one of them was stopped. */
export function Streams({ again }: { again?: () => void }) {
  const list = useQuery({ queryKey: keys.streams, queryFn: api.streams, refetchInterval: 10_000 });
  const rows = list.data?.map((one) => ({
    id: one.session,
    name: one.here ? "This device" : deviceName(one.device),
    what: (
      <>
        {one.title} · since <When at={one.since} />
      </>
    ),
    end: () => api.stopStream(one.session),
    label: "Stop there",
  }));
  return <Rows rows={rows} error={list.error} retry={() => void list.refetch()} again={again} />;
}

function Devices({ again }: { again: () => void }) {
  const list = useQuery({ queryKey: keys.sessions, queryFn: api.sessions });
  const rows = list.data
    ?.filter((one) => one.watched_at && !one.current)
    .map((one) => ({
      id: one.id,
      name: deviceName(one.name),
      what: (
        <>
          Last watched <When at={one.watched_at ?? one.last_used_at} />
        </>
      ),
      end: () => api.revokeSession(one.id),
      label: "Sign out there",
    }));
  return <Rows rows={rows} error={list.error} retry={() => void list.refetch()} again={again} />;
}

type RowsProps = {
  rows: readonly Row[] | undefined;
  error: unknown;
  retry: () => void;
  again: (() => void) | undefined;
};

function Rows({ rows, error, retry, again }: RowsProps) {
  const [busy, setBusy] = useState<string | null>(null);
  if (error && !rows) return <Failure what="What plays elsewhere could not be loaded" error={error} retry={retry} />;
  if (!rows) return <Skeleton height="64px" />;
  const end = async (row: Row) => {
    setBusy(row.id);
    try {
      await row.end();
      again?.();
    } catch (failed) {
      toast(`That could not be ended. ${inWords(failed)}`);
    }
    setBusy(null);
    for (const queryKey of [keys.streams, keys.sessions]) void queryClient.invalidateQueries({ queryKey });
  };
  return (
    <ul className="entries">
      {rows.map((row) => (
        <li key={row.id}>
          <Icon name="screen" size={24} />
          <div>
            <b>{row.name}</b>
            <div className="small muted">{row.what}</div>
          </div>
          <Button
            size="small"
            className="push"
            busy={busy === row.id}
            aria-label={`${row.label}: ${row.name}`}
            onClick={() => void end(row)}
          >
            {row.label}
          </Button>
        </li>
      ))}
    </ul>
  );
}
