import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { verify } from "../api/client";
import { keepToken, readIssuer, readNotice, signInUrl } from "../session";
import { Button, Code, Notice, Problem } from "../ui/basics";
import { TextField } from "../ui/forms";
import { Mark } from "./Brand";

export function SignIn() {
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: React.FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await verify(token.trim());
      client.clear();
      keepToken(token.trim());
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  }

  return (
    <main className="signin">
      <div className="card signin-card stack">
        <div className="brand">
          <Mark size={28} /> Tollgate
        </div>
        <h1>Sign in</h1>
        {readNotice() && !error ? <Notice tone="warn">{readNotice()}</Notice> : null}
        <Problem error={error} />
        {readIssuer() ? (
          <a className="btn btn-primary" href={signInUrl()}>
            Sign in with {readIssuer()?.name}
          </a>
        ) : null}
        <form className="stack" onSubmit={submit}>
          <TextField
            label="Token"
            type="password"
            name="token"
            placeholder="tg_…"
            required
            autoFocus={!readIssuer()}
            value={token}
            onChange={(event) => setToken(event.target.value)}
            hint="It stays in this tab and is forgotten when the tab is closed."
          />
          <Button {...(readIssuer() ? {} : { look: "primary" as const })} type="submit" busy={busy}>
            {readIssuer() ? "Sign in with a token" : "Sign in"}
          </Button>
        </form>
        <div className="stack stack-s">
          <p className="hint">
            No token at hand? On the machine where Tollgate runs, this prints a link that signs in:
          </p>
          <Code text="tollgate dashboard" label="the command" />
        </div>
      </div>
    </main>
  );
}
