import { useState } from "react";
import { AreaField } from "../../ui/forms";
import type { PartProps } from "./MemberField";

/** For what has no form of its own yet: JSON, checked as it is typed. */
export function JsonField({ label, hint, fault, value, onChange }: PartProps) {
  const [text, setText] = useState(value == null ? "" : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState<string>();
  function read(said: string) {
    setText(said);
    try {
      onChange(said.trim() === "" ? null : JSON.parse(said));
      setWrong(undefined);
    } catch (cause) {
      setWrong(`Not JSON yet: ${cause instanceof Error ? cause.message : cause}`);
    }
  }
  return (
    <AreaField
      label={label}
      hint={hint}
      fault={wrong ?? fault}
      className="mono"
      rows={text ? 8 : 2}
      placeholder="not set"
      value={text}
      onChange={(event) => read(event.target.value)}
    />
  );
}
