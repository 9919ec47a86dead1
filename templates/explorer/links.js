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
  data.choices.forEach(([name, , option, options], place) => {
    if (name in to.shares) found.push([option, to.shares[name].name]);
    else if (to.chosen[place]) found.push([option, options[to.chosen[place]][0]]);
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
function readAddress(link) {
  const told = new URLSearchParams(new URL(link).hash.slice(1)), a = told.get("A");
  kept = a === null ? null : solve(data, readSetting(new URLSearchParams(a)));
  return readSetting(told);
}

function readSetting(told) {
  const read = copyOf(own), shares = [];
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
    } else if (name === "place") shares.push(value);
  }
  try {
    takeShares(read, readShares(shares.join(" ")));
  } catch { /* no shares: the study's own stay */ }
  return refused(data, read, derive(read)) === null ? read : copyOf(own);
}
