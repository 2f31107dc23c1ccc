// Encoding profiles: what titles are made into. A list, one to look at or edit, and what it would take.
import "./control.css";
import "./farm.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "wouter";
import * as api from "../../api/calls";
import { keys } from "../../api/queries";
import type { Profile, Profiles } from "../../api/types";
import { Empty, Failure, Skeleton, useTitle } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Editor } from "./profile-editor";
import { ControlTabs } from "./tabs";
import { addressOf, codecName } from "./words";

/** No profile can have this name. */
const NEW = "+new";

export default function ProfilesPage() {
  useTitle("Encoding profiles");
  const query = useQuery({ queryKey: keys.profiles, queryFn: api.profiles });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Encoding profiles</h1>
        <ControlTabs />
        <Link href={addressOf(NEW)} className="btn primary push">
          <Icon name="plus" />
          New profile
        </Link>
      </div>
      {query.isPending ? (
        <div className="profiles" role="status" aria-label="Loading">
          <Skeleton height="160px" />
          <Skeleton height="480px" />
        </div>
      ) : query.data ? (
        <Whole profiles={query.data} />
      ) : (
        <Failure what="The profiles could not be loaded" error={query.error} retry={() => void query.refetch()} />
      )}
    </div>
  );
}

function Whole({ profiles }: { profiles: Profiles }) {
  const { name: inPath } = useParams<{ name?: string }>();
  const [, navigate] = useLocation();
  const name = inPath === undefined ? null : decoded(inPath);
  const stored = profiles.items.find((item) => item.name === name) ?? null;
  const standard = profiles.items.find((item) => item.name === profiles.standard)?.profile ?? profiles.built_in;
  return (
    <div className="profiles">
      <nav className="profile-list" aria-label="Profiles">
        <Entry
          href={addressOf(null)}
          name="Built-in"
          profile={profiles.built_in}
          standard={profiles.standard === null}
          current={name === null}
        />
        {profiles.items.map((item) => (
          <Entry
            key={item.name}
            href={addressOf(item.name)}
            name={item.name}
            profile={item.profile}
            standard={item.standard}
            current={item.name === name}
          />
        ))}
        <p className="clock-note">
          Titles that are uploaded from now on are made with the standard profile. What is made already stays as it is.
        </p>
      </nav>
      {name === null ? (
        <Editor key="built-in" kind="built-in" profile={profiles.built_in} isStandard={profiles.standard === null} />
      ) : name === NEW ? (
        <Editor key="new" kind="new" profile={standard} isStandard={false} />
      ) : stored ? (
        <Editor
          key={stored.name}
          kind="stored"
          name={stored.name}
          revision={stored.revision}
          profile={stored.profile}
          isStandard={stored.standard}
        />
      ) : (
        <Empty
          icon="film"
          title={`There is no profile “${name}”`}
          actions={
            <button type="button" className="btn" onClick={() => navigate(addressOf(null))}>
              Show the built-in one
            </button>
          }
        >
          It may have been deleted meanwhile.
        </Empty>
      )}
    </div>
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function Entry(props: { href: string; name: string; profile: Profile; standard: boolean; current: boolean }) {
  const { profile } = props;
  const tallest = Math.max(0, ...profile.ladder.map((rung) => rung.height));
  return (
    <Link href={props.href} className="profile-entry" aria-current={props.current ? "page" : undefined}>
      <span className="line">
        <b className="name">{props.name}</b>
        {props.standard && <span className="pill good push">Standard</span>}
      </span>
      <span className="small muted">
        {profile.video.map((video) => codecName(video.codec)).join(", ")}, {profile.ladder.length}{" "}
        {profile.ladder.length === 1 ? "rung" : "rungs"} up to {tallest}p
      </span>
    </Link>
  );
}
