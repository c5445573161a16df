import { useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { usePlace } from "../place";
import { NAV } from "./nav";

export function Crumbs() {
  const { gateway } = usePlace();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const here = NAV.flatMap((group) => group.items).find(({ to }) => path.startsWith(to.replace("$gateway", gateway)));
  useEffect(() => {
    document.title = here
      ? `${here.label} · ${here.to.includes("$gateway") ? `${gateway} · ` : ""}Tollgate`
      : "Tollgate";
  }, [here, gateway]);
  return (
    <div className="crumbs">
      {here?.to.includes("$gateway") ? (
        <>
          <span className="cut">{gateway}</span>
          <span aria-hidden="true">/</span>
        </>
      ) : null}
      <b className="cut">{here?.label}</b>
    </div>
  );
}
