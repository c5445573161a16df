// The frame around every page: who is signed in, where one stands, where one can go.

import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams, useRouterState } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { accountQuery } from "../api/queries";
import { PlaceProvider } from "../place";
import { useSignedIn } from "../session";
import { Button, Problem } from "../ui/basics";
import { Crumbs } from "./Crumbs";
import { usePageKeys } from "./keys";
import { Palette, PaletteButton } from "./Palette";
import { Sidebar } from "./Sidebar";
import { SignIn } from "./SignIn";
import { ThemeMenu } from "./ThemeMenu";

export function Shell() {
  return useSignedIn() ? <Inside /> : <SignIn />;
}

/** The gateway of the address; on pages of the account, the one that was looked at last. */
function useGateway(): string {
  const { gateway } = useParams({ strict: false });
  const [last, setLast] = useState("default");
  useEffect(() => {
    if (gateway) setLast(gateway);
  }, [gateway]);
  return gateway ?? last;
}

function Inside() {
  const account = useQuery(accountQuery);
  const gateway = useGateway();
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  usePageKeys(gateway, () => setPalette(true));
  useEffect(() => setMenu(false), [path]);
  const place = useMemo(() => (account.data ? { account: account.data, gateway } : null), [account.data, gateway]);

  if (account.error) {
    return (
      <main className="signin">
        <Problem error={account.error} />
      </main>
    );
  }
  if (!place) return null;
  return (
    <PlaceProvider value={place}>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <div className="shell">
        <Sidebar open={menu} />
        <button
          type="button"
          className="scrim"
          data-open={menu}
          aria-label="Close the menu"
          tabIndex={-1}
          onClick={() => setMenu(false)}
        />
        <div className="main">
          <header className="topbar">
            <Button
              look="quiet"
              icon
              className="topbar-menu"
              aria-label="Menu"
              aria-expanded={menu}
              onClick={() => setMenu(!menu)}
            >
              <MenuIcon size={18} aria-hidden />
            </Button>
            <Crumbs />
            <span className="grow" />
            <PaletteButton onOpen={() => setPalette(true)} />
            <ThemeMenu />
          </header>
          <main id="content" tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
      {palette ? <Palette onClose={() => setPalette(false)} /> : null}
    </PlaceProvider>
  );
}
