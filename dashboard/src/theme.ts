import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const PLACE = "tollgate.theme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

export const readTheme = (): Theme => (localStorage.getItem(PLACE) as Theme | null) ?? "system";

const shown = (): "light" | "dark" => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");

function apply(): void {
  const theme = readTheme();
  const dark = theme === "dark" || (theme === "system" && prefersDark.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

prefersDark.addEventListener("change", apply);

export function chooseTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(PLACE);
  else localStorage.setItem(PLACE, theme);
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, readTheme);

/** What is on the screen: charts are drawn again when it changes. */
export const useShownTheme = (): "light" | "dark" => useSyncExternalStore(subscribe, shown);
