const SLOW_AFTER = 8, MARKS = { waiting: "", running: "", done: "✓", failed: "✕", rejected: "!" };
const $ = id => document.getElementById(id);
let lang = "en", run = null, state = { steps: [], outcome: null, text: "", error: null, reason: "" };
const totals = { asked: 0, kept: 0, calls: 0, read: 0, written: 0, spent: 0, unpriced: false, alone: 0, aloneUnknown: false };
const say = key => WORDS[lang][key];
const tier = name => { const [kind, number] = name.split("_"); return (say(kind) || kind) + (number ? ` ${number}` : ""); };
const count = n => new Intl.NumberFormat(lang).format(n);
const seconds = s => `${s < 9.95 ? s.toFixed(1) : Math.round(s)} s`;
const money = usd => usd === null ? say("unknown") : (usd < 0 ? "−" : "") + "$" + (usd === 0 ? "0" : Math.abs(usd).toFixed(Math.abs(usd) < 0.01 ? 6 : 4));
const stored = (name, value) => { try { return value === undefined ? sessionStorage.getItem(name) : sessionStorage.setItem(name, value); } catch { return null; } };

function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) key === "class" ? node.className = value : node.setAttribute(key, value);
  node.append(...children);  // strings become text nodes: nothing that a document or a model says is read as markup
  return node;
}
const fill = (node, ...children) => node.replaceChildren(...children);
const announce = text => { $("status").textContent = text; };

function speak(code) {
  lang = code;
  document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = say(node.dataset.t);
  for (const node of document.querySelectorAll("[data-p]")) node.placeholder = say(node.dataset.p);
  for (const node of document.querySelectorAll("[data-l]")) node.setAttribute("aria-label", say(node.dataset.l));
  for (const node of document.querySelectorAll("[data-lang]")) node.setAttribute("aria-pressed", String(node.dataset.lang === code));
  draw();
}

// What happened, in the order in which it did; the tiers of a cascade are known only as they come.
function begin() {
  const at = performance.now();
  state = { steps: [{ kind: "retrieve" }, { kind: "drafts", tier: "small" }, { kind: "judges", tier: "small" }, { kind: "route" }], outcome: null, text: "", error: null, reason: "" };
  for (const step of state.steps) step.status = "waiting";
  start(state.steps[0], at);
}
function start(step, at) { if (step) { step.status = "running"; step.since = at ?? performance.now(); } }
function end(step, status, note) { if (step) { step.status = status; step.took = (performance.now() - (step.since ?? performance.now())) / 1000; step.note = note; } }
const running = () => state.steps.find(step => step.status === "running");
function insert(...steps) { state.steps.splice(state.steps.length - 1, 0, ...steps.map(step => ({ status: "waiting", ...step }))); }
const waiting = (kind, name) => state.steps.find(step => step.status === "waiting" && step.kind === kind && (!name || step.tier === name));

function progress(what) {
  const now = running(), name = what.tier || "small";
  if (what.event === "retrieved") { end(now, "done", { key: "found", value: what.passages }); start(waiting("drafts", name)); }
  else if (what.event === "drafted") {
    end(now, what.ok ? "done" : "failed", what.ok ? null : { key: "noDraft" });
    if (!waiting("judges", name)) insert({ kind: "judges", tier: name });
    start(waiting("judges", name));
  } else if (what.event === "verified") {
    state.reason = what.reason || "";
    end(now, what.accept ? "done" : "rejected", { key: what.verdict, confidence: what.confidence });
    start(waiting("route"));
  } else if (what.event === "escalated") {
    const next = what.tier || "large", route = state.steps.at(-1);
    route.status = "waiting"; route.note = null;
    insert({ kind: "drafts", tier: next });
    start(waiting("drafts", next));
  } else if (what.event === "answer") {
    const last = running();
    if (last && last.kind !== "route") end(last, what.degraded ? "failed" : "done", what.degraded ? { key: "noDraft" } : null);
    const route = state.steps.at(-1);
    end(route, "done", { route: what.route, degraded: what.degraded });
  }
}

function drawSteps() {
  const names = { retrieve: () => say("retrieve"), drafts: s => say("drafts")(tier(s.tier)), judges: s => s.tier === "small" ? say("judges") : say("judgesTier")(tier(s.tier)), route: () => say("route") };
  fill($("steps"), ...(state.steps.length ? state.steps : [{ kind: "retrieve" }, { kind: "drafts", tier: "small" }, { kind: "judges", tier: "small" }, { kind: "route" }]).map(step => {
    const status = step.status || "waiting";
    const item = el("li", { class: status }, el("span", { class: "mark", "aria-hidden": "true" }, MARKS[status]),
      el("span", { class: "name" }, names[step.kind](step), el("span", { class: "sr" }, ` – ${say("states")[status]}`)),
      el("time", {}, step.took === undefined || step.kind === "route" || status === "waiting" ? "" : seconds(step.took)));
    const note = told(step.note);
    if (note) item.append(el("span", { class: "note" }, note));
    return item;
  }));
}
function told(note) {
  if (!note) return "";
  if (note.route) return note.route === "abstain" ? say("abstain") : say("by")(tier(note.route));
  if (note.key === "found") return say("found")(note.value);
  return say(note.key) + (typeof note.confidence === "number" ? `, ${note.confidence.toFixed(2)}` : "");
}

function drawAnswer() {
  const out = state.outcome, shown = Boolean(out || run);
  $("answer-card").hidden = !shown;
  $("empty").hidden = shown || Boolean(run) || Boolean(state.error);
  const pill = !out ? el("span", { class: "pill" }, say(state.text ? "writing" : "working")) : out.degraded ? el("span", { class: "pill warn" }, say("degraded"))
    : out.route === "abstain" ? el("span", { class: "pill warn" }, say("abstain")) : el("span", { class: "pill good" }, say("by")(tier(out.route)));
  fill($("pills"), pill);
  $("answer").textContent = out ? out.answer : state.text || say("pending");
  $("answer").classList.toggle("pending", !out && !state.text);
  for (const id of ["why-card", "cost-card", "sources-card"]) $(id).hidden = !out;
  if (!out) return;
  fill($("why"), verdict(out));
  fill($("cost"), ...costs(out));
  fill($("sources"), ...out.documents.map(source));
  $("sources-card").hidden = !out.documents.length;
}
function verdict(out) {
  const kind = { CORRECT: "good", INCORRECT: "warn" }[out.verdict] || "bad";
  const list = el("dl", { class: "facts left" }, el("dt", {}, say("verdict")), el("dd", {}, el("span", { class: `pill ${kind}` }, say(out.verdict) || out.verdict)));
  const value = el("dd", {}, out.confidence === null ? say("none") : out.confidence.toFixed(2));
  if (out.confidence !== null) value.append(bar(out.confidence, "fill"));
  list.append(el("dt", {}, say("confidence")), value);
  if (state.reason) list.append(el("dt", {}, say("reason")), el("dd", {}, state.reason));
  const box = el("div", {}, list);
  if (out.route !== "small") box.append(el("p", { class: "quiet" }, say("judged")));
  return box;
}
function bar(share, kind) {
  const inner = el("div", { class: kind });
  inner.style.setProperty("--share", `${Math.max(0, Math.min(1, share)) * 100}%`);
  return el("div", { class: "track", "aria-hidden": "true" }, inner);
}
function costs(out) {
  const usage = out.usage, number = n => n === null || n === undefined ? "?" : count(n);
  const head = el("tr", {}, ...["call", "model", "read", "written", "seconds", "price"].map(key => el("th", { scope: "col" }, say(key))));
  const rows = usage.calls.map(call => el("tr", {}, el("td", {}, call.stage), el("td", {}, call.model + (call.error ? ` – ${say("failedCall")}: ${call.error}` : "")),
    el("td", {}, number(call.input_tokens)), el("td", {}, number(call.output_tokens)), el("td", {}, call.seconds.toFixed(1)), el("td", {}, money(call.cost))));
  const foot = el("tr", {}, el("td", {}, `${say("total")} (${count(usage.calls.length)})`), el("td", {}, ""), el("td", {}, count(usage.input_tokens)),
    el("td", {}, count(usage.output_tokens)), el("td", {}, usage.seconds.toFixed(1)), el("td", {}, money(out.cost)));
  const table = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "cost-title" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows), el("tfoot", {}, foot)));
  if (out.cost === null || usage.always_large_cost === null) return [el("p", { class: "quiet" }, say("noPrice")), table];
  const most = Math.max(out.cost, usage.always_large_cost) || 1, saved = usage.always_large_cost - out.cost;
  const line = (name, usd, kind) => [el("dt", {}, name), el("dd", {}, money(usd)), el("dd", { class: "wide" }, bar(usd / most, kind))];
  const alone = say("alwaysLarge") + (usage.always_large_estimated ? ` (${say("estimated")})` : "");
  return [el("dl", { class: "facts" }, ...line(say("thisAnswer"), out.cost, "fill"), ...line(alone, usage.always_large_cost, "fill other"),
    el("dt", {}, say(saved >= 0 ? "saved" : "lost")), el("dd", {}, el("span", { class: `pill ${saved >= 0 ? "good" : "warn"}` }, money(Math.abs(saved))))), el("h3", {}, ""), table];
}
function source(document_, index) {
  const data = document_.metadata || {}, where = [data.title || data.source || document_.id || say("source")(index + 1)];
  for (const key of ["page", "row", "line"]) if (key in data) where.push(`${key} ${data[key]}`);
  return el("li", {}, el("details", {}, el("summary", {}, where.map(String).join(", ")), el("p", {}, document_.text)));
}

function drawTotals() {
  const share = totals.asked ? ` (${Math.round(100 * totals.kept / totals.asked)} %)` : "";
  const usd = (sum, unknown) => unknown ? (sum ? `≥ ${money(sum)}` : say("unknown")) : money(sum);
  const rows = [["asked", count(totals.asked)], ["kept", count(totals.kept) + share], ["calls", count(totals.calls)], ["tokensRead", count(totals.read)], ["tokensWritten", count(totals.written)],
    ["spent", usd(totals.spent, totals.unpriced)], ["alwaysLarge", usd(totals.alone, totals.aloneUnknown)]];
  if (totals.asked && !totals.unpriced && !totals.aloneUnknown) rows.push([totals.alone >= totals.spent ? "saved" : "lost", money(Math.abs(totals.alone - totals.spent))]);
  fill($("totals"), ...rows.flatMap(([key, value]) => [el("dt", {}, say(key)), el("dd", {}, value)]));
}
function tally(out) {
  totals.asked += 1;
  totals.kept += out.route === "small" && !out.degraded ? 1 : 0;
  totals.calls += out.usage.calls.length;
  totals.read += out.usage.input_tokens;
  totals.written += out.usage.output_tokens;
  totals.spent += out.cost ?? out.usage.cost_at_least ?? 0;
  totals.unpriced ||= out.cost === null;
  totals.alone += out.usage.always_large_cost ?? 0;
  totals.aloneUnknown ||= out.usage.always_large_cost === null;
}

function drawError() {
  const error = state.error;
  $("error").hidden = !error;
  if (!error) return;
  const again = el("button", { type: "button" }, say("again"));
  again.addEventListener("click", () => $("form").requestSubmit());
  fill($("error"), el("p", {}, say("errors")[error.code] || error.message || say("failedWith")), el("div", { class: "row" }, again));
}
function drawSlow() {
  const waited = run ? Math.floor((performance.now() - run.since) / 1000) : 0;
  const slow = waited >= SLOW_AFTER;
  if (slow) $("slow").firstElementChild.textContent = say("slow")(waited);
  if (slow && $("slow").hidden) announce(say("slow")(waited));
  $("slow").hidden = !slow;
}
function draw() {
  drawSteps(); drawAnswer(); drawTotals(); drawError(); drawSlow();
  $("stop").hidden = !run;
  $("ask").setAttribute("aria-disabled", String(Boolean(run)));
}

async function* events(body) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const fields = Object.fromEntries(part.split("\n").map(line => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (fields.data) yield [fields.event, JSON.parse(fields.data)];
    }
  }
}
function headers() {
  const key = stored("automix-key");
  return { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
}
async function ask(question) {
  run = { abort: new AbortController(), since: performance.now() };
  run.timer = setInterval(drawSlow, 1000);
  const mine = run;
  begin(); announce(say("started")); draw();
  try {
    const body = JSON.stringify({ question, ...($("model").value ? { model: $("model").value } : {}) });
    const response = await fetch("ask", { method: "POST", headers: headers(), body, signal: mine.abort.signal });
    if (!response.ok) throw (await response.json()).error;
    for await (const [name, data] of events(response.body)) {
      if (name === "progress") progress(data);
      else if (name === "text") state.text += data.text;
      else if (name === "restart") { state.text = ""; announce(say("restarted")); }
      else if (name === "error") throw data.error;
      else if (name === "outcome") { state.outcome = data; tally(data); }
      draw();
    }
    if (!state.outcome) throw { code: "cut" };
    announce(`${say("finished")} ${state.outcome.answer}`);
  } catch (error) {
    if (mine.abort.signal.aborted) announce(say("stopped"));
    else {
      state.error = error && error.code && typeof error.code === "string" ? error : { code: "network" };
      if (state.error.code === "invalid_api_key") { $("key-row").hidden = false; $("key").focus(); }
    }
    if (!state.outcome) { state.text = ""; end(running(), "failed"); }
  } finally {
    clearInterval(mine.timer);
    run = null;
    draw();
  }
}

$("form").addEventListener("submit", event => {
  event.preventDefault();
  if (run) return;
  if ($("key").value) stored("automix-key", $("key").value.trim());
  const question = $("question").value.trim();
  if (question) ask(question); else { announce(say("blank")); $("question").focus(); }
});
$("question").addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("form").requestSubmit(); }
});
document.addEventListener("keydown", event => { if (event.key === "Escape" && run) run.abort.abort(); });
$("stop").addEventListener("click", () => { if (run) run.abort.abort(); $("question").focus(); });
for (const node of document.querySelectorAll("[data-lang]")) node.addEventListener("click", () => { stored("automix-lang", node.dataset.lang); speak(node.dataset.lang); });

async function policies() {
  try {
    const response = await fetch("v1/models", { headers: headers() });
    if (response.status === 401) { $("key-row").hidden = false; return; }
    const names = (await response.json()).data.map(model => model.id);
    fill($("model"), ...names.map(name => el("option", { value: name }, name)));
    $("model").hidden = $("model-label").hidden = names.length < 2;
  } catch { /* the first question will say what is wrong */ }
}
speak(stored("automix-lang") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
policies();
$("question").focus();
