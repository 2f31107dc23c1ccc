// The app's table of contents: every page and who may open it.
import { QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, lazy, type ReactNode, Suspense } from "react";
import { Redirect, Route, Router, Switch, useLocation, useSearch } from "wouter";
import { queryClient, useInstance, useMe, useSession } from "./api/queries";
import type { Role } from "./api/types";
import { HomePage } from "./features/home/home";
import { page } from "./lib/page";
import { loadWatch } from "./player/warm";
import { useGuardedLocation } from "./shell/guard";
import { NotFound } from "./shell/notfound";
import { Shell } from "./shell/shell";
import { Failure } from "./ui/basics";
import { Toasts } from "./ui/toast";

export const Watch = page(loadWatch);
const Search = lazy(() => import("./features/search/search"));
const Access = {
  setup: lazy(() => import("./features/access/setup")),
  signIn: lazy(() => import("./features/access/signin")),
};
const Library = lazy(() => import("./features/studio/library/library"));
const Upload = lazy(() => import("./features/studio/upload"));
const Live = {
  list: lazy(() => import("./features/live/list")),
  create: lazy(() => import("./features/live/new")),
  event: lazy(() => import("./features/live/event")),
};
const Editor = lazy(() => import("./features/studio/editor/editor"));
const Account = lazy(() => import("./features/account/account"));
export const Title = page(() => import("./features/title/title"));
const List = lazy(() => import("./features/list/list"));
const History = lazy(() => import("./features/history/history"));
const Control = {
  overview: lazy(() => import("./features/control/overview")),
  quality: lazy(() => import("./features/control/quality")),
  edges: lazy(() => import("./features/control/edges")),
  farm: lazy(() => import("./features/control/farm")),
  profiles: lazy(() => import("./features/control/profiles")),
  users: lazy(() => import("./features/control/users")),
};
const Webhooks = lazy(() => import("./features/webhooks/webhooks"));
const Webhook = lazy(() => import("./features/webhooks/webhook"));
const Docs = lazy(() => import("./features/docs/docs"));
const Gallery = import.meta.env.DEV ? lazy(() => import("./features/gallery/gallery")) : null;

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <Router hook={useGuardedLocation}>
        <Gate>
          <Switch>
            <Route path="/setup" component={Access.setup} />
            <Route path="/signin" component={Access.signIn} />
            <Route>
              <Shell>
                <Suspense fallback={<div className="page-wait" role="status" aria-label="Loading" />}>
                  <Pages />
                </Suspense>
              </Shell>
            </Route>
          </Switch>
        </Gate>
        <Toasts />
      </Router>
    </QueryClientProvider>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/" component={HomePage} />
      <Route path="/watch/:id">{({ id }) => <Watch key={id} id={id} />}</Route>
      <Route path="/title/:id">{({ id }) => <Title key={id} id={id} />}</Route>
      <Route path="/search" component={Search} />
      <Route path="/list">{signedIn(List)}</Route>
      <Route path="/history">{signedIn(History)}</Route>
      <Route path="/account">{signedIn(Account)}</Route>
      <Route path="/studio">{signedIn(Library, "creator")}</Route>
      <Route path="/studio/upload">{signedIn(Upload, "creator")}</Route>
      <Route path="/studio/videos/:id">
        {({ id }) => (
          <Only atLeast="creator">
            <Editor key={id} id={id} />
          </Only>
        )}
      </Route>
      <Route path="/studio/live">{signedIn(Live.list, "creator")}</Route>
      <Route path="/studio/live/new">{signedIn(Live.create, "creator")}</Route>
      <Route path="/studio/live/:id">
        {({ id }) => (
          <Only atLeast="creator">
            <Live.event key={id} id={id} />
          </Only>
        )}
      </Route>
      <Route path="/control">{signedIn(Control.overview, "admin")}</Route>
      <Route path="/control/quality">{signedIn(Control.quality, "admin")}</Route>
      <Route path="/control/edges">{signedIn(Control.edges, "admin")}</Route>
      <Route path="/control/farm">{signedIn(Control.farm, "admin")}</Route>
      <Route path="/control/profiles/:name?">{signedIn(Control.profiles, "admin")}</Route>
      <Route path="/control/users">{signedIn(Control.users, "admin")}</Route>
      <Route path="/studio/webhooks">{signedIn(Webhooks, "creator")}</Route>
      <Route path="/studio/webhooks/:id">
        {({ id }) => (
          <Only atLeast="creator">
            <Webhook key={id} id={id} />
          </Only>
        )}
      </Route>
      <Route path="/docs/*?" component={Docs} />
      {Gallery && <Route path="/dev/gallery" component={Gallery} />}
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

/** Sends everyone to the set-up while the instance has no administrator. */
function Gate({ children }: { children: ReactNode }) {
  const instance = useInstance();
  const [path] = useLocation();
  if (instance.isError && !instance.data)
    return (
      <main className="page">
        <Failure
          whole
          what={navigator.onLine ? "Kinora cannot be reached" : "You are offline"}
          error={instance.error}
          retry={() => void instance.refetch()}
        />
      </main>
    );
  if (instance.data?.setup_required && path !== "/setup") return <Redirect to="/setup" replace />;
  if (instance.data && !instance.data.setup_required && path === "/setup") return <Redirect to="/" replace />;
  return children;
}

function signedIn(Page: ComponentType, role: Role = "viewer") {
  return (
    <Only atLeast={role}>
      <Page />
    </Only>
  );
}

/** Only for people of that role, or of one that may more. */
function Only({ atLeast, children }: { atLeast: Role; children: ReactNode }) {
  const me = useMe();
  const session = useSession();
  const [path] = useLocation();
  const search = useSearch();
  if (session.isError && me === undefined)
    return (
      <div className="page">
        <Failure
          whole
          what="We could not check who you are"
          error={session.error}
          retry={() => void session.refetch()}
        />
      </div>
    );
  if (me === undefined) return <div className="page-wait" role="status" aria-label="Loading" />;
  if (me === null)
    return <Redirect to={`/signin?next=${encodeURIComponent(path + (search ? `?${search}` : ""))}`} replace />;
  if (atLeast === "admin" && me.role !== "admin")
    return (
      <div className="page">
        <Failure
          whole
          what="This page is for administrators"
          error={new Error("Here the people who run this site look after it.")}
        />
      </div>
    );
  if (atLeast === "creator" && me.role === "viewer")
    return (
      <div className="page">
        <Failure
          whole
          what="The studio is for creators"
          error={new Error("Ask the administrator of this site to make your account a creator.")}
        />
      </div>
    );
  return children;
}
