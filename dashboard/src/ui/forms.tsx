import { Switch as RadixSwitch } from "radix-ui";
import { type ComponentProps, type ReactNode, useId } from "react";

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  fault?: string | undefined;
  children: (wired: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ReactNode;
}

/** A label, a control, and what belongs to both, wired for assistive technology. */
export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId();
  const described = hint || fault ? { "aria-describedby": `${id}-hint` } : {};
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...described, ...(fault ? { "aria-invalid": true } : {}) })}
      {hint || fault ? (
        <div id={`${id}-hint`}>
          {fault ? <div className="fault">{fault}</div> : null}
          {hint ? <div className="hint">{hint}</div> : null}
        </div>
      ) : null}
    </div>
  );
}

type TextProps = Omit<FieldProps, "children"> & ComponentProps<"input">;

export function TextField({ label, hint, fault, ...rest }: TextProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(wired) => <input className="input" autoComplete="off" spellCheck={false} {...rest} {...wired} />}
    </Field>
  );
}

type AreaProps = Omit<FieldProps, "children"> & ComponentProps<"textarea">;

export function AreaField({ label, hint, fault, className = "", ...rest }: AreaProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(wired) => <textarea className={`input ${className}`} spellCheck={false} {...rest} {...wired} />}
    </Field>
  );
}

export type Option = readonly [value: string, label: string];

type SelectProps = Omit<FieldProps, "children"> &
  Omit<ComponentProps<"select">, "children"> & { options: readonly Option[] };

export function SelectField({ label, hint, fault, options, ...rest }: SelectProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(wired) => (
        <select className="input" {...rest} {...wired}>
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Switch({
  checked,
  onChange,
  label,
  ...rest
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label?: string;
  id?: string;
  disabled?: boolean;
  "aria-describedby"?: string;
}) {
  return (
    <RadixSwitch.Root className="switch" checked={checked} onCheckedChange={onChange} aria-label={label} {...rest}>
      <RadixSwitch.Thumb className="switch-thumb" />
    </RadixSwitch.Root>
  );
}

/** A few choices side by side; arrow keys move, as in every radio group. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  function move(event: React.KeyboardEvent, index: number) {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const next = options[(index + step + options.length) % options.length];
    if (!next) return;
    onChange(next[0]);
    const group = event.currentTarget.parentElement;
    (group?.children[options.indexOf(next)] as HTMLElement | undefined)?.focus();
  }
  return (
    <div className="seg" role="radiogroup" aria-label={label}>
      {options.map(([each, text], index) => (
        <button
          key={each}
          type="button"
          role="radio"
          aria-checked={each === value}
          tabIndex={each === value ? 0 : -1}
          onClick={() => onChange(each)}
          onKeyDown={(event) => move(event, index)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
