// Who is signed in: the token of this tab, or a person whose cookie the gateway knows. A token lives in sessionStorage: other tabs, other origins and the next
// start of the browser do not have it. A person's cookie is out of reach of scripts; the page only knows whose it is.

import { useSyncExternalStore } from "react";

export interface Person {
  name: string;
  email: string | null;
  role: string;
  permissions: string[];
  ends_on: string;
}

interface Known {
  /** Where people can sign in, if anywhere. */
  issuer: { name: string } | null;
  person: Person | null;
}

const PLACE = "tollgate.token";
const DOOR = "/dashboard/session";
const listeners = new Set<() => void>();
let notice = "";
let known: Known = { issuer: null, person: null };

/** Why the gateway sent somebody back without letting them in. */
const REFUSED: Record<string, string> = {
  stale: "This sign-in was not begun in this browser, was used already, or took too long. Try again.",
  issuer: "The issuer did not let you in.",
  unproven: "The issuer's answer could not be verified. The gateway's log says why.",
  role: "You are known to the issuer, but have no role here. Ask whoever runs this gateway.",
  unreachable: "The issuer cannot be reached, or does not know this gateway. The gateway's log says why.",
  failed: "The gateway could not sign you in. Its log says why.",
};

export const readToken = (): string | null => sessionStorage.getItem(PLACE);

export const readNotice = (): string => notice;

export const readIssuer = () => known.issuer;

function tell() {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function keepToken(token: string): void {
  notice = "";
  sessionStorage.setItem(PLACE, token);
  tell();
}

/** The gateway does not know (any more) who asks. */
export function forget(): void {
  if (readToken()) notice = "The token is not known any more. Sign in again.";
  else if (known.person) notice = "Your session has ended. Sign in again.";
  else return;
  sessionStorage.removeItem(PLACE);
  known = { ...known, person: null };
  tell();
}

/** A person's session ends at the gateway, and at the issuer where it has a page for that. */
export async function signOut(): Promise<void> {
  const wasToken = readToken() !== null;
  notice = "";
  sessionStorage.removeItem(PLACE);
  if (!wasToken && known.person) {
    const response = await fetch(DOOR, { method: "DELETE" }).catch(() => null);
    if (!response?.ok) notice = "The gateway could not be told: close the browser to be sure.";
    const url: string | null = response?.ok ? (await response.json()).end_session_url : null;
    known = { ...known, person: null };
    if (url) return location.assign(url);
  }
  tell();
}

/** A token of this tab counts before the cookie, as at the gateway. */
export const usePerson = (): Person | null =>
  useSyncExternalStore(subscribe, () => (readToken() ? null : known.person));

export const useSignedIn = (): boolean =>
  useSyncExternalStore(subscribe, () => readToken() !== null || known.person !== null);

export const signInUrl = (): string =>
  `/dashboard/oidc/start?to=${encodeURIComponent(location.pathname + location.search)}`;

/** Before anything is drawn: who is there? */
export async function lookWho(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const refused = query.get("refused");
  if (refused) {
    notice = REFUSED[refused] ?? "Nobody was signed in.";
    history.replaceState(null, "", location.pathname);
  }
  const response = await fetch(DOOR, { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return;
  const said = await response.json().catch(() => null);
  known = { issuer: said?.sign_in ?? null, person: said?.person ?? null };
}

/** Links carry their secret behind the `#`, which browsers do not send: `#token=…`, or `#code=…` that is good once. */
export async function signInByLink(): Promise<void> {
  const said = new URLSearchParams(location.hash.slice(1));
  const [token, code] = [said.get("token"), said.get("code")];
  if (!token && !code) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (token) return keepToken(token);
  const response = await fetch(DOOR, { method: "POST", body: code }).catch(() => null);
  if (response?.ok) return keepToken((await response.json()).token);
  notice = "This link was used already, or is too old. Sign in with a token, or print a new link: tollgate dashboard";
}
