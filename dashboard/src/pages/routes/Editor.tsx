// One route: its graph, its JSON, its versions, and a request to try it with.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { CircleCheck, Plus, Rocket, Trash2 } from "lucide-react";
import { Tabs } from "radix-ui";
import { useEffect, useMemo, useState } from "react";
import { ApiError, call } from "../../api/client";
import type { Route, RouteElement, RouteVersion, Visit } from "../../api/types";
import { usePlace } from "../../place";
import { editorRoute } from "../../router";
import { Badge, Button, Card, CopyButton, Notice, Problem, Skeleton } from "../../ui/basics";
import { Confirm, Menu, MenuItem } from "../../ui/overlays";
import { toast, toastError } from "../../ui/toasts";
import { Canvas } from "./Canvas";
import { routePath, routeQuery, simulate } from "./data";
import { add, connect, KINDS, type Kind } from "./graph";
import { Inspector } from "./Inspector";
import { JsonPane } from "./JsonPane";
import { TryPane } from "./TryPane";
import { Versions } from "./Versions";

export function Editor() {
  const place = usePlace();
  const { route: id } = editorRoute.useParams();
  const route = useQuery({ ...routeQuery(place, id), refetchOnWindowFocus: false });
  return (
    <div className="page">
      <Problem error={route.error} />
      {route.data ? (
        <Loaded key={route.data.version?.version_id} route={route.data} />
      ) : route.error ? null : (
        <Skeleton height={420} />
      )}
    </div>
  );
}

interface Check {
  faults: string[];
  warnings: string[];
  faulty: Set<string>;
}

const CHECK_AFTER_MS = 400;
const FINE: Check = { faults: [], warnings: [], faulty: new Set() };

/** The gateway itself says what is wrong, so the page cannot disagree with it. */
function useCheck(elements: RouteElement[]): Check | null {
  const place = usePlace();
  const [check, setCheck] = useState<Check | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      simulate(place, elements, undefined, {}, stop.signal)
        .then(({ warnings }) => setCheck({ ...FINE, warnings }))
        .catch((error) => {
          if (stop.signal.aborted) return;
          const faults = error instanceof ApiError ? error.faults : [];
          const named = faults.flatMap(({ path }) =>
            path?.[1] === "elements" ? [elements[Number(path[2])]?.id ?? ""] : [],
          );
          setCheck({
            faults:
              faults.length > 0
                ? faults.map(({ message, path }) => said(elements, message, path))
                : [String(error.message)],
            warnings: [],
            faulty: new Set(named),
          });
        });
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [place, elements]);
  return check;
}

function said(elements: RouteElement[], message: string, path: (string | number)[] = []): string {
  const element = path[1] === "elements" ? elements[Number(path[2])]?.id : undefined;
  const rest = path.slice(element === undefined ? 1 : 3).join(".");
  return [element, rest].filter(Boolean).join(" ")
    ? `${[element, rest].filter(Boolean).join(": ")}: ${message}`
    : message;
}

function Loaded({ route }: { route: Route }) {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { tab, node } = editorRoute.useSearch();
  const go = (search: { tab?: string; node?: string | undefined }) =>
    navigate({
      to: "/g/$gateway/routes/$route",
      params: { gateway: place.gateway, route: route.id },
      search: (now) => ({ ...now, ...search }),
      replace: true,
    });
  const [elements, setElements] = useState(route.elements);
  const [walked, setWalked] = useState<Visit[]>([]);
  const [deleting, setDeleting] = useState(false);
  const check = useCheck(elements);
  const changed = useMemo(
    () => JSON.stringify(elements) !== JSON.stringify(route.elements),
    [elements, route.elements],
  );
  const chosen = elements.find(({ id }) => id === node);
  const path = routePath(place, route.id);

  function edit(next: RouteElement[], choose?: string) {
    setElements(next);
    setWalked([]);
    if (choose !== undefined) go({ node: choose });
  }
  const refresh = () => client.invalidateQueries({ queryKey: ["route", place.gateway, route.id] });
  const save = useMutation({
    mutationFn: async (deploy: boolean) => {
      const { result } = await call<RouteVersion>("POST", `${path}/versions`, { elements });
      if (deploy) await call("POST", `${path}/deployments`, { version_id: result.version_id });
      return deploy;
    },
    onSuccess: async (deployed) => {
      await refresh();
      await client.invalidateQueries({ queryKey: ["routes", place.gateway] });
      toast(deployed ? "Deployed: the next request takes it" : "Saved as a version, not deployed");
    },
    onError: toastError,
  });
  const remove = useMutation({
    mutationFn: () => call("DELETE", path),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["routes", place.gateway] });
      await navigate({ to: "/g/$gateway/routes", params: { gateway: place.gateway } });
    },
    onError: toastError,
  });

  return (
    <>
      <div className="page-head">
        <div className="row">
          <Link to="/g/$gateway/routes" params={{ gateway: place.gateway }}>
            Routes
          </Link>
          <span aria-hidden="true">/</span>
          <h1>{route.name}</h1>
          <code className="pair">dynamic/{route.name}</code>
          <CopyButton text={`dynamic/${route.name}`} label="Copy the model's name" />
          {changed ? (
            <Badge tone="warn">not saved</Badge>
          ) : (
            <Badge tone="good" dot>
              deployed
            </Badge>
          )}
        </div>
        <div className="row">
          <Button look="quiet" icon aria-label="Delete the route" onClick={() => setDeleting(true)}>
            <Trash2 size={15} aria-hidden />
          </Button>
          <Button disabled={!changed} onClick={() => edit(route.elements)}>
            Discard
          </Button>
          <Button disabled={!changed || save.isPending} onClick={() => save.mutate(false)}>
            Save a version
          </Button>
          <Button
            look="primary"
            busy={save.isPending}
            disabled={!changed || (check?.faults.length ?? 0) > 0}
            onClick={() => save.mutate(true)}
          >
            <Rocket size={14} aria-hidden /> Deploy
          </Button>
        </div>
      </div>
      <div className="editor">
        <Card className="editor-canvas">
          <div className="row row-apart">
            <AddMenu
              onAdd={(kind) => {
                const added = add(elements, kind);
                edit(added.elements, added.id);
              }}
            />
            <Verdict check={check} />
          </div>
          <Canvas
            elements={elements}
            chosen={chosen?.id}
            onChoose={(id) => go({ node: id, tab: "element" })}
            onConnect={(from, output, target) => edit(connect(elements, from, output, target))}
            walked={walked}
            faulty={check?.faulty ?? FINE.faulty}
          />
          <Faults check={check} />
        </Card>
        <Card className="editor-side">
          <Tabs.Root value={tab} onValueChange={(next) => go({ tab: next })} className="stack">
            <Tabs.List className="tabs-list" aria-label="Tools">
              <Tabs.Trigger className="tab" value="element">
                Element
              </Tabs.Trigger>
              <Tabs.Trigger className="tab" value="json">
                JSON
              </Tabs.Trigger>
              <Tabs.Trigger className="tab" value="try">
                Try
              </Tabs.Trigger>
              <Tabs.Trigger className="tab" value="versions">
                Versions
              </Tabs.Trigger>
            </Tabs.List>
            <Tabs.Content value="element" tabIndex={-1}>
              {chosen ? (
                <Inspector elements={elements} element={chosen} onChange={edit} />
              ) : (
                <p className="hint">
                  Choose an element in the graph to edit it, or add one. Drag a dot onto another element to connect
                  them.
                </p>
              )}
            </Tabs.Content>
            <Tabs.Content value="json" tabIndex={-1}>
              <JsonPane elements={elements} onChange={edit} />
            </Tabs.Content>
            <Tabs.Content value="try" tabIndex={-1}>
              <TryPane elements={elements} onWalked={setWalked} />
            </Tabs.Content>
            <Tabs.Content value="versions" tabIndex={-1}>
              <Versions route={route} draft={elements} onTake={edit} onDeployed={refresh} />
            </Tabs.Content>
          </Tabs.Root>
        </Card>
      </div>
      <Confirm
        open={deleting}
        onClose={() => setDeleting(false)}
        onConfirm={() => remove.mutate()}
        title={`Delete ${route.name}?`}
        action="Delete the route"
        busy={remove.isPending}
      >
        <p>
          All its versions go with it, and callers of <code>dynamic/{route.name}</code> are refused.
        </p>
      </Confirm>
    </>
  );
}

const ADDED: Kind[] = ["model", "conditional", "percentage", "rate", "end"];

function AddMenu({ onAdd }: { onAdd: (kind: Kind) => void }) {
  return (
    <Menu
      trigger={
        <Button small>
          <Plus size={14} aria-hidden /> Add
        </Button>
      }
    >
      {ADDED.map((kind) => (
        <MenuItem key={kind} onSelect={() => onAdd(kind)}>
          <span>
            <b>{KINDS[kind].label}</b>
            <span className="hint menu-help">{KINDS[kind].help}</span>
          </span>
        </MenuItem>
      ))}
    </Menu>
  );
}

function Verdict({ check }: { check: Check | null }) {
  if (!check) return <span className="hint">checking…</span>;
  if (check.faults.length > 0) return <Badge tone="bad">{check.faults.length} to fix</Badge>;
  return (
    <span className="row" role="status">
      <CircleCheck size={15} className="good" aria-hidden />
      <span className="hint">{check.warnings.length > 0 ? `serves, ${check.warnings.length} warnings` : "serves"}</span>
    </span>
  );
}

function Faults({ check }: { check: Check | null }) {
  const all = [...(check?.faults ?? []), ...(check?.warnings ?? [])];
  if (all.length === 0) return null;
  return (
    <Notice tone={check?.faults.length ? "bad" : "warn"}>
      <ul className="stack stack-s">
        {all.map((fault) => (
          <li key={fault}>{fault}</li>
        ))}
      </ul>
    </Notice>
  );
}
