import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { ApiError, call } from "../../api/client";
import { usePlace } from "../../place";
import { Button, Problem } from "../../ui/basics";
import { AreaField, SelectField, TextField } from "../../ui/forms";
import { Dialog } from "../../ui/overlays";
import { toast } from "../../ui/toasts";
import type { Field, Resource, Row, Values } from "./kinds";

interface Props {
  resource: Resource;
  fields: Field[];
  onClose: () => void;
  onSecret: (secret: string) => void;
}

export function CreateDialog({ resource, fields, onClose, onSecret }: Props) {
  const place = usePlace();
  const client = useQueryClient();
  const [values, setValues] = useState<Values>(() =>
    Object.fromEntries(
      fields.map(({ name, initial, entry }) => [
        name,
        initial ?? (entry.is === "flag" ? false : entry.is === "checks" ? [] : ""),
      ]),
    ),
  );
  const create = useMutation({
    mutationFn: () => call<Row>("POST", resource.url(place), resource.body?.(values, place) ?? values),
    onSuccess: async ({ result }) => {
      await client.invalidateQueries({ queryKey: ["resource", resource.id] });
      onClose();
      const secret = resource.secret?.(result);
      if (secret) onSecret(secret);
      else toast(`The ${resource.one} is there`);
    },
  });
  const fault = (name: string) => (create.error instanceof ApiError ? create.error.at(name) : undefined);
  const named = fields.some(({ name }) => fault(name));
  return (
    <Dialog open onClose={onClose} title={`New ${resource.one}`}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        {fields.map((field) => (
          <FieldControl
            key={field.name}
            field={field}
            value={values[field.name]}
            fault={fault(field.name)}
            onChange={(value) => setValues({ ...values, [field.name]: value })}
          />
        ))}
        {named ? null : <Problem error={create.error} />}
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" busy={create.isPending}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ControlProps {
  field: Field;
  value: Values[string] | undefined;
  fault: string | undefined;
  onChange: (value: Values[string]) => void;
}

const INPUTS: Record<string, string> = {
  text: "text",
  secret: "password",
  number: "number",
  date: "datetime-local",
  words: "text",
};

function FieldControl({ field, value, fault, onChange }: ControlProps) {
  const { label, help, entry } = field;
  const shared = { label, hint: help, fault };
  switch (entry.is) {
    case "flag":
      return (
        <label className="row">
          <input type="checkbox" checked={value === true} onChange={(event) => onChange(event.target.checked)} />
          <span>{label}</span>
        </label>
      );
    case "checks":
      return <Checks {...{ field, value, fault, onChange }} options={entry.options} />;
    case "select":
      return (
        <SelectField
          {...shared}
          options={entry.options}
          value={String(value ?? "")}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    case "long":
      return (
        <AreaField
          {...shared}
          rows={3}
          className="mono"
          placeholder={entry.placeholder}
          value={String(value ?? "")}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    default:
      return (
        <TextField
          {...shared}
          type={INPUTS[entry.is]}
          placeholder={entry.placeholder}
          required={entry.required}
          autoComplete={entry.is === "secret" ? "new-password" : "off"}
          value={String(value ?? "")}
          onChange={(event) => onChange(event.target.value)}
        />
      );
  }
}

function Checks({
  field,
  value,
  fault,
  options,
  onChange,
}: ControlProps & { options: readonly (readonly [string, string])[] }) {
  const id = useId();
  const chosen = Array.isArray(value) ? value : [];
  return (
    <fieldset className="stack stack-s" aria-describedby={fault ? id : undefined}>
      <legend className="label">{field.label}</legend>
      {options.map(([name, label]) => (
        <label key={name} className="row">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) =>
              onChange(event.target.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
            }
          />
          <span>{label}</span>
        </label>
      ))}
      {fault ? (
        <div id={id} className="fault">
          {fault}
        </div>
      ) : null}
    </fieldset>
  );
}
