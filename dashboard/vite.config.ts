import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` serves the sources and passes everything else on to a gateway that runs already.
const gateway = process.env.TOLLGATE_URL ?? "http://127.0.0.1:8787";
const passed = ["/client", "/v1", "/metrics", "/readyz", "/dashboard/session"];

export default defineConfig({
  base: "/dashboard/",
  plugins: [react()],
  build: {
    outDir: "dist/web",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy permits neither inline scripts nor data: modules.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: { proxy: Object.fromEntries(passed.map((path) => [path, gateway])) },
});
