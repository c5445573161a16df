import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Check, ChevronsUpDown, DoorOpen } from "lucide-react";
import { gatewaysQuery } from "../api/queries";
import { usePlace } from "../place";
import { Button } from "../ui/basics";
import { Menu, MenuItem, MenuLabel } from "../ui/overlays";
import { Mark } from "./Brand";
import { useNav } from "./nav";

export function Sidebar({ open }: { open: boolean }) {
  const { gateway } = usePlace();
  const nav = useNav();
  return (
    <nav className="sidebar" data-open={open} aria-label="Main">
      <Link to="/" className="brand">
        <Mark /> Tollgate
      </Link>
      <GatewaySwitch />
      {nav.map(({ label, items }) => (
        <div key={label}>
          <div className="nav-group">{label}</div>
          {items.map(({ label, to, icon: Icon }) => (
            <Link key={to} to={to} params={{ gateway }} className="nav-link">
              <Icon size={16} aria-hidden />
              {label}
            </Link>
          ))}
        </div>
      ))}
      <div className="sidebar-foot">
        <kbd>?</kbd> keys
      </div>
    </nav>
  );
}

function GatewaySwitch() {
  const place = usePlace();
  const gateways = useQuery(gatewaysQuery(place));
  const navigate = useNavigate();
  return (
    <Menu
      trigger={
        <Button className="gateway-switch">
          <span className="row cut">
            <DoorOpen size={15} aria-hidden />
            <span className="visually-hidden">Gateway: </span>
            <span className="cut">{place.gateway}</span>
          </span>
          <ChevronsUpDown size={14} aria-hidden />
        </Button>
      }
    >
      <MenuLabel>Gateways</MenuLabel>
      {(gateways.data ?? []).map(({ id }) => (
        <MenuItem
          key={id}
          onSelect={() => navigate({ to: "/g/$gateway/overview", params: { gateway: id } })}
          icon={id === place.gateway ? <Check size={14} aria-hidden /> : <span style={{ width: 14 }} />}
        >
          <span className="cut">{id}</span>
        </MenuItem>
      ))}
    </Menu>
  );
}
