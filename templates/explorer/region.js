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

// The two sizes that can be chosen; made when they are first shown.
function axes() {
  const free = symbols.filter((name) => !data.formulas[name] && fields[name]);
  for (const [id, first] of [["across", "B"], ["down", "S"]]) {
    const chosen = $(id);
    chosen.append(...free.map((name) => node("option", { value: name }, name)));
    chosen.value = free.includes(first) ? first : free[id === "across" ? 0 : Math.min(1, free.length - 1)];
    chosen.addEventListener("change", () => region());
  }
}

function region() {
  if (!$("across").firstChild) axes();
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
