// The documentation that the product serves itself: guides with examples that are run by tests, and the API's reference.
import "./docs.css";
import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { NotFound } from "../../shell/notfound";
import { Skeleton, useTitle } from "../../ui/basics";
import { Authentication, Embedding, Start, Uploading, Webhooks } from "./guides";

const Reference = lazy(() => import("./reference"));

const pages: { path: string; title: string; body: ReactNode }[] = [
  { path: "/docs", title: "Getting started", body: <Start /> },
  { path: "/docs/authentication", title: "Authentication and lists", body: <Authentication /> },
  { path: "/docs/uploading", title: "Uploading", body: <Uploading /> },
  { path: "/docs/webhooks", title: "Webhooks", body: <Webhooks /> },
  { path: "/docs/embedding", title: "Embedding and feeds", body: <Embedding /> },
  { path: "/docs/api", title: "API reference", body: <Reference /> },
];

export default function DocsPage() {
  const [path] = useLocation();
  const page = pages.find((one) => one.path === path.replace(/\/$/, ""));
  useTitle(page?.title);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // On a narrow screen the pages are a line that scrolls: the open one is in view.
    const here = page && list.current?.querySelector<HTMLElement>(`[href="${page.path}"]`);
    if (here && list.current)
      list.current.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - list.current.offsetWidth / 2;
  }, [page]);
  if (!page) return <NotFound />;
  return (
    <div className="page docs">
      <nav aria-label="Documentation">
        <ul ref={list}>
          {pages.map((one) => (
            <li key={one.path}>
              <Link href={one.path} aria-current={one === page ? "page" : undefined}>
                {one.title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <article>
        <h1>{page.title}</h1>
        <Suspense fallback={<Skeleton height="400px" />}>{page.body}</Suspense>
      </article>
    </div>
  );
}
