// The small parts that every page is made of.

import { Check, Copy, Info, LoaderCircle, TriangleAlert } from "lucide-react";
import { type ButtonHTMLAttributes, type ReactNode, useState } from "react";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: "primary" | "danger" | "quiet";
  small?: boolean;
  icon?: boolean;
  busy?: boolean;
};

export function Button({ look, small, icon, busy, className, children, ...rest }: ButtonProps) {
  const names = ["btn", look && `btn-${look}`, small && "btn-small", icon && "btn-icon", className];
  return (
    <button type="button" {...rest} className={names.filter(Boolean).join(" ")} disabled={busy || rest.disabled}>
      {busy ? <LoaderCircle size={14} className="spin" aria-hidden /> : null}
      {children}
    </button>
  );
}

export type Tone = "good" | "warn" | "bad" | "info" | "violet" | "accent";

export function Badge({
  tone,
  dot,
  children,
  title,
}: {
  tone?: Tone;
  dot?: boolean;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span className={tone ? `badge badge-${tone}` : "badge"} title={title}>
      {dot ? <span className="dot" aria-hidden /> : null}
      {children}
    </span>
  );
}

export function Card({
  title,
  note,
  actions,
  children,
  className = "",
}: {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`card ${className}`}>
      {title ? (
        <div className="card-head">
          <div>
            <h2>{title}</h2>
            {note ? <div className="card-note">{note}</div> : null}
          </div>
          {actions}
        </div>
      ) : null}
      <div className="card-body">{children}</div>
    </section>
  );
}

export function Notice({ tone = "info", children }: { tone?: "info" | "warn" | "bad"; children: ReactNode }) {
  return (
    <div className={`notice notice-${tone}`} role={tone === "bad" ? "alert" : undefined}>
      {tone === "info" ? <Info size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
      <div className="grow">{children}</div>
    </div>
  );
}

export function Problem({ error }: { error: unknown }) {
  if (!error) return null;
  return <Notice tone="bad">{error instanceof Error ? error.message : String(error)}</Notice>;
}

export function Skeleton({ height = 16, width = "100%" }: { height?: number; width?: number | string }) {
  return <div className="skeleton" style={{ height, width }} aria-hidden />;
}

export function PageHead({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="page-head">
      <div>
        <h1>{title}</h1>
        {children ? <p>{children}</p> : null}
      </div>
      {actions ? <div className="row">{actions}</div> : null}
    </div>
  );
}

export function CopyButton({ text, label = "Copy", small = true }: { text: string; label?: string; small?: boolean }) {
  const [done, setDone] = useState(false);
  async function copy() {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_400);
  }
  return (
    <Button small={small} onClick={copy} aria-label={label} className="code-copy-button">
      {done ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
      {done ? "Copied" : "Copy"}
    </Button>
  );
}

/** The clipboard of browsers needs a secure origin; a gateway on a plain address in a LAN has none. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className="code">
      {/* what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
      <div className="code-copy">
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      {icon}
      <h2>{title}</h2>
      {children}
    </div>
  );
}
