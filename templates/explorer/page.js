// The page: fields on the left, what follows from them on the right. Every text is set as text, never as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const n = data.n;
const symbols = data.symbols.map(([name]) => name);
const holds = new Set(data.held.map(([name]) => name)); // what has no field
const MOST = BigInt(data.most);

function node(name, attributes = {}, ...parts) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...parts);
  return made;
}

const symbolMath = (name) => math([inMath.name(data.names[name] || [name, ""])], name);
const put = (parts) => parts.map((part) => (typeof part === "string" ? part : symbolMath(part[0])));

// The setting of the study, and the one that is shown.

const own = {
  chosen: data.choices.map(() => 0),
  device: data.devices[0].name,
  reading: data.reading,
  amount: null, // of memory, in place of a device
  values: Object.fromEntries(data.symbols.map(([name, value]) => [name, BigInt(value)])),
  typed: [],
  shows: data.shows === null ? null : BigInt(data.shows), // a number of devices that is given
};
const copyOf = (setting) => ({ ...setting, chosen: [...setting.chosen], values: { ...setting.values }, typed: [...setting.typed] });
let setting = copyOf(own), last = null, kept = null;
const invalid = new Map(); // a field, and why what stands in it is not taken

// Sizes that follow from others, unless the reader has typed one.
function derive(to) {
  const waiting = Object.keys(data.formulas).filter((name) => !to.typed.includes(name));
  for (let round = 0; round < waiting.length + 1; round++) {
    const number = numbersOf(data.nodes, to.values);
    for (const name of waiting) to.values[name] = number(data.formulas[name][0]);
  }
  return waiting.map((name) => [name, data.formulas[name][1]]);
}

// What a reader types: a whole number, its digits grouped as anybody likes, or 4e3.
function numberOf(name, text) {
  const bare = text.trim().replace(/(?<=\d)[,_\s\u202f](?=\d)/g, "");
  const said = data.said.refusals, put = (template) => template.replaceAll("{name}", name).replaceAll("{value}", text.trim() || "nothing");
  const match = /^(\d+)(?:e\+?(\d{1,3}))?$/i.exec(bare);
  if (!match) throw put(said["not allowed"]);
  if (match[1].length + Number(match[2] || 0) > 40 + 1) throw put(said["too large"]);
  const value = BigInt(match[1]) * 10n ** BigInt(match[2] || 0);
  if (value > MOST) throw put(said["too large"]);
  if (value < 1n) throw put(said["not allowed"]);
  return value;
}

// Fields.

const fields = {};
const STEPS = 10; // doublings in each direction of a slider

function sliderValues(name) {
  const centre = own.values[name], found = new Set();
  for (let k = -STEPS; k <= STEPS; k++)
    for (const halves of [2n, 3n]) {
      const [up, down] = [BigInt(Math.max(k, 0)), BigInt(Math.max(-k, 0))];
      const value = (((centre * halves) << up) / (1n << down) + 1n) / 2n; // rounded
      if (value > 0n && value <= MOST) found.add(value);
    }
  return [...found].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function field(name) {
  const [, , meaning, unit] = data.names[name];
  const range = node("input", { type: "range", min: 0, "aria-label": `${name}, ${meaning}` });
  const exact = node("input", { type: "text", inputmode: "numeric", id: `field-${name}`, autocomplete: "off", spellcheck: "false", "aria-describedby": `why-${name}` });
  const why = node("p", { class: "why", id: `why-${name}`, role: "alert" });
  const values = sliderValues(name);
  range.max = values.length - 1;
  range.addEventListener("input", () => take(name, values[Number(range.value)]));
  exact.addEventListener("input", () => {
    try {
      take(name, numberOf(name, exact.value), exact);
    } catch (refusal) {
      if (typeof refusal !== "string") throw refusal;
      invalid.set(name, refusal);
      marks();
    }
  });
  exact.addEventListener("change", () => invalid.has(name) || show());
  fields[name] = { range, exact, why, values, unit };
  const label = node("label", { for: `field-${name}`, title: unit ? `${meaning}, in ${unit}` : meaning }, symbolMath(name), node("span", { class: "meaning" }, meaning));
  return node("div", { class: "field" }, label, range, exact, why);
}

function take(name, value, typing) {
  setting.values[name] = value;
  if (data.formulas[name] && !setting.typed.includes(name)) setting.typed.push(name);
  invalid.delete(name);
  update(typing);
}

function select(id, label, options, chosen) {
  const made = node("select", { id });
  const why = node("p", { class: "why" });
  made.addEventListener("change", () => chosen(made.selectedIndex));
  fields[id] = { select: made, options };
  made.append(...options.map((text) => node("option", {}, text)));
  return node("div", { class: "field chosen" }, node("label", { for: id }, label), made, why);
}

// A field in which something may be written or not; `taken` takes it, or throws why it does not.
function written(name, label, attributes, taken) {
  const exact = node("input", { type: "text", id: name, autocomplete: "off", spellcheck: "false", "aria-describedby": `why-${name}`, ...attributes });
  const why = node("p", { class: "why", id: `why-${name}`, role: "alert" });
  exact.addEventListener("input", () => {
    try {
      taken(exact.value.trim());
      invalid.delete(name);
      update(exact);
    } catch (refusal) {
      if (typeof refusal !== "string") throw refusal;
      invalid.set(name, refusal);
      marks();
    }
  });
  fields[name] = { exact, why };
  return node("div", { class: "field chosen" }, node("label", { for: name }, ...label), exact, why);
}

// What the plan holds fast, in one line.
const heldLine = () => (data.held.length ? [node("p", { class: "reason held" }, "held by the plan: ", ...data.held.flatMap(([name, value], at) =>
  [at ? ", " : "", math([inMath.name(data.names[name]), inMath.sign("="), inMath.digits(grouped(value))], `${name} = ${value}`)]))] : []);

function build() {
  $("fields").addEventListener("submit", (event) => event.preventDefault());
  const group = (title, ...parts) => (parts.length ? [node("fieldset", {}, node("legend", {}, title), ...parts)] : []);
  const readings = () => Object.entries(data.devices.find((one) => one.name === setting.device).readings);
  const device = select("device", "device", data.devices.map((one) => one.title), (place) => {
    setting.device = data.devices[place].name;
    setting.amount = null;
    invalid.delete("amount");
    const names = readings().map(([name]) => name);
    if (!names.includes(setting.reading)) setting.reading = names[0];
    update();
  });
  const reading = select("reading", "label read as", [], (place) => {
    setting.reading = readings()[place][0];
    setting.amount = null;
    invalid.delete("amount");
    update();
  });
  const choose = (name) => {
    const place = data.choices.findIndex(([one]) => one === name);
    if (place < 0) return [];
    const [, head, , options] = data.choices[place];
    return options.length < 2 ? [] : [select(`choose-${name}`, head, options.map(([, text]) => text), (option) => {
      setting.chosen[place] = option;
      update();
    })];
  };
  const amount = written("amount", ["or so much"], { placeholder: "such as 80 GiB" }, (text) => {
    if (text) heldOfAmount(data, text);
    setting.amount = text || null;
  });
  const shows = written("shows", ["shown at ", symbolMath(n)], { inputmode: "numeric", placeholder: "the answer" }, (text) => {
    setting.shows = text ? numberOf(n, text) : own.shows;
  });
  $("fields").append(
    ...group("Sizes", ...symbols.filter((name) => !holds.has(name)).map(field)),
    ...group("Device", device, reading, amount, shows),
    ...group("How it is trained", ...["recipe", "loss", "recompute"].flatMap(choose)),
    ...group("Where it lives", ...["plan", ...data["kind names"]].flatMap(choose), ...heldLine()),
  );
  const free = symbols.filter((name) => !data.formulas[name] && fields[name]);
  for (const [id, first] of [["across", "B"], ["down", "S"]]) {
    const chosen = $(id);
    chosen.append(...free.map((name) => node("option", { value: name }, name)));
    chosen.value = free.includes(first) ? first : free[id === "across" ? 0 : Math.min(1, free.length - 1)];
    chosen.addEventListener("change", () => region());
  }
  for (const [id, text] of [["copy-command", () => commandOf(setting)], ["copy-link", linkOf], ["copy-latex", () => latexOf(last)]])
    $(id).addEventListener("click", () => copy($(id), text()));
  $("keep").addEventListener("click", () => keep(copyOf(last.setting)));
  $("forget").addEventListener("click", () => keep(null));
  $("reset").addEventListener("click", () => {
    setting = copyOf(own);
    invalid.clear();
    update();
  });
  if (data.command === null) $("copy-command").hidden = true;
  if (!hasAddress) $("copy-link").hidden = true;
}

// What is shown.

function marks() {
  for (const [name, { exact, why }] of Object.entries(fields)) {
    if (!exact) continue;
    const refusal = invalid.get(name) || "";
    exact.setAttribute("aria-invalid", String(!!refusal));
    if (why.textContent !== refusal) why.textContent = refusal;
  }
}

function show(typing) {
  for (const name of symbols.filter((one) => fields[one])) {
    const { range, exact, values, unit } = fields[name];
    const value = setting.values[name];
    if (exact !== typing && !invalid.has(name)) exact.value = whole(value) ? grouped(value.toString()) : decimalOf(value);
    const place = values.findIndex((one) => order(one, value) >= 0);
    range.value = place < 0 ? values.length - 1 : place;
    range.setAttribute("aria-valuetext", `${decimalOf(value)} ${unit}`.trim());
  }
  if (fields.shows.exact !== typing && !invalid.has("shows")) fields.shows.exact.value = setting.shows === null ? "" : grouped(setting.shows.toString());
  if (fields.amount.exact !== typing && !invalid.has("amount")) fields.amount.exact.value = setting.amount ?? "";
  const place = data.devices.findIndex((one) => one.name === setting.device), byName = setting.amount === null;
  fields.device.select.selectedIndex = byName ? place : -1;
  const readings = Object.entries(data.devices[place].readings), { select } = fields.reading;
  const texts = readings.map(([name, one]) => (name ? `${name}: ${one.few || told(fractionOf(one.bytes), one.unit)}` : one.said));
  if (texts.join("\n") !== [...select.options].map((one) => one.text).join("\n")) select.replaceChildren(...texts.map((text) => node("option", {}, text)));
  select.selectedIndex = byName ? readings.findIndex(([name]) => name === setting.reading) : -1;
  data.choices.forEach(([name], choice) => {
    const own = fields[`choose-${name}`];
    if (own) own.select.selectedIndex = setting.chosen[choice];
  });
  marks();
}

let after, waiting = 0;
const WAITS = 120, FIRST = 1000; // milliseconds without a change, and after the start, until what is further down is drawn

// What is below the window is drawn when nothing else is to be done, or is scrolled to, and at once for the printer.
function drawBelow() {
  clearTimeout(waiting);
  waiting = setTimeout(flush, $("terms").firstChild ? WAITS : FIRST);
}

function flush() {
  clearTimeout(waiting);
  if (waiting && last) drawTable(), region(), drawInverse();
  waiting = 0;
}
for (const sign of ["beforeprint", "scroll", "keydown", "pointerdown"]) addEventListener(sign, flush, { passive: true });

function update(typing) {
  const derived = derive(setting);
  show(typing);
  const refusal = refused(data, setting, derived);
  $("refused").textContent = refusal === null ? "" : `Not taken: ${refusal}. What is shown is the last setting that is possible.`;
  document.body.classList.toggle("stale", refusal !== null);
  if (refusal !== null) return;
  last = solve(data, copyOf(setting));
  drawAll();
  drawBelow();
  clearTimeout(after);
  if (hasAddress) after = setTimeout(writeAddress, 200);
}

const atOf = (found) => found.setting.shows || found.value;
const bytesAt = (term, at) => (at === null ? term.fixed : term.uneven ? profileAt(term.uneven, at) : plus(term.fixed, over(term.divided, at)));

// The instant that is shown, the number of devices, and the parts of one of them.
function stateOf(found) {
  const at = atOf(found), moment = at === null ? found.chosen : found.given.fullest(at);
  const parts = partsOf(moment.terms, (term) => { const own = bytesAt(term, at); return order(own, 0n) ? own : null; });
  return { at, moment, parts: merged(parts), total: [...parts.values()].reduce(plus, 0n) };
}

const swatch = (place) => node("span", { class: `swatch series-${place}`, "aria-hidden": "true" });
const holeText = (name, pieces) => fill(data.said[name], pieces);

function drawAll() {
  const said = sentence(data, last), { at, moment, parts, total } = stateOf(last);
  const unit = last.held.unit, room = last.held.few || told(last.capacity, unit);
  const answer = $("answer");
  if (inPlain(said) !== answer.dataset.said) {
    answer.dataset.said = inPlain(said);
    answer.replaceChildren(...put(said));
  }
  document.body.classList.toggle("none", last.value === null);
  const line = inPlain(holeText("capacity line", { size: room }));
  const when = last.ledger.step || last.moments.length > 1 ? `, at ${moment.words}` : "";
  const held = `${inPlain([[n]])} = ${at === null ? "∞" : grouped(at.toString())}: ${told(total, unit)}`;
  $("bar-caption").replaceChildren(
    ...(at === null ? ["What every device holds in full, however many there are"] : ["One device of ", grouped(at.toString())]), `: ${told(total, unit)}${when}`);
  drawBar($("bar"), parts, last.capacity, line);
  $("legend").replaceChildren(...parts.map(([name, size], place) => node("li", {}, swatch(place), `${name}: ${told(size, unit)}`)));
  const floor_ = last.moments.reduce((most, one) => (order(one.fixed, most) > 0 ? one.fixed : most), 0n);
  const curve = { capacity: line, floor: holeText("floor line", { size: told(floor_, unit) }), fits: inPlain(holeText("fits", {})), axis: ["number of devices, ", [n]] };
  drawCurve($("curve"), last, held, curve, inPlain(said));
  drawStep(line, unit);
  $("capacity").textContent = last.held.said;
  if (data.command !== null) $("command").textContent = commandOf(setting);
  drawAgainst();
  $("settings").textContent = settingsLine();
}

function drawTable() {
  const { at, moment, parts, total } = stateOf(last);
  table(at, moment, parts, last.held.unit, total);
  bound();
}

function drawStep(line, unit) {
  const at = atOf(last), shown = last.ledger.step, { moments } = last.given;
  $("step-figure").hidden = !shown;
  if (!shown) return;
  const names = new Map(), columns = moments.map((moment) => {
    const parts = new Map();
    for (const term of moment.terms) {
      const name = data["kind names"][term.kind] === "buffers" ? term.name : data.kinds[term.kind];
      parts.set(name, plus(parts.get(name) || 0n, bytesAt(term, at)));
    }
    for (const [name, size] of parts) if (!names.has(name) || order(size, names.get(name)) > 0) names.set(name, size);
    return { group: moment.phase, words: moment.words, own: parts };
  });
  const series = merged(names).map(([name]) => name), own = series.filter((name) => names.has(name));
  for (const column of columns) {
    let rest = 0n;
    for (const [name, size] of column.own) if (!own.includes(name)) rest = plus(rest, size);
    column.parts = series.map((name) => (names.has(name) ? column.own.get(name) || 0n : rest));
  }
  const phases = ["forward", "loss", "backward", "step"];
  columns.sort((a, b) => phases.indexOf(a.group) - phases.indexOf(b.group));
  const most = at === null ? last.chosen : last.given.fullest(at);
  drawColumns($("step"), columns, series, last.capacity, line, `One device at ${columns.length} instants of a step; it is fullest at ${most.words}`);
  $("step-legend").replaceChildren(...series.map((name, place) => node("li", {}, swatch(place), name)));
  $("step-caption").textContent = `One device at the ${columns.length} instants of a step that can decide; it is fullest at ${most.words}`;
}

function numbersPut(found) {
  const parts = Object.entries(data.defined);
  const known = Object.fromEntries(parts.map(([name, [place]]) => [name, found.number(place)]));
  return (name) => (name === "" ? true : found.setting.values[name] ?? known[name]);
}

// A formula in pieces between which a line can break: before the signs of a sum, and `inner` ones, where parentheses alone
// are wider than a line.
function pieces(place, put) {
  const own = data.trees[place], head = Array.isArray(own) ? own[0] : "", found = [[]];
  const join = (more, first) => {
    if (first && found.at(-1).length) found.push([]);
    found.at(-1).push(...more[0]);
    found.push(...more.slice(1));
  };
  const breaks = (at) => Array.isArray(data.trees[at]) && "r(*".includes(data.trees[at][0]);
  if (head === "r") for (const part of own.slice(1)) join(pieces(part, put), Array.isArray(data.trees[part]) && data.trees[part][0] === "o");
  else if (head === "*" && own.slice(1).some(breaks)) {
    const dotted = put !== undefined;
    own.slice(1).forEach((part, at) => {
      if (at) found.at(-1).push(inMath.between(dotted));
      join(pieces(part, put), false);
    });
  } else if (head === "(" && breaks(own[2])) {
    const inner = pieces(own[2], put);
    if (inner.flat().some((one) => one.localName === "mfrac" || one.querySelector("mfrac, msqrt"))) return [[typeset(data, inMath, place, put)]];
    inner[0].unshift(inMath.fence(own[1], "prefix"));
    inner.at(-1).push(inMath.fence(own[3], "postfix"));
    for (const piece of inner.slice(1)) piece.inner = true;
    join(inner, false);
  } else found[0].push(typeset(data, inMath, place, put));
  return found;
}

// Pieces as one <math> each, with a place where a line can break before each but the first, which has the words for all.
function broken(lines, words) {
  const made = [];
  lines.forEach((parts, place) => {
    if (place && parts[0].localName === "mo") parts[0].setAttribute("form", "infix");
    const own = math(parts, place ? "" : words);
    if (!parts.inner) return made.push(...(place ? [node("wbr"), own] : [own]));
    if (made.at(-1).localName === "math") made.push(node("span", { class: "whole" }, made.pop()));
    made.at(-1).append(node("wbr"), own);
  });
  return made;
}

// A formula and, after it, the same with the numbers put in. It is made once; `line.write` puts other numbers in.
function line(tree, spoken) {
  const put = numbersPut(last), slots = [];
  put.made = (name, number) => slots.push([name, number]);
  const formula = pieces(tree), numbers = pieces(tree, put);
  numbers[0].unshift(inMath.sign("="));
  const equal = broken(numbers, spoken), first = equal[0].localName === "math" ? equal[0] : equal[0].firstChild;
  const write = (value) => {
    const put = numbersPut(last);
    for (const [name, number] of slots) {
      const text = inDigits(grouped(decimalOf(put(name))));
      if (number.textContent !== text) number.textContent = text;
    }
    first.setAttribute("alttext", `= ${value}`);
  };
  return { nodes: [...broken(formula, spoken), ...(slots.length ? [formula.length > 2 ? node("br") : " ", ...equal] : [])], write };
}

const madeRows = new Map();

// The row of a term, made once: its numbers are written anew.
function rowOf(term) {
  const key = `${term.tree} ${term.name}`;
  if (!madeRows.has(key)) {
    const { nodes, write } = line(term.tree, term.name), mark = node("span", { "aria-hidden": "true" });
    const bytes = node("td", { class: "right", "data-head": "bytes in all" }), own = node("td", { class: "right", "data-head": "one device" });
    const row = node("tr", {}, node("th", { scope: "row" }, mark, term.name), node("td", { class: "formula", "data-head": "formula" }, ...nodes), bytes, own);
    madeRows.set(key, { row, mark, bytes, own, write });
  }
  return madeRows.get(key);
}

function table(at, moment, parts, unit, total) {
  const names = parts.map(([name]) => name);
  const rows = moment.terms.filter((term) => term.there || order(term.bytes, 0n)).map((term) => {
    const place = names.indexOf(partName(term)), made = rowOf(term), own = bytesAt(term, at);
    const rest = names.length === SERIES && order(own, 0n) ? SERIES - 1 : null, series = place < 0 ? rest : place;
    made.mark.className = series === null ? "" : `swatch series-${series}`;
    made.bytes.textContent = grouped(decimalOf(term.bytes));
    made.own.textContent = told(own, unit);
    made.write(made.bytes.textContent);
    return made.row;
  });
  rows.push(node("tr", { class: "total" }, node("th", { scope: "row" }, "together"), node("td", {}), node("td", { class: "right", "data-head": "bytes in all" }, grouped(decimalOf(sum(moment.terms, "bytes")))),
    node("td", { class: "right", "data-head": "one device" }, told(total, unit))));
  const there = [...$("terms").children];
  if (rows.length !== there.length || rows.slice(0, -1).some((row, place) => row !== there[place])) $("terms").replaceChildren(...rows);
  else there.at(-1).replaceWith(rows.at(-1));
  const used = Object.keys(data.defined).filter((name) => moment.terms.some((term) => mentions(term.tree, name)));
  $("defined").replaceChildren(...used.map((name) => {
    const [place, tree] = data.defined[name], value = grouped(decimalOf(last.number(place)));
    const { nodes, write } = line(tree, name);
    write(value);
    return node("p", {}, math([inMath.name(data.names[name]), inMath.sign("=")], name), " ", ...nodes, " ", math([inMath.sign("="), inMath.digits(value)], value));
  }));
}

function mentions(place, name) {
  const tree = data.trees[place];
  if (typeof tree === "string") return tree === name;
  const [head, ...parts] = tree;
  if ("neto".includes(head)) return false;
  if (head === "(") return mentions(parts[1], name);
  return (head === "F" ? parts.slice(1) : parts).some((part) => mentions(part, name));
}

// The bound with its numbers, n against P/(C - U), as the sides between which a line can break.
function boundSides(face) {
  const { divided, fixed } = last.chosen, room = minus(last.capacity, fixed);
  const known = { M_div: divided, M_divided: divided, M_fix: fixed, M_fixed: fixed, C_mem: last.capacity };
  const sign = data.strict ? ">" : "≥";
  const sides = [[face.name(data.names[n]), face.sign(sign), typeset(data, face, data.bound)],
    [face.sign("="), typeset(data, face, data.bound, (name) => (name === "" ? true : known[name]))]];
  if (order(room, 0n) > 0) {
    const quotient = shown(over(divided, room), "", 8);
    sides.push([face.sign(quotient.exact ? "=" : "≈"), face.digits(grouped(quotient.figures))]);
  }
  return sides;
}

function bound() {
  const shows = last.value !== null || order(last.chosen.divided, 0n);
  $("bound").replaceChildren(...(shows ? broken(boundSides(inMath), "the bound") : []));
  $("rules").replaceChildren(...last.chosen.steps.map(({ rule, before, after }) => node("li", {}, `${rule.words}: ${told(before)} → ${after === null ? "no such number" : told(after)}`)));
  for (const side of $("bound").querySelectorAll("math")) side.firstChild.setAttribute("displaystyle", "true");
}

// The smallest n over two sizes, around the present setting.
const CELLS = 7;

// Doublings and halves of a size that are whole, with the size itself among them.
function around(name) {
  const value = last.setting.values[name], found = [];
  for (let k = -3; found.length < CELLS; k++) {
    const one = times(value, power(2n, k));
    if (whole(one)) found.push(one);
  }
  return found;
}

function region() {
  if (!last) return;
  const across = $("across").value, down = $("down").value;
  const figure = $("region");
  const xs = around(across), ys = around(down);
  $("across-name").replaceChildren(symbolMath(across));
  $("down-name").replaceChildren(symbolMath(down));
  const moves = depending(data.nodes, [across, down, ...Object.keys(data.formulas)]);
  const known = last.number.found.map((value, place) => (moves[place] ? undefined : value));
  const entries = ys.map((y) => xs.map((x) => {
    if (across === down && x !== y) return undefined;
    const trial = copyOf(last.setting);
    trial.values[across] = x;
    trial.values[down] = y;
    const derived = derive(trial);
    return refused(data, trial, derived) === null ? solve(data, trial, known).value : undefined;
  }));
  const write = (value) => grouped(value.toString());
  const here = [ys.indexOf(last.setting.values[down]), xs.indexOf(last.setting.values[across])];
  const told = ys.map((y, row) => `${down} = ${y}: ${entries[row].map((one) => (one === undefined ? "not possible" : one ?? "none")).join(", ")}`);
  const said = `The smallest ${n} at ${across} = ${xs.join(", ")}. ${told.join(". ")}`;
  drawCells(figure, ys.map(write), xs.map(write), entries, [down, across], here, said);
}

// Links, commands, LaTeX.

const hasAddress = location.protocol !== "about:";

const wordsOf = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

// What differs from the study, as options of the command line.
function optionsOf(to) {
  const found = [];
  for (const name of symbols) {
    const follows = data.formulas[name] && !to.typed.includes(name);
    if (!follows && order(to.values[name], own.values[name])) found.push(["--set", `${name}=${to.values[name]}`]);
  }
  if (to.shows !== null && to.shows !== own.shows) found.push(["--set", `${n}=${to.shows}`]);
  if (to.amount !== null) found.push(["--capacity", to.amount]);
  else if (to.device !== own.device) found.push(["--device", to.device]);
  if (to.amount === null && (to.reading !== own.reading || (to.device !== own.device && to.reading))) found.push(["--reading", to.reading]);
  data.choices.forEach(([, , option, options], place) => {
    if (to.chosen[place]) found.push([option, options[to.chosen[place]][0]]);
  });
  return found;
}

// The symbols that the answer reads; the command line refuses to set any other.
const namesIn = (found) => data.nodes.filter((node, place) => typeof node === "string" && found.number.found[place] !== undefined);

function commandOf(to) {
  const [start, options] = data.command;
  const asked = to === last?.setting || to === setting ? namesIn(last) : symbols;
  const mine = optionsOf(to).filter(([option, value]) => option !== "--set" || [...asked, n].includes(value.split("=")[0]));
  const key = ([option, value]) => (option === "--set" || option === "--place" ? `${option} ${value.split("=")[0]}` : option);
  const taken = new Set(mine.map(key));
  if (taken.has("--device") || taken.has("--capacity")) ["--device", "--capacity", "--reading"].forEach((one) => taken.add(one));
  const theirs = options.filter((one) => !taken.has(key(one)));
  return [...start, ...[...theirs, ...mine].map(([option, value]) => (value === "" ? option : `${option} ${wordsOf(value)}`))].join(" ");
}

function fragmentOf(to) {
  const told = new URLSearchParams();
  for (const [option, value] of optionsOf(to)) {
    const [name, amount] = option === "--set" ? value.split("=") : [option.slice(2), value];
    told.append(name === n ? "shows" : name, amount);
  }
  return told.toString();
}

// The setting behind the #, and after it that of A, where one is kept.
function addressOf() {
  const mine = fragmentOf(setting);
  return kept === null ? mine : `${mine}${mine && "&"}A=${encodeURIComponent(fragmentOf(kept.setting))}`;
}

const linkOf = () => location.href.split("#")[0] + (addressOf() ? `#${addressOf()}` : "");

function writeAddress() {
  const written = addressOf();
  if (written !== location.hash.slice(1)) history.replaceState(null, "", written ? `#${written}` : location.pathname + location.search);
}

// Read a link; what is not known or not allowed is left as the study has it.
function readAddress() {
  const told = new URLSearchParams(location.hash.slice(1)), a = told.get("A");
  kept = a === null ? null : solve(data, readSetting(new URLSearchParams(a)));
  return readSetting(told);
}

function readSetting(told) {
  const read = copyOf(own);
  for (const [name, value] of told) {
    const place = data.choices.findIndex(([, , option, options]) => option === `--${name}` && options.some(([own]) => own === value));
    if (symbols.includes(name) || name === "shows") {
      try {
        const number = numberOf(name, value);
        if (name === "shows") read.shows = number;
        else read.values[name] = number;
        if (data.formulas[name]) read.typed.push(name);
      } catch { /* not a number that is allowed: the study's own stays */ }
    } else if (name === "capacity") {
      try {
        heldOfAmount(data, value.trim());
        read.amount = value.trim();
      } catch { /* no amount of memory: the study's own device stays */ }
    } else if (name === "device") {
      const one = data.devices.find((device) => device.name === value);
      if (one) [read.device, read.reading] = [value, one.readings[read.reading] ? read.reading : Object.keys(one.readings)[0]];
    } else if (name === "reading") {
      if (data.devices.find((device) => device.name === read.device).readings[value]) read.reading = value;
    } else if (place >= 0) {
      read.chosen[place] = data.choices[place][3].findIndex(([own]) => own === value);
    }
  }
  return refused(data, read, derive(read)) === null ? read : copyOf(own);
}

function latexOf(found) {
  const { moment } = stateOf(found), put = numbersPut(found);
  const rows = moment.terms.filter((term) => term.there).map((term) => {
    const formula = typeset(data, inTex, term.tree), numbers = typeset(data, inTex, term.tree, put);
    const equal = formula === numbers ? "" : ` = ${numbers}`;
    return `\\text{${inTexText(term.name)}:}\\quad & ${formula}${equal} = ${grouped(decimalOf(term.bytes)).replaceAll(",", "\\,")}\\ \\text{bytes}`;
  });
  const told = inPlain(sentence(data, found));
  return `% ${told}\n\\begin{align*}\n${rows.join(" \\\\\n")}\n\\end{align*}\n\\[ ${boundSides(inTex).flat().join("")} \\]\n`;
}

const inTexText = (text) => text.replace(/[\\{}$&#%_^~]/g, (sign) => (sign === "\\" ? "\\textbackslash{}" : sign === "^" || sign === "~" ? `\\${sign}{}` : `\\${sign}`));

async function copy(button, text) {
  const given = $("given");
  try {
    await navigator.clipboard.writeText(text);
    given.hidden = true;
    $("copied").textContent = `${button.textContent}: done`;
  } catch {
    given.hidden = false;
    given.value = text;
    given.select();
    $("copied").textContent = document.execCommand("copy") ? `${button.textContent}: done` : "Select the text and copy it";
  }
}

function settingsLine() {
  const device = data.devices.find((one) => one.name === setting.device);
  const chosen = data.choices.filter(([, , , options]) => options.length > 1).map(([, head, , options], place) => `${head}: ${options[setting.chosen[data.choices.findIndex((one) => one[1] === head)]][1]}`);
  return [...symbols.map((name) => `${name} = ${grouped(decimalOf(setting.values[name]))}`), setting.amount ?? `${device.title} (${setting.reading})`, ...chosen].join("; ");
}

