// The token of this tab. It lives in sessionStorage: other tabs, other origins and the next start of the browser do not have it.

import { useSyncExternalStore } from "react";

const PLACE = "tollgate.token";
const listeners = new Set<() => void>();
let notice = "";

export const readToken = (): string | null => sessionStorage.getItem(PLACE);

export const readNotice = (): string => notice;

export function keepToken(token: string): void {
  notice = "";
  sessionStorage.setItem(PLACE, token);
  for (const listener of listeners) listener();
}

export function clearToken(why = ""): void {
  if (!readToken()) return;
  notice = why;
  sessionStorage.removeItem(PLACE);
  for (const listener of listeners) listener();
}

export function useToken(): string | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, readToken);
}

/** Links carry their secret behind the `#`, which browsers do not send: `#token=…`, or `#code=…` that is good once. */
export async function signInByLink(): Promise<void> {
  const said = new URLSearchParams(location.hash.slice(1));
  const [token, code] = [said.get("token"), said.get("code")];
  if (!token && !code) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (token) return keepToken(token);
  const response = await fetch("/dashboard/session", { method: "POST", body: code }).catch(() => null);
  if (response?.ok) return keepToken((await response.json()).token);
  notice = "This link was used already, or is too old. Sign in with a token, or print a new link: tollgate dashboard";
}
