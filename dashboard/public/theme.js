// Before the first paint, so that nobody sees the wrong theme flash.
(() => {
  const chosen = localStorage.getItem("tollgate.theme");
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
