// Where the page stands: which account, which gateway, and the paths that follow from them.

import { createContext, useContext } from "react";
import type { Account } from "./api/types";

export interface Place {
  account: Account;
  gateway: string;
}

const Context = createContext<Place | null>(null);
export const PlaceProvider = Context.Provider;

export function usePlace(): Place {
  const place = useContext(Context);
  if (!place) throw new Error("a page is drawn outside the shell");
  return place;
}

const segment = encodeURIComponent;

export const accountPath = ({ account }: Place): string => `/accounts/${segment(account.id)}`;
export const gatewaysPath = (place: Place): string => `${accountPath(place)}/ai-gateway/gateways`;
export const gatewayPath = (place: Place): string => `${gatewaysPath(place)}/${segment(place.gateway)}`;

/** An installation that accepts any account has a made-up id; `local` reads better in what people paste. */
const GENERATED = /^[0-9a-f]{32}$/;
export const dataAccount = ({ account }: Place): string => (GENERATED.test(account.id) ? "local" : account.id);

/** Where callers send requests: same origin as this page. */
export const dataPath = (place: Place, rest = ""): string =>
  `/v1/${segment(dataAccount(place))}/${segment(place.gateway)}${rest && `/${rest}`}`;
export const dataUrl = (place: Place, rest = ""): string => location.origin + dataPath(place, rest);
