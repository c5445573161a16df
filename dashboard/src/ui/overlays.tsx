// What lies over the page. Dialogs are the browser's own: they keep the focus, make the rest inert and close on Esc.

import { X } from "lucide-react";
import { DropdownMenu, Popover as RadixPopover, Tooltip } from "radix-ui";
import { createContext, type ReactNode, useContext, useEffect, useId, useRef, useState } from "react";
import { Button } from "./basics";

/** Menus inside a dialog must be drawn inside it: the rest of the page is inert then. */
const Layer = createContext<HTMLElement | null>(null);

export function Dialog({
  open,
  onClose,
  title,
  note,
  wide,
  className = "",
  children,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  note?: ReactNode;
  wide?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return open ? (
    <OpenDialog onClose={onClose} className={`${wide ? "dialog-wide" : ""} ${className}`} label={title}>
      <div className="dialog-head">
        <div>
          <h2>{title}</h2>
          {note ? <p className="hint">{note}</p> : null}
        </div>
        <Button look="quiet" icon small onClick={onClose} aria-label="Close">
          <X size={16} aria-hidden />
        </Button>
      </div>
      <div className="dialog-body">{children}</div>
    </OpenDialog>
  ) : null;
}

/** Only the frame; the palette fills it in its own way. */
export function OpenDialog({
  onClose,
  className,
  label,
  children,
}: {
  onClose: () => void;
  className: string;
  label: string;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [layer, setLayer] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const shown = dialog.current;
    const before = document.activeElement;
    if (!shown?.open) shown?.showModal();
    // The browser would begin with the button that closes it.
    shown?.querySelector<HTMLElement>("input, textarea, select")?.focus();
    setLayer(shown);
    return () => {
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // Esc is the keyboard's way, and the browser handles it
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <Layer.Provider value={layer}>{children}</Layer.Provider>
    </dialog>
  );
}

export function Menu({
  trigger,
  children,
  align = "start",
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
}) {
  const layer = useContext(Layer);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={layer}>
        <DropdownMenu.Content className="menu" align={align} sideOffset={6} collisionPadding={8}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function MenuItem({
  icon,
  onSelect,
  disabled,
  children,
}: {
  icon?: ReactNode;
  onSelect: () => void;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <DropdownMenu.Item className="menu-item" onSelect={onSelect} disabled={disabled ?? false}>
      {icon}
      {children}
    </DropdownMenu.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="menu-label">{children}</DropdownMenu.Label>;
}

export function MenuLine() {
  return <DropdownMenu.Separator className="menu-line" />;
}

export function Popover({
  trigger,
  children,
  label,
  align = "start",
}: {
  trigger: ReactNode;
  children: ReactNode;
  label: string;
  align?: "start" | "end";
}) {
  const layer = useContext(Layer);
  return (
    <RadixPopover.Root>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal container={layer}>
        <RadixPopover.Content className="menu" align={align} sideOffset={6} collisionPadding={8} aria-label={label}>
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}

export function Tip({ text, children }: { text: ReactNode; children: ReactNode }) {
  const layer = useContext(Layer);
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal container={layer}>
        <Tooltip.Content className="tip" sideOffset={5} collisionPadding={8}>
          {text}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

/** Asks before something that cannot be undone; the name is typed when much would be lost. */
export function Confirm({
  open,
  onClose,
  onConfirm,
  title,
  action,
  busy,
  typed,
  children,
}: {
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  action: string;
  busy?: boolean;
  typed?: string;
  children: ReactNode;
}) {
  const [said, setSaid] = useState("");
  const id = useId();
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <div className="stack stack-s">{children}</div>
      {typed ? (
        <div className="field">
          <label htmlFor={id}>
            Type <code>{typed}</code> to confirm
          </label>
          <input
            id={id}
            className="input"
            value={said}
            onChange={(event) => setSaid(event.target.value)}
            autoComplete="off"
          />
        </div>
      ) : null}
      <div className="dialog-foot">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" busy={busy ?? false} disabled={typed !== undefined && said !== typed} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
