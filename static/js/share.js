// The phone's own way to share, where there is one; the link to copy stands beside it.
(function () {
  "use strict";
  if (!navigator.share) return;
  document.querySelectorAll("[data-share]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var data = { text: button.dataset.shareText, url: button.dataset.share };
      navigator.share(data).catch(function () { /* Somebody changed their mind. */ });
    });
  });
})();
