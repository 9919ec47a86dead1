// The other way round: the largest batch and the largest length that fit on as many devices, by bisection, exactly.

// The largest value of a symbol with which one of m devices holds no more than it has; null where none fits, or all do.
function largestOf(setting, name, m) {
  const moves = depending(data.nodes, [name]);
  const known = solve(data, setting).number.found.map((value, place) => (moves[place] ? undefined : value));
  const fits = (value) => {
    const trial = { ...copyOf(setting), shows: m };
    trial.values[name] = value;
    const { given, limit } = solve(data, trial, known);
    return given.moments.every(({ fixed, divided }) => holdsIn(limit, plus(fixed, over(divided, m))));
  };
  let low = 0n, high = setting.values[name];
  while (high <= MOST && fits(high)) [low, high] = [high, 2n * high];
  if (high > MOST) return null;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const chunks = BigInt(madeOf(setting.chosen)[5] || 1), other = setting.values[name === "B" ? "S" : "B"];
  const factor = chunks / common(chunks, other);
  return low - (low % factor) || null;
}

// The symbols that can be asked after: a length that a plan divides, or what other values follow from, has rules of its own.
function asked() {
  if (Object.keys(data.formulas).length) return [];
  const divided = data.demands.some(([kind]) => kind === "plan");
  return ["B", "S"].filter((name) => symbols.includes(name) && !holds.has(name) && !(name === "S" && divided));
}

function drawInverse() {
  const at = atOf(last), names = at === null ? [] : asked();
  const found = names.map((name) => [name, largestOf(last.setting, name, at)]).filter(([, value]) => value !== null);
  const said = found.flatMap(([name, value], place) => [place ? " and the largest " : "the largest ", symbolMath(name), ` is ${told(value)}`]);
  $("inverse").replaceChildren(...(found.length ? ["With ", symbolMath(n), ` = ${told(at)} and all else as it is, `, ...said, "."] : []));
}
