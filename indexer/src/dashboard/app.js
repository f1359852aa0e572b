"use strict";
// The page is a view of the API: it loads everything, and loads again when an epoch changes. Amounts are decimal strings of
// wei and stay BigInt until they are text; a float would lie about money.

const ONE = 10n ** 18n;
const COLORS = 6;
const $ = (id) => document.getElementById(id);

/** Wei as DATA, cut (not rounded) to `digits` decimals. */
function data(wei, digits = 4) {
  const value = BigInt(wei);
  const part = (value % ONE).toString().padStart(18, "0").slice(0, digits).replace(/0+$/, "");
  const whole = group((value / ONE).toString());
  if (part === "" && value > 0n && value < ONE) return `<0.${"0".repeat(digits - 1)}1`;
  return part === "" ? whole : `${whole}.${part}`;
}

/** Wei as DATA with all decimals, for titles. */
const exact = (wei) => `${data(wei, 18)} DATA`;

function group(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

const short = (hex) => `${hex.slice(0, 8)}…${hex.slice(-4)}`;

function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) { count /= 1000; unit += 1; }
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}

/** An element with text; text is never parsed as markup. */
function el(name, text, attributes = {}) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const amount = (wei) => el("td", data(wei), { class: "n", title: exact(wei) });
const number = (value) => el("td", group(String(value)), { class: "n" });
const rowHead = (text) => el("th", text, { scope: "row" });

function cell(child) {
  const td = el("td");
  td.append(child);
  return td;
}

const hash = (hex) => (hex ? cell(el("code", short(hex), { title: hex })) : el("td", "–"));
const status = (text) => cell(el("span", text, { class: `status ${text}` }));

/** An epoch that was never posted is paid by a later root. */
function epochStatus(e) {
  const shown = status(e.status);
  if (e.settled_by !== null && e.settled_by !== e.epoch) shown.append(` paid with ${e.settled_by}`);
  return shown;
}

function fill(id, rows, columns, empty) {
  if (rows.length === 0) {
    const row = el("tr");
    row.append(el("td", empty, { colspan: columns, class: "empty" }));
    rows = [row];
  }
  $(id).replaceChildren(...rows);
}

function tr(...cells) {
  const row = el("tr");
  row.append(...cells);
  return row;
}

function showTotals(s) {
  const t = s.totals;
  const items = [
    ["Current epoch", s.current_epoch === null ? "not begun" : group(String(s.current_epoch))],
    ["Operators", t.operators], ["Streams", t.streams],
    ["Messages certified", group(String(t.messages))], ["Bytes certified", bytes(t.bytes)],
    ["Scheduled, DATA", data(t.scheduled), exact(t.scheduled)], ["Earned, DATA", data(t.earned), exact(t.earned)],
    ["Paid on chain, DATA", data(t.paid), exact(t.paid)], ["Refunded, DATA", data(t.refunded), exact(t.refunded)],
    ["Offences", t.offences],
  ];
  $("totals").replaceChildren(...items.map(([name, value, title]) => {
    const group = el("div");
    group.append(el("dt", name), el("dd", String(value), title ? { title } : {}));
    return group;
  }));
}

function showEpochs({ epochs }) {
  fill("epochs", epochs.map((e) => tr(
    rowHead(String(e.epoch)), epochStatus(e), number(e.messages),
    el("td", `${e.certified_parts} of ${e.sponsored_parts}`, { class: "n" }),
    amount(e.scheduled), amount(e.earned), amount(e.refunded), hash(e.root),
  )), 8, "no epochs yet: the first opens once the chain has been followed");
}

function showOperators({ operators }) {
  fill("operators", operators.map((o) => tr(
    rowHead(String(o.id)), hash(o.owner), number(o.nodes.length), amount(o.weight), amount(o.earned),
    amount(o.earned_by_kind.availability), amount(o.earned_by_kind.relay), amount(o.earned_by_kind.delivery),
    amount(o.earned_by_kind.attester), amount(o.paid), amount(o.slashed),
  )), 11, "no operator has registered");
}

function showEarnings({ epochs, operators }) {
  const head = tr(el("th", "Operator", { scope: "col" }),
    ...epochs.map((epoch) => el("th", String(epoch), { scope: "col", class: "n" })),
    el("th", "Sum", { scope: "col", class: "n" }));
  $("earnings-head").replaceChildren(...(epochs.length ? [head] : []));
  fill("earnings", epochs.length === 0 ? [] : operators.map((o) => {
    const sum = o.amounts.reduce((total, wei) => total + BigInt(wei), 0n);
    return tr(rowHead(String(o.operator)), ...o.amounts.map(amount), amount(sum));
  }), 1, "nothing was earned yet: the first epoch pays about two epochs after a stream is sponsored");
  showChart(epochs, operators);
}

/** Stacked bars, one per epoch. Heights are thousandths of the highest bar, in BigInt. */
function showChart(epochs, operators) {
  const sums = epochs.map((_, i) => operators.reduce((sum, o) => sum + BigInt(o.amounts[i]), 0n));
  const top = sums.reduce((a, b) => (a > b ? a : b), 0n);
  if (top === 0n) { $("chart").replaceChildren(); return; }
  const [width, height, step] = [600, 150, 600 / epochs.length];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const draw = (name, attributes, text) => {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    if (text !== undefined) shape.textContent = text;
    return shape;
  };
  svg.setAttribute("viewBox", `0 0 ${width} ${height + 16}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Earnings of epochs ${epochs[0]} to ${epochs.at(-1)}; the table below has the numbers`);
  epochs.forEach((epoch, i) => {
    let y = height;
    operators.forEach((o, index) => {
      const tall = Number((BigInt(o.amounts[i]) * 1000n) / top) * (height - 4) / 1000;
      y -= tall;
      const bar = draw("rect", {
        x: i * step + step * 0.15, y, width: Math.min(step * 0.7, 48), height: tall, class: `bar${(index % COLORS) + 1}`,
      });
      bar.append(draw("title", {}, `epoch ${epoch}, operator ${o.operator}: ${exact(o.amounts[i])}`));
      svg.append(bar);
    });
    svg.append(draw("text", { x: i * step + step * 0.15, y: height + 12 }, String(epoch)));
  });
  const legend = el("figcaption");
  legend.append(...operators.map((o, i) => el("span", `operator ${o.operator}`, { class: `bar${(i % COLORS) + 1}` })));
  $("chart").replaceChildren(svg, legend);
}

function showOffences({ offences }) {
  fill("offences", offences.map((o) => tr(
    rowHead(String(o.epoch)), el("td", o.kind.replace("_", " ")), el("td", o.operator === null ? "none" : String(o.operator)),
    hash(o.receiver), status(o.status), o.amount === null ? el("td", "–", { class: "n" }) : amount(o.amount),
  )), 6, "none: nobody contradicted itself");
}

async function get(path) {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail ?? `${path}: HTTP ${response.status}`);
  return body;
}

let loading = false;
let again = false;

async function load() {
  if (loading) { again = true; return; }
  loading = true;
  try {
    const parts = await Promise.all([
      get("status"), get("epochs?limit=12"), get("operators"), get("earnings?limit=10"), get("offences"),
    ]);
    [showTotals, showEpochs, showOperators, showEarnings, showOffences].forEach((show, i) => show(parts[i]));
    $("problem").hidden = true;
  } catch (error) {
    $("problem").textContent = `Not up to date: ${error.message}. Trying again.`;
    $("problem").hidden = false;
  } finally {
    loading = false;
    if (again) { again = false; setTimeout(load, 250); }
  }
}

function live(on, text) {
  $("live").textContent = text;
  $("live").classList.toggle("on", on);
}

function listen() {
  const source = new EventSource("events");
  source.onopen = () => { live(true, "live"); load(); };
  source.onerror = () => live(false, "polling");
  for (const name of ["epoch", "reload"]) source.addEventListener(name, load);
}

load();
listen();
// Counters move between epochs, and events may be blocked on the way: look again now and then.
setInterval(() => { if (!document.hidden) load(); }, 5000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) load(); });
