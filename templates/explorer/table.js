// The terms with their formulas, what these define, and the bound with its numbers.

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

const roomLeft = () => minus(last.capacity, last.chosen.fixed);

// The bound with its numbers, n against P/(C - U), as the sides between which a line can break; without room with its condition.
function boundSides(face) {
  const { divided, fixed } = last.chosen, room = roomLeft();
  const known = { M_divided: divided, M_fixed: fixed, C_mem: last.capacity };
  const sign = data.strict ? ">" : "≥";
  const bare = [face.name(data.names[n]), face.sign(sign), typeset(data, face, data.bound)];
  if (order(room, 0n) <= 0) return [bare, [face.words("\u00a0if\u00a0"), face.name(data.names.C_mem), face.sign(">"), face.name(data.names.M_fixed)]];
  const quotient = shown(over(divided, room), "", 8);
  return [bare, [face.sign("="), typeset(data, face, data.bound, (name) => (name === "" ? true : known[name]))],
    [face.sign(quotient.exact ? "=" : "≈"), face.digits(grouped(quotient.figures))]];
}

// Where the condition fails, what every device holds in full against what it has.
function lackSides(face) {
  const side = order(roomLeft(), 0n), number = (value) => face.digits(grouped(decimalOf(value)));
  if (side > 0) return [];
  return [[face.name(data.names.M_fixed), face.sign("="), number(last.chosen.fixed)],
    [face.sign(side ? ">" : "="), face.name(data.names.C_mem), face.sign("="), number(last.capacity)]];
}

function bound() {
  const divided = order(last.chosen.divided, 0n), side = order(roomLeft(), 0n), fails = last.value === null && side <= 0;
  const lines = [last.value !== null || divided ? broken(boundSides(inMath), "the bound") : [], broken(lackSides(inMath), "the condition")];
  $("bound").replaceChildren(...lines.filter((one) => one.length).flatMap((one, place) => (place ? [node("br"), ...one] : one)));
  $("capacity").textContent = last.held.said + (fails ? ` ${data.said.fails[side || !divided ? 0 : 1]}` : "");
  $("rules").replaceChildren(...last.chosen.steps.map(({ rule, before, after }) => node("li", {}, `${rule.words}: ${told(before)} → ${after === null ? "no such number" : told(after)}`)));
  for (const side of $("bound").querySelectorAll("math")) side.firstChild.setAttribute("displaystyle", "true");
}
