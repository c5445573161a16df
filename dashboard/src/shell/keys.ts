// Keys that work on every page: Ctrl-K, `/`, and `g` followed by a page's letter.

import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { NAV } from "./nav";

/** Whoever types means letters. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return (
    event.metaKey ||
    event.ctrlKey ||
    event.altKey ||
    document.querySelector("dialog[open]") !== null ||
    (target instanceof HTMLElement &&
      target.closest("input, textarea, select, [contenteditable], [role=menu]") !== null)
  );
}

const CHORD_MS = 1_200;

export function usePageKeys(gateway: string, openPalette: () => void): void {
  const navigate = useNavigate();
  const began = useRef(0);
  const open = useRef(openPalette);
  open.current = openPalette;
  useEffect(() => {
    function heard(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        return open.current();
      }
      if (isTyping(event)) return;
      if (event.key === "?") return open.current();
      if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("[data-search]");
        if (search) event.preventDefault();
        return search?.focus();
      }
      if (event.key === "g") {
        began.current = event.timeStamp;
        return;
      }
      if (event.timeStamp - began.current > CHORD_MS) return;
      began.current = 0;
      const target = NAV.flatMap((group) => group.items).find(({ key }) => key === event.key);
      if (target) navigate({ to: target.to, params: { gateway } });
    }
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  }, [navigate, gateway]);
}
