// The pages of the operators, side by side.
import { Link, useLocation } from "wouter";

const pages = [
  { href: "/control", label: "Overview" },
  { href: "/control/quality", label: "Quality" },
  { href: "/control/edges", label: "Edges" },
  { href: "/control/farm", label: "Farm" },
  { href: "/control/profiles", label: "Profiles" },
  { href: "/control/users", label: "Accounts" },
] as const;

const isAt = (path: string, href: string) => path === href || (href !== "/control" && path.startsWith(`${href}/`));

export function ControlTabs() {
  const [path] = useLocation();
  return (
    <nav className="segmented" aria-label="Control">
      {pages.map((page) => (
        <Link key={page.href} href={page.href} aria-current={isAt(path, page.href) ? "page" : undefined}>
          {page.label}
        </Link>
      ))}
    </nav>
  );
}
