import { readToken } from "../session";

/** Shown only to the gateway: it takes the token out before anything is forwarded. */
export const dataHeaders = (): Record<string, string> => ({ "cf-aig-authorization": `Bearer ${readToken() ?? ""}` });
