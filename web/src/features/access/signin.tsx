// Sign in, and back to where one came from.
import { type FormEvent, useState } from "react";
import { Link, Redirect, useLocation, useSearch } from "wouter";
import * as api from "../../api/calls";
import { inWords, Problem } from "../../api/problem";
import { keys, queryClient, useMe } from "../../api/queries";
import { Button, Field, Notice, useTitle } from "../../ui/basics";
import { GateFrame } from "./gate";

/** Only addresses of this app: `//elsewhere` and `https:` are not. */
function safeNext(text: string | null): string {
  if (!text?.startsWith("/")) return "/";
  const url = new URL(text, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : "/";
}

export default function SignInPage() {
  useTitle("Sign in");
  const [, navigate] = useLocation();
  const next = safeNext(new URLSearchParams(useSearch()).get("next"));
  const me = useMe();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  if (me && !busy) return <Redirect to={next} replace />;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setWrong(null);
    try {
      const session = await api.signIn({ email, password });
      queryClient.clear();
      queryClient.setQueryData(keys.session, session);
      navigate(next, { replace: true });
    } catch (error) {
      setWrong(
        error instanceof Problem && error.status === 401
          ? "The e-mail address or the password is not right."
          : inWords(error),
      );
      setBusy(false);
    }
  };
  return (
    <GateFrame>
      <form onSubmit={(event) => void submit(event)}>
        <h1>Sign in</h1>
        {wrong && <Notice tone="bad">{wrong}</Notice>}
        <Field
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" look="primary" size="large" busy={busy}>
          Sign in
        </Button>
        <p className="small muted">
          Public titles need no account.{" "}
          <Link className="link" href="/">
            Look around
          </Link>
        </p>
      </form>
    </GateFrame>
  );
}
