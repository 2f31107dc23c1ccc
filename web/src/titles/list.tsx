// My list: a switch for each title, the same wherever the title is shown, each change with an undo.
import { useLocation } from "wouter";
import { putOnList, takeOffList } from "../api/calls";
import { inWords } from "../api/problem";
import { keys, queryClient, useMe } from "../api/queries";
import type { Video } from "../api/types";
import { createStore, useStore } from "../lib/store";
import { Button } from "../ui/basics";
import { toast } from "../ui/toast";

/** What was changed here since the titles were loaded. */
const changed = createStore<ReadonlyMap<string, boolean>>(new Map());
const note = (id: string, on: boolean) => changed.set((now) => new Map(now).set(id, on));

export function useListed(video: Video): boolean {
  return useStore(changed).get(video.id) ?? video.in_watchlist ?? false;
}

export async function setListed(video: Video, on: boolean, quietly = false): Promise<void> {
  note(video.id, on);
  try {
    await (on ? putOnList(video.id) : takeOffList(video.id));
    for (const key of [keys.home, keys.watchlist]) void queryClient.invalidateQueries({ queryKey: key });
    if (!quietly)
      toast(on ? `“${video.title}” is on your list.` : `“${video.title}” is off your list.`, {
        label: "Undo",
        run: () => void setListed(video, !on, true),
      });
  } catch (error) {
    note(video.id, !on);
    toast(`Your list could not be changed. ${inWords(error)}`);
  }
}

/** What pressing the switch does: without an account it leads to the sign-in. */
export function useListSwitch(video: Video): { on: boolean; press: () => void } {
  const on = useListed(video);
  const me = useMe();
  const [path, navigate] = useLocation();
  const press = () => {
    if (me) void setListed(video, !on);
    else navigate(`/signin?next=${encodeURIComponent(path)}`);
  };
  return { on, press };
}

export function ListButton({ video, large }: { video: Video; large?: boolean }) {
  const { on, press } = useListSwitch(video);
  return (
    <Button
      icon={on ? "check" : "plus"}
      size={large ? "large" : "medium"}
      className="on-picture"
      aria-pressed={on}
      onClick={press}
    >
      My list
    </Button>
  );
}
