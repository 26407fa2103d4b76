// Checks receipts, checkpoints and the proofs between them on this device. Nothing is sent anywhere.
(function () {
  "use strict";
  var page = document.querySelector("[data-receipts]");
  if (!page) return;
  var input = page.querySelector("input[type=file]"), results = page.querySelector("[data-results]");
  var language = document.documentElement.lang;
  // Without a prototype: a file may call its kind "constructor".
  var kinds = Object.assign(Object.create(null), JSON.parse(page.dataset.kinds)), words = Object.create(null);
  template("words").querySelectorAll("[data-word]").forEach(function (word) {
    words[word.dataset.word] = word.textContent;
  });

  function template(name) { return document.querySelector("template[data-" + name + "]").content; }
  function say(word, facts) {
    return words[word].replace(/\{(\w+)\}/g, function (_, name) { return facts[name]; });
  }

  // --- hashes and Merkle trees (RFC 9162, section 2.1) -----------------------
  var text = new TextEncoder();
  function bytes(hex, length) {
    if (!/^([0-9a-f]{2})*$/.test(hex) || (length && hex.length !== 2 * length)) throw new Error("not a hash");
    return Uint8Array.from(hex.match(/../g) || [], function (pair) { return parseInt(pair, 16); });
  }
  function hex(found) {
    return Array.from(found, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
  }
  async function sha256() {
    var parts = Array.from(arguments), joined = new Uint8Array(parts.reduce(function (sum, part) { return sum + part.length; }, 0)), at = 0;
    parts.forEach(function (part) { joined.set(part, at); at += part.length; });
    return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
  }
  function leaf(data) { return sha256([0], data); }
  function node(left, right) { return sha256([1], left, right); }
  function half(number) { return Math.floor(number / 2); }

  async function rootByInclusion(found, index, size, path) {
    var last = size - 1;
    for (var part of path) {
      if (last === 0) return null;
      if (index % 2 || index === last) {
        found = await node(part, found);
        while (index % 2 === 0 && index) { index = half(index); last = half(last); }
      } else found = await node(found, part);
      index = half(index);
      last = half(last);
    }
    return last === 0 ? hex(found) : null;
  }

  async function isConsistent(first, second, firstRoot, secondRoot, path) {
    if (first === second) return path.length === 0 && firstRoot === secondRoot;
    var whole = first;
    while (whole % 2 === 0) whole = half(whole);
    var parts = whole === 1 ? [bytes(firstRoot, 32)].concat(path) : path.slice();
    if (!parts.length) return false;
    var place = first - 1, last = second - 1;
    while (place % 2) { place = half(place); last = half(last); }
    var smaller = parts[0], larger = parts[0];
    for (var part of parts.slice(1)) {
      if (last === 0) return false;
      if (place % 2 || place === last) {
        smaller = await node(part, smaller);
        larger = await node(part, larger);
        while (place % 2 === 0 && place) { place = half(place); last = half(last); }
      } else larger = await node(larger, part);
      place = half(place);
      last = half(last);
    }
    return last === 0 && hex(smaller) === firstRoot && hex(larger) === secondRoot;
  }

  // --- reading files: whatever is not as it should be throws -----------------
  function whole(value, least) {
    if (!Number.isSafeInteger(value) || value < least) throw new Error("not a number");
    return value;
  }
  function string(value) {
    if (typeof value !== "string") throw new Error("not a text");
    return value;
  }
  function readPath(path) { return path.map(function (part) { return bytes(part, 32); }); }
  function readCheckpoint(file) {
    if (file.format !== "jifen-checkpoint-1") throw new Error("no checkpoint");
    var told = JSON.parse(file.content);
    return {
      number: whole(told.number, 1), transfers: whole(told.transfers, 1), root: hex(bytes(told.root, 32)), content: file.content,
      hash: hex(bytes(file.hash, 32)), logRoot: hex(bytes(file.log.root, 32)), logPath: readPath(file.log.path)
    };
  }
  function readReceipt(file) {
    return {
      content: string(file.content), line: JSON.parse(file.content), salt: bytes(file.salt, 32), previous: bytes(file.previous, 32),
      explanation: file.explanation === null ? null : string(file.explanation), index: whole(file.leaf_index, 0),
      size: whole(file.tree_size, 1), path: readPath(file.path), checkpoint: readCheckpoint(file.checkpoint)
    };
  }
  function readProof(file) {
    return {
      first: whole(file.first, 1), second: whole(file.second, file.first), path: readPath(file.path)
    };
  }

  // --- the steps. Each is {title, state: "yes"|"no"|"open", detail, link, file} ---
  function step(title, holds, yes, no) {
    return { title: title, state: holds ? "yes" : "no", detail: holds ? yes : no };
  }
  async function stepsOfReceipt(found) {
    var number = found.checkpoint.number, steps = [];
    if (found.explanation === null) {
      steps.push({ title: words.reason, state: "open", detail: words["reason-gone"] });
    } else {
      var reason = hex(await sha256(found.salt, text.encode(found.explanation)));
      steps.push(step(words.reason, reason === found.line.explanation, "", words["reason-no"]));
    }
    var digest = await sha256(found.previous, await sha256(found.salt, text.encode(found.content)));
    var fits = found.size === found.checkpoint.transfers && found.index < found.size;
    var root = fits && await rootByInclusion(await leaf(digest), found.index, found.size, found.path);
    var facts = { number: number, place: found.index + 1, size: found.size, hash: hex(digest) };
    steps.push(step(say("path", facts), root === found.checkpoint.root, say("path-yes", facts), words["path-no"]));
    return steps.concat(await stepsOfCheckpoint(found.checkpoint));
  }
  async function stepsOfCheckpoint(found) {
    var facts = { number: found.number, hash: found.logRoot };
    var hash = hex(await sha256(text.encode(found.content)));
    var root = await rootByInclusion(await leaf(bytes(found.hash)), found.number - 1, found.number, found.logPath);
    return [
      step(say("seal", facts), hash === found.hash, found.hash, words["seal-no"]),
      step(say("log", facts), root === found.logRoot, say("log-yes", facts), words["log-no"])
    ];
  }
  async function stepBetween(one, other, proofs) {
    var facts = { number: one.number, first: one.number, second: other.number };
    if (one.number === other.number) {
      var same = one.hash === other.hash && one.logRoot === other.logRoot;
      return step(say("same", facts), same, one.hash, words["same-no"]);
    }
    var proof = proofs.find(function (each) { return each.first === one.number && each.second === other.number; });
    if (!proof) {
      var url = page.dataset.proofUrl.replace("FIRST", one.number).replace("SECOND", other.number);
      var name = "consistency-" + one.number + "-" + other.number + ".json";
      return { title: say("grown", facts), state: "open", detail: words["grown-open"], link: url, file: name };
    }
    var holds = await isConsistent(one.number, other.number, one.logRoot, other.logRoot, proof.path);
    return step(say("grown", facts), holds, "", words["grown-no"]);
  }

  // --- showing ---------------------------------------------------------------
  function figure(found, name, sign) {
    // From the text, because a number of the ledger can be larger than those of JavaScript.
    var digits = new RegExp('[{,]"' + name + '":(-?[0-9]+)').exec(found.content);
    return digits ? BigInt(digits[1]).toLocaleString(language, { signDisplay: sign || "auto" }) : "";
  }
  function moment(value) {
    var found = new Date(value), form = { dateStyle: "medium", timeStyle: "short", timeZone: page.dataset.zone };
    return isNaN(found) ? String(value) : found.toLocaleString(language, form);
  }
  function factsOfLine(found) {
    var line = found.line;
    var what = [kinds[line.kind] || line.kind, words[line.phase]].filter(Boolean).join(" · ");
    return [
      ["kind", what], ["amount", figure(found, "amount", "exceptZero")], ["occurred_at", moment(line.occurred_at)],
      ["recorded_at", moment(line.recorded_at)], ["balance_after", figure(found, "balance_after")],
      ["sequence", figure(found, "sequence")], ["key", line.key]
    ];
  }
  function anchor(label, url, file) {
    var link = template("link").cloneNode(true).firstElementChild;
    link.textContent = label;
    link.href = url;
    if (file) link.download = file;
    return link;
  }
  function show(title, steps, good, bad, facts) {
    var card = template("card").cloneNode(true), failed = steps.filter(function (each) { return each.state === "no"; }).length;
    card.querySelector("h2").textContent = title;
    var notice = template(failed ? "bad" : "good").cloneNode(true);
    notice.querySelector(".notice-body").textContent = failed ? say(bad, { count: failed, total: steps.length }) : words[good];
    card.querySelector("[data-verdict]").append(notice);
    facts.forEach(function (fact) {
      var row = document.createElement("div"), term = document.createElement("dt"), text = document.createElement("dd");
      term.textContent = words[fact[0]];
      text.textContent = fact[1];
      row.append(term, text);
      card.querySelector("[data-facts]").append(row);
    });
    if (!facts.length) card.querySelector("[data-facts]").remove();
    steps.forEach(function (each) {
      var item = template("step").cloneNode(true), line = item.querySelector("li");
      line.classList.add("is-" + each.state, { yes: "tone-success", no: "tone-danger", open: "tone-info" }[each.state]);
      line.querySelector("b").textContent = each.title;
      var spoken = document.createElement("span");
      spoken.className = "visually-hidden";
      spoken.textContent = words[each.state] + " ";
      line.querySelector("b").prepend(spoken);
      line.querySelector("small").textContent = each.detail + " ";
      if (each.link) line.querySelector("small").append(anchor(each.file, each.link, each.file));
      card.querySelector(".proof-steps").append(item);
    });
    var after = card.querySelector("[data-after]");
    results.append(card);
    return failed ? null : after;
  }
  async function showReceipt(name, found) {
    var after = show(name, await stepsOfReceipt(found), "good", "bad", factsOfLine(found));
    if (!after) return;
    var checkpoint = found.checkpoint, url = page.dataset.checkpointUrl + checkpoint.number;
    after.append(words.compare + " ", anchor(say("compare-link", { hash: checkpoint.hash.slice(0, 16) + "…" }), url));
  }
  function showUnreadable(name) {
    show(name, [{ title: words.unreadable, state: "no", detail: "" }], "good", "bad", []);
  }

  async function check(files) {
    results.textContent = "";
    var checkpoints = [], proofs = [], steps = [];
    for (var file of files) {
      var found = null;
      try {
        var content = JSON.parse(await file.text());
        if (content.format === "jifen-receipt-1") {
          found = readReceipt(content);
          checkpoints.push(found.checkpoint);
          await showReceipt(file.name, found);
        } else if (content.format === "jifen-consistency-1") {
          proofs.push(readProof(content));
        } else {
          found = readCheckpoint(content);
          checkpoints.push(found);
          steps = steps.concat(await stepsOfCheckpoint(found));
        }
      } catch (_error) {
        showUnreadable(file.name);
      }
    }
    checkpoints.sort(function (one, other) { return one.number - other.number; });
    for (var at = 1; at < checkpoints.length; at += 1) {
      steps.push(await stepBetween(checkpoints[at - 1], checkpoints[at], proofs));
    }
    if (steps.length) show(words.checkpoints, steps, "good-log", "bad-log", []);
    results.scrollIntoView({ block: "nearest" });
  }

  if (!window.crypto || !crypto.subtle) {
    page.querySelector("[data-insecure]").hidden = false;
    page.querySelector("[data-drop]").hidden = true;
    return;
  }
  var drop = page.querySelector("[data-drop]");
  input.addEventListener("change", function () { check(Array.from(input.files)); });
  ["dragenter", "dragover"].forEach(function (name) {
    drop.addEventListener(name, function (event) { event.preventDefault(); drop.classList.add("is-over"); });
  });
  ["dragleave", "drop"].forEach(function (name) {
    drop.addEventListener(name, function (event) { event.preventDefault(); drop.classList.remove("is-over"); });
  });
  drop.addEventListener("drop", function (event) { check(Array.from(event.dataTransfer.files)); });
})();
