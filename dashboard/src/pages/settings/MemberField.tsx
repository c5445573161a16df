import { useId } from "react";
import { AreaField, SelectField, Switch, TextField } from "../../ui/forms";
import { Guardrails } from "./Guardrails";
import { JsonField } from "./JsonField";
import type { Member } from "./members";
import { Otel } from "./Otel";
import { SpendRules } from "./SpendRules";

export interface MemberProps {
  member: Member;
  value: unknown;
  changed: boolean;
  fault: string | undefined;
  onChange: (value: unknown) => void;
}

export function MemberField(props: MemberProps) {
  return (
    <div className="member" data-changed={props.changed} data-member={props.member.name}>
      <Control {...props} />
    </div>
  );
}

function Control({ member, value, fault, onChange }: MemberProps) {
  const { label, help, kind } = member;
  const shared = { label, hint: help, fault };
  switch (kind.is) {
    case "flag":
      return <Flag {...shared} value={value === true} onChange={onChange} />;
    case "number":
      return (
        <TextField
          {...shared}
          label={
            <>
              {label} <span className="muted">({kind.unit})</span>
            </>
          }
          hint={`${help}${kind.zero ? ` 0: ${kind.zero}.` : ""}`}
          type="number"
          min={kind.min}
          max={kind.max}
          placeholder="not set"
          value={value == null ? "" : String(value)}
          onChange={(event) => onChange(event.target.value === "" ? null : Number(event.target.value))}
        />
      );
    case "word":
      return (
        <SelectField
          {...shared}
          options={value == null ? [["", "Not set"], ...kind.options] : kind.options}
          value={value == null ? "" : String(value)}
          onChange={(event) => onChange(event.target.value || null)}
        />
      );
    case "text":
      return kind.long ? (
        <AreaField
          {...shared}
          rows={4}
          className="mono"
          value={String(value ?? "")}
          maxLength={kind.max}
          onChange={(event) => onChange(event.target.value || null)}
        />
      ) : (
        <TextField
          {...shared}
          value={String(value ?? "")}
          maxLength={kind.max}
          onChange={(event) => onChange(event.target.value || null)}
        />
      );
    case "otel":
      return <Otel {...shared} value={value} onChange={onChange} />;
    case "guardrails":
      return <Guardrails {...shared} value={value} onChange={onChange} />;
    case "spend":
      return <SpendRules {...shared} value={value} onChange={onChange} />;
    case "json":
      return <JsonField {...shared} value={value} onChange={onChange} />;
  }
}

export interface PartProps {
  label: string;
  hint: string;
  fault: string | undefined;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Flag({ label, hint, value, onChange }: Omit<PartProps, "fault" | "value"> & { value: boolean }) {
  const id = useId();
  return (
    <div className="flag">
      <div>
        <label className="label" htmlFor={id}>
          {label}
        </label>
        <div id={`${id}-hint`} className="hint">
          {hint}
        </div>
      </div>
      <Switch id={id} checked={value} onChange={onChange} aria-describedby={`${id}-hint`} />
    </div>
  );
}
