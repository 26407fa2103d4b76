// Runs before the first paint, so that a dark page never flashes white.
(function () {
  var root = document.documentElement;
  var system = window.matchMedia("(prefers-color-scheme: dark)");
  function saved() {
    try { return localStorage.getItem("theme"); } catch (e) { return null; }
  }
  function apply() {
    var choice = saved();
    var theme = choice === "dark" || choice === "light" ? choice : system.matches ? "dark" : "light";
    root.setAttribute("data-bs-theme", theme);
  }
  root.classList.add("js");
  apply();
  if (system.addEventListener) system.addEventListener("change", apply);
  window.jifenTheme = {
    toggle: function () {
      var next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", next); } catch (e) { /* private mode: the choice lasts for this page */ }
      root.setAttribute("data-bs-theme", next);
    },
  };
})();
