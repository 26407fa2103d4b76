// Comfort on top of pages that work without it.
(function () {
  "use strict";
  var words = document.body.dataset;

  // --- toasts ------------------------------------------------------------
  function toast(text, tone) {
    var box = document.getElementById("toasts");
    if (!box || !text) return;
    var item = document.createElement("div");
    item.className = "toast-item tone-" + (tone || "neutral");
    item.textContent = text;
    box.append(item);
    setTimeout(function () { item.remove(); }, tone === "danger" ? 9000 : 4000);
  }

  function sentence(status) {
    if (!status) return words.errorNetwork;
    if (status === 429) return words.errorBusy;
    if (status === 401) return words.errorSignedOut;
    return status >= 500 ? words.errorServer : words.errorRequest;
  }

  // A refusal comes as an error page whose sentence is written for this very case.
  function reason(xhr) {
    if (!/html/.test(xhr.getResponseHeader("Content-Type") || "")) return "";
    var page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    var text = page.querySelector("[data-error-text]");
    return text ? text.textContent.trim() : "";
  }

  document.addEventListener("htmx:responseError", function (event) {
    toast(reason(event.detail.xhr) || sentence(event.detail.xhr.status), "danger");
  });
  ["htmx:sendError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, function () { toast(words.errorNetwork, "danger"); });
  });
  // The server can ask for a toast: HX-Trigger: {"toast": {"text": "…", "tone": "success"}}
  document.addEventListener("toast", function (event) {
    toast(event.detail.text || event.detail.value, event.detail.tone);
  });

  // --- forms: one click sends once ---------------------------------------
  function buttons(form) {
    return form.querySelectorAll("button:not([type=button]), input[type=submit]");
  }
  function busy(form, on) {
    form.toggleAttribute("data-sending", on);
    buttons(form).forEach(function (button) {
      if (on && button.disabled) return;
      if (!on && !button.hasAttribute("data-was-enabled")) return;
      button.toggleAttribute("data-was-enabled", on);
      button.disabled = on;
    });
  }
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.hasAttribute("data-sending")) { event.preventDefault(); return; }
    if (event.defaultPrevented || form.method === "get" || form.target) return;
    form.setAttribute("data-sending", "");
    // Later, so that the name and value of the pressed button are still sent.
    setTimeout(function () { busy(form, true); }, 0);
    // A download answers without leaving the page.
    setTimeout(function () { busy(form, false); }, 8000);
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) document.querySelectorAll("form[data-sending]").forEach(function (form) { busy(form, false); });
  });
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.target.matches("form")) busy(event.target, true);
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.target.matches("form")) busy(event.target, false);
  });

  // --- a form that was refused because the session had ended comes back as it was filled in ---
  var KEPT = "kept-form";
  function fields(form) {
    return Array.from(form.elements).filter(function (field) {
      return field.name && !/^(hidden|password|file|submit|button)$/.test(field.type);
    });
  }
  function keep(form) {
    if (form.method !== "post" || form.querySelector("[type=password]")) return;
    var values = fields(form).map(function (field) { return [field.name, field.value, field.checked]; });
    sessionStorage.setItem(KEPT, JSON.stringify({ page: location.pathname, action: form.action, values: values }));
  }
  function restore(kept) {
    var form = Array.from(document.forms).find(function (each) { return each.action === kept.action; });
    if (!form) return;
    fields(form).forEach(function (field, place) {
      var was = kept.values[place];
      if (!was || was[0] !== field.name) return;
      if (/^(checkbox|radio)$/.test(field.type)) field.checked = was[2];
      else field.value = was[1];
    });
  }
  (function () {
    var kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    if (!kept) return;
    kept.refused = kept.refused || location.hash === "#kept"; // The server says so in the address it sends us to.
    var here = kept.refused && kept.page === location.pathname;
    if (here) restore(kept);
    if (here || (!kept.refused && !document.querySelector("[type=password]"))) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(kept));
  })();
  document.addEventListener("submit", function (event) { keep(event.target); }, true);

  // --- small helpers, found by their data attribute ------------------------
  function copy(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    var area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject();
  }

  document.addEventListener("click", function (event) {
    var target = event.target.closest("[data-theme-toggle],[data-copy],[data-step],[data-print]");
    if (target && target.matches("[data-theme-toggle]")) window.jifenTheme.toggle();
    if (target && target.matches("[data-print]")) window.print();
    if (target && target.matches("[data-copy]")) {
      copy(target.dataset.copy).then(
        function () { toast(words.copied, "success"); },
        function () { toast(words.copyFailed, "danger"); }
      );
    }
    if (target && target.matches("[data-step]")) {
      var input = target.parentElement.querySelector("input");
      if (target.dataset.step === "down") input.stepDown(); else input.stepUp();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("input", function (event) {
    var id = event.target.dataset.output;
    var output = id && document.getElementById(id);
    if (output) output.textContent = event.target.value;
    // A slider fills a field, which may end before the slider's last round step; and the other way round.
    var field = event.target.dataset.fills && document.getElementById(event.target.dataset.fills);
    if (field) field.value = Math.min(event.target.value, field.max);
    var slider = event.target.id && document.querySelector('[data-fills="' + CSS.escape(event.target.id) + '"]');
    if (slider) slider.value = event.target.value;
  });
})();
