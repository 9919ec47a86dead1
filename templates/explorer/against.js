// Two settings side by side: A is kept, B is the one that is shown; the difference part by part.

function keep(as) {
  kept = as === null ? null : solve(data, as);
  update();
  if (kept) $("against").scrollIntoView({ block: "nearest" });
}

// Every part of one device, as `stateOf` shows it, before small ones are merged.
function everyPart(found) {
  const { at, moment } = stateOf(found);
  return partsOf(moment.terms, (term) => { const own = bytesAt(term, at); return order(own, 0n) ? own : null; });
}

function signed(value, unit) {
  const one = shown(size(value), unit);
  return `${one.exact ? "" : "≈ "}${order(value, 0n) < 0 ? "−" : "+"}${plain({ ...one, exact: true })}`;
}

function drawAgainst() {
  $("against").hidden = kept === null;
  $("forget").hidden = kept === null;
  if (kept === null) return;
  const sides = [kept, last].map(everyPart), names = [...new Set(sides.flatMap((one) => [...one.keys()]))];
  const of = (side, name) => side.get(name) || 0n;
  const largest = new Map(names.map((name) => [name, sides.map((one) => of(one, name)).reduce((a, b) => (order(a, b) > 0 ? a : b))]));
  const series = merged(largest).map(([name]) => name), rest = names.filter((name) => !series.includes(name));
  const parts = (side) => series.map((name) => [name, names.includes(name) ? of(side, name) : rest.reduce((all, one) => plus(all, of(side, one)), 0n)]);
  [["a", kept], ["b", last]].forEach(([id, found], place) => {
    const unit = found.held.unit, room = found.held.few || told(found.capacity, unit);
    $(`said-${id}`).replaceChildren(...put(sentence(data, found)));
    drawBar($(`bar-${id}`), parts(sides[place]), found.capacity, unit, inPlain(holeText("capacity line", { size: room })));
  });
  $("against-legend").replaceChildren(...series.map((name, place) => node("li", {}, swatch(place), name)));
  const unit = last.held.unit, total = (side) => [...side.values()].reduce(plus, 0n);
  const row = (name, a, b, look) => node("tr", { class: look },
    node("th", { scope: "row" }, name),
    ...[["A", told(a, unit)], ["B", told(b, unit)], ["B − A", order(a, b) ? signed(minus(b, a), unit) : "the same"]]
      .map(([head, text]) => node("td", { class: "right", "data-head": head }, text)));
  const listed = names.map((name) => row(name, of(sides[0], name), of(sides[1], name), ""));
  $("gaps").replaceChildren(...listed, row("together", total(sides[0]), total(sides[1]), "total"));
  const [from, to] = [optionsOf(kept.setting), optionsOf(last.setting)].map((options) => options.map((one) => one.join(" ")));
  const only = (mine, theirs) => mine.filter((one) => !theirs.includes(one)).join(" ") || "as the study";
  $("apart").textContent = from.join() === to.join() ? "Both are the same setting: change something." : `A: ${only(from, to)}. B: ${only(to, from)}.`;
}
