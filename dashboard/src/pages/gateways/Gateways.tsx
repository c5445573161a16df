import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { ApiError, call } from "../../api/client";
import { gatewaysQuery, listLogs } from "../../api/queries";
import type { Gateway } from "../../api/types";
import { ago, compact, percent } from "../../lib/format";
import { dataUrl, gatewaysPath, usePlace } from "../../place";
import { Badge, Button, CopyButton, PageHead, Problem, Skeleton } from "../../ui/basics";
import { TextField } from "../../ui/forms";
import { Dialog } from "../../ui/overlays";
import { toast } from "../../ui/toasts";

export function Gateways() {
  const place = usePlace();
  const gateways = useQuery(gatewaysQuery(place));
  const [making, setMaking] = useState(false);
  return (
    <div className="page">
      <PageHead
        title="Gateways"
        actions={
          <Button look="primary" onClick={() => setMaking(true)}>
            <Plus size={15} aria-hidden /> New gateway
          </Button>
        }
      >
        A gateway is a unit with settings, limits, keys and a log of its own. Give each application or team one.
      </PageHead>
      <Problem error={gateways.error} />
      {gateways.isPending ? <Skeleton height={160} /> : null}
      <div className="tile-grid">
        {(gateways.data ?? []).map((gateway) => (
          <GatewayCard key={gateway.id} gateway={gateway} />
        ))}
      </div>
      <NewGateway open={making} onClose={() => setMaking(false)} />
    </div>
  );
}

const DAY_MS = 86_400_000;

/** Requests and errors of the last day, counted by the log. */
function useDay(id: string) {
  const place = { ...usePlace(), gateway: id };
  const from = Math.floor((Date.now() - DAY_MS) / 60_000) * 60_000;
  const counts = useQueries({
    queries: ["", "status:error"].map((q) => ({
      queryKey: ["day", id, q, from],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await listLogs(place, { q, from }, 1, signal, 1)).total,
    })),
  });
  return counts.map(({ data }) => data);
}

function GatewayCard({ gateway }: { gateway: Gateway }) {
  const place = { ...usePlace(), gateway: gateway.id };
  const [requests, errors] = useDay(gateway.id);
  const to = { params: { gateway: gateway.id } };
  return (
    <article className="card gateway-card">
      <div className="row row-apart">
        <h2 className="cut">
          <Link to="/g/$gateway/overview" {...to}>
            {gateway.id}
          </Link>
        </h2>
        <div className="row">
          {gateway.is_default ? <Badge>default</Badge> : null}
          <Badge tone={gateway.authentication ? "good" : "warn"}>
            {gateway.authentication ? "token required" : "open"}
          </Badge>
        </div>
      </div>
      <dl className="facts">
        <div>
          <dt>Requests, 24 h</dt>
          <dd className="num">{compact(requests)}</dd>
        </div>
        <div>
          <dt>Errors</dt>
          <dd className="num">{requests ? percent((errors ?? 0) / requests) : "–"}</dd>
        </div>
        <div>
          <dt>Changed</dt>
          <dd>{ago(gateway.modified_at)}</dd>
        </div>
      </dl>
      <div className="gateway-url">
        <code className="cut">{dataUrl(place)}</code>
        <CopyButton text={dataUrl(place)} label={`Copy the address of ${gateway.id}`} />
      </div>
      <div className="row">
        <Link to="/g/$gateway/logs" className="btn btn-small" {...to}>
          Logs
        </Link>
        <Link to="/g/$gateway/routes" className="btn btn-small" {...to}>
          Routes
        </Link>
        <Link to="/g/$gateway/settings" className="btn btn-small" {...to}>
          Settings
        </Link>
      </div>
    </article>
  );
}

/** The five members that the API asks for; everything else is set on the settings page. */
const NEW = {
  cache_invalidate_on_update: true,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};

function NewGateway({ open, onClose }: { open: boolean; onClose: () => void }) {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [id, setId] = useState("");
  const [locked, setLocked] = useState(true);
  const create = useMutation({
    mutationFn: () => call<Gateway>("POST", gatewaysPath(place), { ...NEW, id, authentication: locked }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["gateways"] });
      toast(`Gateway ${id} is there`);
      onClose();
      await navigate({ to: "/g/$gateway/overview", params: { gateway: id } });
    },
  });
  const fault = create.error instanceof ApiError ? create.error.at("id") : undefined;
  return (
    <Dialog open={open} onClose={onClose} title="New gateway" note="It serves at once.">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <TextField
          label="Name"
          placeholder="support-bot"
          hint="Part of its address: lower-case letters, digits, underscores, single hyphens."
          fault={fault}
          value={id}
          onChange={(event) => setId(event.target.value)}
          required
          maxLength={64}
          autoFocus
        />
        <label className="row">
          <input type="checkbox" checked={locked} onChange={(event) => setLocked(event.target.checked)} />
          <span>Callers must show a token</span>
        </label>
        {fault ? null : <Problem error={create.error} />}
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
