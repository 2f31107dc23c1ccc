// No such page.
import { Link } from "wouter";
import { Empty, useTitle } from "../ui/basics";

export function NotFound({ what = "This page does not exist", why }: { what?: string; why?: string }) {
  useTitle("Not found");
  return (
    <div className="page">
      <Empty
        whole
        icon="film"
        title={what}
        actions={
          <>
            <Link className="btn primary" href="/">
              Go home
            </Link>
            <Link className="btn" href="/search">
              Search
            </Link>
          </>
        }
      >
        {why ?? "The address may be mistyped, or what was here has moved."}
      </Empty>
    </div>
  );
}
