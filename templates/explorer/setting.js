// What the page holds, the setting of the study, the one that is shown, and what a reader may type.

// Rows that come by columns, of which whole numbers say how much each is more than the one before.
function rowsOf(columns) {
  const risen = columns.map((column) => {
    let value = 0;
    return column.every(Number.isInteger) ? column.map((step) => (value += step)) : column;
  });
  return risen[0].map((_, row) => risen.map((column) => column[row]));
}

// Rows of which the last three columns say how much of the row before stands first, how much last, and what is between.
function raggedOf(columns) {
  const [firsts, lasts, between] = columns.slice(-3);
  let values = [];
  return rowsOf(columns.slice(0, -3)).map((head, row) => {
    values = [...values.slice(0, firsts[row]), ...between[row], ...values.slice(values.length - lasts[row])];
    return [...head, ...values];
  });
}

// Lists with one of the signs, in which a place less than nothing is so far before their own.
const nearIn = (listed, signs) => listed.map((one, place) => (Array.isArray(one) && signs.includes(one[0]) ? one.map((part) => (part < 0 ? place + part : part)) : one));

// Runs of instants, of which each says how far it begins from the end of the one before.
function putRuns(ledgers) {
  let end = 0;
  for (const ledger of ledgers) ledger.instants = ledger.instants.map((value, at) => { end += value; return at % 2 ? value : end; });
}

const data = JSON.parse(document.getElementById("data").textContent);
data.instants = raggedOf(data.instants);
data.terms = rowsOf(data.terms);
data.nodes = nearIn(data.nodes, "+*Mmcf");
data.trees = nearIn(data.trees, "*r/kv(F^");
putRuns(data.ledgers);
const n = data.n;
const symbols = data.symbols.map(([name]) => name);
const holds = new Set(data.held.map(([name]) => name)); // what has no field
const MOST = BigInt(data.most);

const own = {
  chosen: data.choices.map(() => 0),
  device: data.devices[0].name,
  reading: data.reading,
  amount: null, // of memory, in place of a device
  shares: {}, // that are typed, in place of those of the options
  values: Object.fromEntries(data.symbols.map(([name, value]) => [name, BigInt(value)])),
  typed: [],
  shows: data.shows === null ? null : BigInt(data.shows), // a number of devices that is given
};
const copyOf = (setting) => ({ ...setting, chosen: [...setting.chosen], shares: { ...setting.shares }, values: { ...setting.values }, typed: [...setting.typed] });

// What the page holds where options are chosen: of the first choices one at most is not the study's. Nothing for other options.
function madeOf(chosen) {
  const counts = data.choices.map(([, , , options]) => options.length), { single } = data;
  const others = chosen.slice(0, single).filter((one) => one);
  if (others.length > 1) return undefined;
  let place = 0;
  for (let one = 0; others.length && !chosen[one]; one++) place += counts[one] - 1;
  place += others[0] ?? 0;
  for (let one = single; one < counts.length; one++) place = place * counts[one] + chosen[one];
  return data.made[place];
}
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
