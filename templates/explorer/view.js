// What follows from the setting: the answer and the figures at once, what is further down a moment later.

const WAITS = 120; // milliseconds until what is further down is drawn
let after, waiting = 0, waits = document.documentElement.hidden ? 1000 : WAITS; // later where nothing stands yet

// What is below the window is drawn when nothing else is to be done, or is scrolled to, and at once for the printer.
function drawBelow() {
  clearTimeout(waiting);
  waiting = setTimeout(flush, waits);
  waits = WAITS;
}

function flush() {
  clearTimeout(waiting);
  if (waiting && last) {
    drawStep(), drawTable(), region(), drawInverse();
  }
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

const holeText = (name, pieces) => fill(data.said[name], pieces);

const capacityLine = () => inPlain(holeText("capacity line", { size: last.held.few || told(last.capacity, last.held.unit) }));

function drawAll() {
  const said = sentence(data, last), { at, moment, parts, total } = stateOf(last);
  const unit = last.held.unit, line = capacityLine();
  const answer = $("answer");
  if (inPlain(said) !== answer.dataset.said) {
    answer.dataset.said = inPlain(said);
    answer.replaceChildren(...put(said));
  }
  document.body.classList.toggle("none", last.value === null);
  const when = last.ledger.step || last.moments.length > 1 ? `, at ${moment.words}` : "";
  $("bar-caption").replaceChildren(
    ...(at === null ? ["What every device holds in full, however many there are"] : ["One device of ", grouped(at.toString())]), `: ${told(total, unit)}${when}`);
  drawBar($("bar"), parts, last.capacity, unit, line);
  $("legend").replaceChildren(...parts.map(([name, size], place) => node("li", {}, swatch(place), `${name}: ${told(size, unit).replaceAll(" ", "\u00a0")}`)));
  const floor_ = last.moments.reduce((most, one) => (order(one.fixed, most) > 0 ? one.fixed : most), 0n);
  const curve = { capacity: line, floor: holeText("floor line", { size: told(floor_, unit) }), fits: inPlain(holeText("fits", {})), axis: ["number of devices, ", [n]] };
  drawCurve($("curve"), last, curve, inPlain(said));
  $("step-figure").hidden = !last.ledger.step;
  drawAgainst();
}

function drawTable() {
  const { at, moment, parts, total } = stateOf(last);
  table(at, moment, parts, last.held.unit, total);
  const beyond = beyondAt(data, last, at);
  $("beyond").textContent = beyond === null || !order(beyond, 0n) ? "" : `What is not counted takes up to ${told(beyond, last.held.unit)} on one device at one moment, where sizes are known. `;
  bound();
  if (data.command !== null) $("command").textContent = commandOf(setting);
  $("settings").textContent = settingsLine();
}

function drawStep() {
  if (!last.ledger.step) return;
  const at = atOf(last), phases = ["forward", "loss", "backward", "step"];
  const moments = [...last.given.moments].sort((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase) || a.turn - b.turn);
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
  const most = at === null ? last.chosen : last.given.fullest(at);
  drawColumns($("step"), columns, last.capacity, last.held.unit, capacityLine(), `One device at ${columns.length} instants of a step; it is fullest at ${most.words}`);
  $("step-legend").replaceChildren(...series.map((name, place) => node("li", {}, swatch(place), name)));
  $("step-caption").textContent = `One device at the ${columns.length} instants of a step that can decide; it is fullest at ${most.words}`;
}

function settingsLine() {
  const device = data.devices.find((one) => one.name === setting.device);
  const chosen = data.choices.filter(([, , , options]) => options.length > 1).map(([name, head, , options]) => `${head}: ${name in setting.shares ? shareWords(setting.shares[name]) : options[setting.chosen[data.choices.findIndex((one) => one[0] === name)]][1]}`);
  return [...symbols.map((name) => `${name} = ${grouped(decimalOf(setting.values[name]))}`), setting.amount ?? `${device.title} (${setting.reading})`, ...chosen].join("; ");
}
