import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ApiError, call } from "../../api/client";
import { gatewayQuery } from "../../api/queries";
import type { Gateway } from "../../api/types";
import { gatewayPath, usePlace } from "../../place";
import { Button, Card, PageHead, Problem, Skeleton } from "../../ui/basics";
import { Confirm } from "../../ui/overlays";
import { toast } from "../../ui/toasts";
import { MemberField } from "./MemberField";
import { ALWAYS_SENT, SECTIONS } from "./members";

export function Settings() {
  const place = usePlace();
  const gateway = useQuery(gatewayQuery(place));
  return (
    <div className="page page-settings">
      <PageHead title="Settings">Changes are in force for the next request.</PageHead>
      <Problem error={gateway.error} />
      {gateway.data ? (
        <Form key={`${gateway.data.id} ${gateway.data.modified_at}`} gateway={gateway.data} />
      ) : (
        <Skeleton height={400} />
      )}
      {gateway.data ? <Danger /> : null}
    </div>
  );
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

function Form({ gateway }: { gateway: Gateway }) {
  const place = usePlace();
  const client = useQueryClient();
  const [draft, setDraft] = useState<Record<string, unknown>>({});
  const changed = useMemo(
    () => Object.keys(draft).filter((name) => !same(draft[name], gateway[name])),
    [draft, gateway],
  );
  const save = useMutation({
    mutationFn: () => {
      const always = Object.fromEntries(ALWAYS_SENT.map((name) => [name, gateway[name]]));
      const said = Object.fromEntries(changed.map((name) => [name, draft[name]]));
      return call<Gateway>("PUT", gatewayPath(place), { ...always, ...said });
    },
    onSuccess: async ({ result }) => {
      client.setQueryData(gatewayQuery(place).queryKey, result);
      await client.invalidateQueries({ queryKey: ["gateways"] });
      toast("Settings saved");
    },
  });
  const fault = (name: string) => (save.error instanceof ApiError ? save.error.at(name) : undefined);
  return (
    <form
      className="settings"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <nav className="settings-nav" aria-label="Sections">
        {SECTIONS.map(({ id, title }) => (
          <a key={id} href={`#${id}`}>
            {title}
          </a>
        ))}
      </nav>
      <div className="stack">
        {SECTIONS.map(({ id, title, note, members }) => (
          <div key={id} id={id} className="anchor">
            <Card title={title} note={note}>
              <div className="settings-members">
                {members.map((member) => (
                  <MemberField
                    key={member.name}
                    member={member}
                    value={member.name in draft ? draft[member.name] : gateway[member.name]}
                    changed={changed.includes(member.name)}
                    fault={fault(member.name)}
                    onChange={(value) => setDraft({ ...draft, [member.name]: value })}
                  />
                ))}
              </div>
            </Card>
          </div>
        ))}
        {changed.length > 0 || save.error ? (
          <div className="save-bar card" role="status">
            <span className="grow">
              {changed.length} {changed.length === 1 ? "setting" : "settings"} changed
            </span>
            <Problem error={save.error} />
            <Button onClick={() => setDraft({})}>Discard</Button>
            <Button look="primary" type="submit" busy={save.isPending}>
              Save
            </Button>
          </div>
        ) : null}
      </div>
    </form>
  );
}

function Danger() {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const purge = useMutation({
    mutationFn: () => call<{ purged: number }>("DELETE", `${gatewayPath(place)}/cache`),
    onSuccess: ({ result }) => toast(`${result.purged} cached answers forgotten`),
  });
  const remove = useMutation({
    mutationFn: () => call("DELETE", gatewayPath(place)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["gateways"] });
      toast(`Gateway ${place.gateway} is gone`);
      await navigate({ to: "/gateways" });
    },
  });
  return (
    <Card title="Careful" className="card-danger">
      <Problem error={purge.error ?? remove.error} />
      <div className="danger-row">
        <div>
          <div className="label">Forget cached answers</div>
          <div className="hint">The next identical requests ask the provider again.</div>
        </div>
        <Button busy={purge.isPending} onClick={() => purge.mutate()}>
          Purge the cache
        </Button>
      </div>
      <div className="danger-row">
        <div>
          <div className="label">Delete this gateway</div>
          <div className="hint">
            Its routes and cache go with it, and its log can no longer be seen. Callers get 400.
          </div>
        </div>
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete
        </Button>
      </div>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate()}
        title={`Delete ${place.gateway}?`}
        action="Delete the gateway"
        busy={remove.isPending}
        typed={place.gateway}
      >
        <p>This cannot be undone.</p>
      </Confirm>
    </Card>
  );
}
