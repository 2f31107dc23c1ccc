// The frame around every page: header, navigation (a bar at the bottom on phones), the page, running uploads.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { signOut } from "../api/calls";
import { inWords } from "../api/problem";
import { queryClient, useInstance, useMe } from "../api/queries";
import { useStore } from "../lib/store";
import { type ThemeChoice, themeChoice } from "../lib/theme";
import { Avatar, Button } from "../ui/basics";
import { Icon, type IconName, Logo } from "../ui/icon";
import { MenuButton } from "../ui/menu";
import { toast } from "../ui/toast";
import { LeaveQuestion } from "./guard";
import { UploadDock } from "./uploads";

export function Shell({ children }: { children: ReactNode }) {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <div
      className="shell"
      data-watch={path.startsWith("/watch/") || undefined}
      data-bleed={path === "/" || path.startsWith("/title/") || undefined}
    >
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <PhoneBar />
      <UploadDock />
      <LeaveQuestion />
    </div>
  );
}

type Place = { href: string; label: string; icon: IconName; here: (path: string) => boolean };

function usePlaces(): Place[] {
  const me = useMe();
  const places: Place[] = [{ href: "/", label: "Home", icon: "home", here: (path) => path === "/" }];
  if (me) places.push({ href: "/list", label: "My list", icon: "plus", here: (path) => path === "/list" });
  if (me) places.push({ href: "/history", label: "History", icon: "history", here: (path) => path === "/history" });
  if (me && me.role !== "viewer")
    places.push({ href: "/studio", label: "Studio", icon: "studio", here: (path) => path.startsWith("/studio") });
  return places;
}

function Header() {
  const me = useMe();
  const { data: instance } = useInstance();
  const [path, navigate] = useLocation();
  const places = usePlaces();
  const [scrolled, setScrolled] = useState(false);
  useEffect(() => {
    const look = () => setScrolled(window.scrollY > 8);
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  return (
    <header className="header" data-scrolled={scrolled || undefined}>
      <Link href="/" className="brand" aria-label={`${instance?.name ?? "Kinora"}, home`}>
        <Logo />
        <span>{instance?.name ?? "Kinora"}</span>
      </Link>
      <nav aria-label="Main" className="places">
        {places.map((place) => (
          <Link key={place.href} href={place.href} aria-current={place.here(path) ? "page" : undefined}>
            {place.label}
          </Link>
        ))}
      </nav>
      <SearchBox />
      <div className="header-end">
        {me && me.role !== "viewer" && !path.startsWith("/studio") && (
          <Link href="/studio/upload" className="btn upload-link" aria-label="Upload">
            <Icon name="upload" />
            <span>Upload</span>
          </Link>
        )}
        {me === null && path !== "/signin" && (
          <Link href="/signin" className="btn primary">
            Sign in
          </Link>
        )}
        <UserMenu navigate={navigate} />
      </div>
    </header>
  );
}

const themes: Record<ThemeChoice, { next: ThemeChoice; label: string; icon: IconName }> = {
  system: { next: "light", label: "Theme: system", icon: "screen" },
  light: { next: "dark", label: "Theme: light", icon: "sun" },
  dark: { next: "system", label: "Theme: dark", icon: "moon" },
};

function UserMenu({ navigate }: { navigate: (to: string) => void }) {
  const me = useMe();
  const theme = themes[useStore(themeChoice)];
  if (me === undefined) return <span className="avatar" aria-hidden="true" />;
  const nextTheme = { label: theme.label, icon: theme.icon, onSelect: () => themeChoice.set(theme.next) };
  if (!me)
    return (
      <Button
        look="quiet"
        icon={theme.icon}
        aria-label={`${theme.label}. Change`}
        title={theme.label}
        onClick={nextTheme.onSelect}
      />
    );
  const leave = async () => {
    try {
      await signOut();
      queryClient.clear();
      navigate("/");
      toast("You are signed out.");
    } catch (error) {
      toast(`Signing out failed. ${inWords(error)}`);
    }
  };
  return (
    <MenuButton
      className="avatar-button"
      label={`Account of ${me.name}`}
      header={
        <div className="menu-title">
          <b>{me.name}</b>
          <br />
          {me.email}
        </div>
      }
      items={[
        "line",
        me.role !== "viewer" && { label: "Studio", icon: "studio", onSelect: () => navigate("/studio") },
        me.role === "admin" && { label: "Control", icon: "gear", onSelect: () => navigate("/control") },
        { label: "My list", icon: "plus", onSelect: () => navigate("/list") },
        { label: "History", icon: "history", onSelect: () => navigate("/history") },
        { label: "Account", icon: "user", onSelect: () => navigate("/account") },
        nextTheme,
        "line",
        { label: "Sign out", icon: "out", onSelect: () => void leave() },
      ]}
    >
      <Avatar name={me.name} />
    </MenuButton>
  );
}

/** Other words with the filters that are set, if the search page is open. */
function searchAddress(words: string) {
  const params = new URLSearchParams(location.pathname === "/search" ? location.search : "");
  if (words) params.set("q", words);
  else params.delete("q");
  return params.size > 0 ? `/search?${params}` : "/search";
}

/** Typing leads to the search page, whose address holds the words. */
function SearchBox() {
  const [path, navigate] = useLocation();
  const query = new URLSearchParams(useSearch()).get("q") ?? "";
  const here = path === "/search";
  const [text, setText] = useState(here ? query : "");
  const input = useRef<HTMLInputElement>(null);
  const typed = useRef(false);
  useEffect(() => {
    if (!here) setText("");
    else if (!typed.current) setText(query);
    if (here && query === "" && document.activeElement === document.body) input.current?.focus();
  }, [here, query]);
  useEffect(() => {
    if (!typed.current) return;
    const timer = setTimeout(() => {
      typed.current = false;
      const words = text.trim();
      navigate(searchAddress(words), { replace: location.pathname === "/search" });
    }, 160);
    return () => clearTimeout(timer);
  }, [text, navigate]);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (
        event.key !== "/" ||
        event.ctrlKey ||
        event.metaKey ||
        (event.target as HTMLElement).closest("input, textarea, select")
      )
        return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <search className="search-box">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          typed.current = false;
          navigate(searchAddress(text.trim()), { replace: here });
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          aria-label="Search titles"
          placeholder="Search"
          value={text}
          autoComplete="off"
          enterKeyHint="search"
          onChange={(event) => {
            typed.current = true;
            setText(event.target.value);
          }}
        />
        {text === "" && <span className="slash">/</span>}
      </form>
    </search>
  );
}

/** Five fit under a thumb; the history is one press away under the account. */
const onPhone = (place: Place) => place.href !== "/history";

function PhoneBar() {
  const [path] = useLocation();
  const me = useMe();
  const places = usePlaces();
  const search: Place = { href: "/search", label: "Search", icon: "search", here: (at) => at === "/search" };
  const account: Place = me
    ? { href: "/account", label: "Account", icon: "user", here: (at) => at === "/account" }
    : { href: "/signin", label: "Sign in", icon: "user", here: () => false };
  return (
    <nav className="phone-bar" aria-label="Main, phone">
      {[...places.slice(0, 1), search, ...places.slice(1).filter(onPhone), account].map((place) => (
        <Link key={place.href} href={place.href} aria-current={place.here(path) ? "page" : undefined}>
          <Icon name={place.icon} size={24} />
          {place.label}
        </Link>
      ))}
    </nav>
  );
}
