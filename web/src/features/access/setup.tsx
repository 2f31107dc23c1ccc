// First run: creates the administrator.
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import * as api from "../../api/calls";
import { inWords, Problem } from "../../api/problem";
import { keys, queryClient } from "../../api/queries";
import type { Instance } from "../../api/types";
import { Button, Field, Notice, useTitle } from "../../ui/basics";
import { GateFrame } from "./gate";

export default function SetupPage() {
  useTitle("Set-up");
  const [, navigate] = useLocation();
  const [form, setForm] = useState({ name: "", email: "", password: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fields = error instanceof Problem ? error.fields : {};
  const bind = (name: keyof typeof form) => ({
    value: form[name],
    wrong: fields[name],
    required: true,
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api.setup(form);
      await queryClient.fetchQuery({ queryKey: keys.session, queryFn: api.session, staleTime: 0 });
      queryClient.setQueryData<Instance>(keys.instance, (old) => old && { ...old, setup_required: false });
      navigate("/studio/upload", { replace: true });
    } catch (failed) {
      setError(failed);
      // Somebody else was quicker.
      if (failed instanceof Problem && failed.status === 409)
        void queryClient.invalidateQueries({ queryKey: keys.instance });
    } finally {
      setBusy(false);
    }
  };
  return (
    <GateFrame>
      <form onSubmit={(event) => void submit(event)}>
        <h1>Welcome</h1>
        <p className="muted">
          This server is new. Create the administrator: the account that runs it and invites the others.
        </p>
        {error !== null && Object.keys(fields).length === 0 && <Notice tone="bad">{inWords(error)}</Notice>}
        <Field label="Your name" autoComplete="name" maxLength={80} {...bind("name")} />
        <Field label="E-mail" type="email" autoComplete="username" {...bind("email")} />
        <Field
          label="Password"
          type="password"
          autoComplete="new-password"
          minLength={10}
          hint="At least 10 characters. A few words in a row are easy to remember."
          {...bind("password")}
        />
        <Button type="submit" look="primary" size="large" busy={busy}>
          Create the administrator
        </Button>
      </form>
    </GateFrame>
  );
}
