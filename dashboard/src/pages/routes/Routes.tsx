import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { GitFork, Plus } from "lucide-react";
import { useState } from "react";
import { call } from "../../api/client";
import type { Route } from "../../api/types";
import { ago } from "../../lib/format";
import { usePlace } from "../../place";
import { Badge, Button, Card, CopyButton, Empty, PageHead, Problem, Skeleton } from "../../ui/basics";
import { TextField } from "../../ui/forms";
import { Dialog } from "../../ui/overlays";
import { routesPath, routesQuery } from "./data";
import { START } from "./graph";

export function Routes() {
  const place = usePlace();
  const routes = useQuery(routesQuery(place));
  const [making, setMaking] = useState(false);
  const button = (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus size={15} aria-hidden /> New route
    </Button>
  );
  return (
    <div className="page">
      <PageHead title="Routes" actions={button}>
        A route decides which model answers: by conditions, shares, budgets and fallbacks. Callers ask for the model{" "}
        <code>dynamic/name</code>.
      </PageHead>
      <Problem error={routes.error} />
      {routes.isPending ? <Skeleton height={160} /> : null}
      {routes.data?.length === 0 ? (
        <Card>
          <Empty icon={<GitFork size={28} aria-hidden />} title="No routes yet">
            <p>
              Send a share of the traffic to a cheaper model, fall back when a provider is down, or give each customer a
              budget, without touching the application.
            </p>
            {button}
          </Empty>
        </Card>
      ) : null}
      {routes.data && routes.data.length > 0 ? <List routes={routes.data} /> : null}
      <NewRoute open={making} onClose={() => setMaking(false)} />
    </div>
  );
}

function List({ routes }: { routes: Route[] }) {
  const { gateway } = usePlace();
  return (
    <Card className="card-flush">
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Models</th>
              <th scope="col">Changed</th>
              <th scope="col">
                <span className="visually-hidden">Copy</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {routes.map(({ id, name, elements, modified_at }) => (
              <tr key={id}>
                <td>
                  <Link to="/g/$gateway/routes/$route" params={{ gateway, route: id }} className="strong">
                    {name}
                  </Link>
                </td>
                <td>
                  <span className="row">
                    {elements
                      .filter(({ type }) => type === "model")
                      .map(({ id, properties }) => (
                        <Badge key={id}>
                          {String(properties?.provider)}/{String(properties?.model)}
                        </Badge>
                      ))}
                  </span>
                </td>
                <td className="num">{ago(modified_at)}</td>
                <td className="right">
                  <CopyButton text={`dynamic/${name}`} label={`Copy dynamic/${name}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function NewRoute({ open, onClose }: { open: boolean; onClose: () => void }) {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => call<Route>("POST", routesPath(place), { name, elements: START }),
    onSuccess: async ({ result }) => {
      await client.invalidateQueries({ queryKey: ["routes", place.gateway] });
      onClose();
      await navigate({ to: "/g/$gateway/routes/$route", params: { gateway: place.gateway, route: result.id } });
    },
  });
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="New route"
      note="It begins with one model, deployed at once; then it is yours to edit."
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <TextField
          label="Name"
          placeholder="support"
          hint={`Callers ask for the model dynamic/${name || "support"}`}
          value={name}
          onChange={(event) => setName(event.target.value)}
          required
          autoFocus
        />
        <Problem error={create.error} />
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
