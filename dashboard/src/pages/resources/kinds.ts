// A resource as data: what it is called, where it lives, what its list shows, what its form asks. One page draws them all.

import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { Place } from "../../place";

// rows of many resources; each column knows its own
export type Row = any;

export type Values = Record<string, string | boolean | string[]>;

export type Entry =
  | { is: "text" | "secret" | "number" | "date" | "long" | "words"; placeholder?: string; required?: boolean }
  | { is: "flag" }
  | { is: "select"; options: readonly (readonly [string, string])[] }
  | { is: "checks"; options: readonly (readonly [string, string])[] };

export interface Field {
  name: string;
  label: string;
  help?: string;
  entry: Entry;
  initial?: string | boolean | string[];
}

export interface Column {
  label: string;
  right?: boolean;
  cell: (row: Row, place: Place) => ReactNode;
}

export interface Action {
  label: (row: Row) => string;
  run: (row: Row, place: Place) => Promise<unknown>;
  /** What to say when it is done; a secret is shown once. */
  secret?: (answer: Row) => string | undefined;
}

/** What belongs to a row, in a list of its own. */
export interface Below {
  label: string;
  title: (row: Row) => string;
  url: (row: Row, place: Place) => string;
  key: (row: Row) => string;
  columns: Column[];
  empty: string;
}

export interface Resource {
  id: string;
  /** The page's address below `/dashboard`. */
  to: string;
  title: string;
  one: string;
  note: string;
  icon: LucideIcon;
  /** In the OpenAPI document. */
  path: string;
  url: (place: Place) => string;
  key: (row: Row) => string;
  name: (row: Row) => string;
  columns: Column[];
  fields?: Field[];
  body?: (values: Values, place: Place) => unknown;
  secret?: (made: Row) => string | undefined;
  actions?: Action[];
  removes?: string;
  empty: string;
  /** Asked again until nothing is at work. */
  working?: (row: Row) => boolean;
  detail?: (row: Row) => unknown;
  below?: Below;
  query?: Record<string, string | number>;
}

export const words = (value: Values[string] | undefined): string[] | undefined => {
  const all = String(value ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
  return all.length > 0 ? all : undefined;
};

export const optional = (value: Values[string] | undefined): string | undefined => (value ? String(value) : undefined);
export const numeric = (value: Values[string] | undefined): number | undefined => (value ? Number(value) : undefined);
