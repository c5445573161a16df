import { CircleCheck, TriangleAlert } from "lucide-react";
import { useEffect, useRef, useSyncExternalStore } from "react";

interface Toast {
  id: number;
  text: string;
  tone: "good" | "bad";
}

const SHOWN_MS = 4_500;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, tone: Toast["tone"] = "good"): void {
  const id = ++last;
  change([...toasts.slice(-3), { id, text, tone }]);
  setTimeout(() => change(toasts.filter((each) => each.id !== id)), SHOWN_MS);
}

export const toastError = (error: unknown): void =>
  toast(error instanceof Error ? error.message : String(error), "bad");

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A popover, so that it lies above dialogs too. */
export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.hidePopover?.();
    if (shown.length > 0) box.current?.showPopover?.();
  }, [shown]);
  return (
    <div ref={box} className="toasts" role="status" aria-live="polite" popover="manual">
      {shown.map(({ id, text, tone }) => (
        <div key={id} className={`toast toast-${tone}`}>
          {tone === "good" ? <CircleCheck size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
          <span>{text}</span>
        </div>
      ))}
    </div>
  );
}
