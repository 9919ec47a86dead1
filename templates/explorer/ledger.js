// The answer: what one device holds at each instant as U + P/n, the smallest n of the instant that asks for most, and its words.

// Terms by their places, each made once: its bytes, its pieces on a device, what of them is divided over n, and what is not.
function termsOf(data, placement, number, layouts) {
  const made = [];
  return (place) => (made[place] ??= term(place));
  function term(place) {
    const [name, kind, layer, node, degree, grows, tree, experts, cut] = data.terms[place];
    const bytes = number(node);
    const by = degree.length ? number(degree[0]) : 1n, own = degree.length > 0 && degree[1];
    const placed = placement.kinds[data["kind names"][kind]], pieces = [];
    const put = (share, by, byN) => pieces.push({ share, bytes: share === 1n ? bytes : times(share, bytes), by, byN });
    if (!placed) put(1n, by, own);
    else {
      const [p, q, kept, over_, byN, ofExperts, expertsByN] = placed, apart = experts && ofExperts !== undefined;
      const share = fractionOf([p, q]);
      if (order(share, 0n)) put(share, times(by, number(apart ? ofExperts : over_)), own || (apart ? expertsByN : byN));
      if (kept && order(share, 1n)) put(minus(1n, share), by, own);
    }
    const found = { name: data.words[name], kind, layer, bytes, pieces, cut: cut && cutOf(cut, number), grows, tree };
    const { divided, fixed } = profileOf([found], []);
    const uneven = cut && layouts.length ? profileOf([found], layouts) : null;
    return { ...found, divided, fixed, uneven, there: !!order(plus(divided, fixed), 0n) };
  }
}

// How a rule cuts a term: rows, with the bytes of each, and for sequences what does not grow with them.
function cutOf([kind, ...places], number) {
  if (kind === "samples") return { kind, rows: [[number.values.B, number(places[0])]], rest: number(places[1]) };
  const rows = [];
  for (let at = 0; at < places.length; at += 2) rows.push([number(places[at]), number(places[at + 1])]);
  return { kind, rows };
}

const sum = (terms, what) => terms.reduce((all, term) => plus(all, term[what]), 0n);
const STATIC = ["weights", "gradients", "optimizer"];
const partName = (term) => (term.layer ? "activations" : term.name);

// Bytes by the names of parts, in their order; the activations of all layers are one part.
function partsOf(terms, bytes) {
  const parts = new Map();
  for (const term of terms) {
    const own = bytes(term);
    if (own !== null) parts.set(partName(term), plus(parts.get(partName(term)) || 0n, own));
  }
  return parts;
}

function firstDegree(divided, fixed, capacity, strict) {
  const room = minus(capacity, fixed), side = order(room, 0n);
  if (side > 0) {
    const quotient = over(divided, room), n = strict ? floor(quotient) + 1n : ceiling(quotient);
    return n > 0n ? n : 1n;
  }
  return side === 0 && divided === 0n && !strict ? 1n : null;
}

// A ledger has pairs: the first of some instants that follow each other, and how many they are.
function instantsOf(data, ledger) {
  const found = [], runs = ledger.instants;
  for (let place = 0; place < runs.length; place += 2) found.push(...data.instants.slice(runs[place], runs[place] + runs[place + 1]));
  return found;
}

// The instants that there are at these numbers of blocks; of those inside one block the fullest alone, where that is decided.
function instantsAt(data, ledger, placement, number) {
  const there = instantsOf(data, ledger).filter((instant) => {
    const [count, least, most] = data.counts[instant[2]];
    const blocks = number(count);
    return order(blocks, BigInt(least)) >= 0 && (most === undefined || order(blocks, BigInt(most)) <= 0);
  });
  if (placement.kinds.activations || placement.kinds.buffers) return there;
  const most = new Map();
  for (const instant of there) {
    const [, , , group, inside] = instant;
    if (group < 0) continue;
    const size = number(inside);
    if (!most.has(group) || order(size, most.get(group)[0]) > 0) most.set(group, [size, instant]);
  }
  return there.filter((instant) => instant[3] < 0 || most.get(instant[3])[1] === instant);
}

// Which numbers of blocks a ledger has not the instants of.
const unmet = ({ when }, number) => when.find(([node, , several, rest, least, most = Infinity]) => {
  const found = number(node);
  return Number(found % BigInt(several)) !== rest || found < least || found > most;
});

// A ledger, or that of the other numbers of blocks.
function ledgerOf({ ledgers }, place, number) {
  const ledger = ledgers[place];
  return ledger.or !== undefined && unmet(ledger, number) ? ledgers[ledger.or] : ledger;
}

// What a setting asks for: who lives where, and what counts of one device; with `alone` at the instants of one device.
function solve(data, setting, known, alone = false) {
  const made = madeOf(setting.chosen);
  const number = numbersOf(data.nodes, setting.values, known);
  const ledger = ledgerOf(data, made[alone ? 4 : 0], number), placement = placementOf(data, made[1], setting.shares);
  const held = heldIn(data, setting);
  const capacity = fractionOf(held.bytes);
  const limit = { capacity, strict: data.strict }, rules = rulesAt(data.ruled[made[2]], number);
  const layouts = rules.filter((rule) => rule.layout).map((rule) => rule.kind), ranks = BigInt(made[3]);
  const term = termsOf(data, placement, number, layouts);
  const moments = instantsAt(data, ledger, placement, number).map((instant) => {
    const terms = [...data.states[instant[5]], ...instant.slice(6)].map(term);
    const { ideal, value, profile, steps, reason } = degreeUnder(terms, rules, limit);
    const [phase, turn] = data.turns[instant[1]];
    return { words: data.words[instant[0]], phase, turn, terms, ...ideal, ideal: ideal.value, value, profile, steps, reason };
  });
  const at = (moment, n) => profileAt(moment.profile, n);
  const asks = (a, b) => {
    if (a.value === null || b.value === null) {
      if (a.value !== b.value) return a.value === null ? 1 : -1;
      return Number(a.ideal === null) - Number(b.ideal === null) || order(a.ideal ?? a.fixed, b.ideal ?? b.fixed);
    }
    return order(a.value, b.value) || order(at(a, a.value), at(b, b.value));
  };
  const chosen = moments.reduce((most, one) => (asks(one, most) > 0 ? one : most));
  const value = chosen.value;
  const seen = new Map(); // what is fullest at some n, looked for once
  const fullest = (n) => {
    if (!seen.has(n)) {
      const held = moments.map((one) => at(one, n));
      seen.set(n, moments[held.reduce((most, one, place) => (order(one, held[most]) > 0 ? place : most), 0)]);
    }
    return seen.get(n);
  };
  const found = { ledger, placement, held, capacity, limit, moments, chosen, value, at, fullest, number, setting, rules, ranks };
  const first = BigInt(data.ledgers[made[4]].first ?? 1); // the fewest devices, which have a step of their own
  const other = !alone && made[4] !== made[0] && (setting.shows === first || mayBeOne(found, first));
  const one = other ? solve(data, setting, known, true) : null;
  found.given = one && setting.shows === first ? one : found;
  found.most = (n) => (one && n === first ? one.most(n) : at(fullest(n), n));
  found.share = value === null ? null : found.most(value);
  return one && one.value === first ? { ...one, given: setting.shows === null ? one : found.given } : found;
}

// Whether the fewest devices can be enough, or are one step below those that are: the instant that asks for most, without what is gathered for it.
const GATHERED = ["gathered weights", "gradients of whole weights"];
function mayBeOne({ value, chosen, limit }, first) {
  if (value !== null && value <= 2n * first) return true;
  const own = chosen.terms.filter((term) => !GATHERED.includes(term.name));
  return own.length < chosen.terms.length && holdsIn(limit, plus(over(sum(own, "divided"), first), sum(own, "fixed")));
}

// Fill a sentence: texts stay, a list names a hole (or a symbol), which becomes its piece.
function fill(template, pieces) {
  return template.flatMap((part) => (typeof part === "string" ? [part] : part.length > 1 ? [part] : [].concat(pieces[part[0]])));
}

// The most tokens for each device that leave room, where what is held in full is a constant and a part in proportion to B S.
function mostTokens(found, setting) {
  let slope = 0n, rest = 0n;
  for (const term of found.chosen.terms) {
    if (!order(term.fixed, 0n)) continue;
    if (term.grows === null) return null;
    if (term.grows) slope = plus(slope, term.fixed);
    else rest = plus(rest, term.fixed);
  }
  if (!order(slope, 0n)) return null;
  const tokens = times(setting.values.B, setting.values.S);
  const limit = over(times(minus(found.capacity, rest), tokens), slope);
  return order(limit, 1n) <= 0 ? null : ceiling(limit) - 1n;
}

function whyNone(data, found, setting) {
  const [fixed, room] = apart(found.chosen.fixed, found.capacity, found.held.unit);
  const pieces = { fixed, counted: found.held.few || room };
  if (found.ledger.step) {
    const parts = [...partsOf(found.chosen.terms, (term) => (term.there && order(term.fixed, 0n) ? term.fixed : null))];
    const [name, size] = parts.reduce((most, one) => (order(one[1], most[1]) > 0 ? one : most));
    const remedy = data.said.remedies[name] || data.said.remedy;
    return fill(data.said["full at"], { ...pieces, at: found.chosen.words, name, size: told(size, found.held.unit), remedy });
  }
  const most = mostTokens(found, setting);
  if (most !== null) return fill(data.said["full of tokens"], { ...pieces, most: told(most) });
  const states = !found.chosen.terms.some((term) => !STATIC.includes(data["kind names"][term.kind]) && term.there);
  return fill(data.said[states ? "full of states" : "full"], pieces);
}

// Why no number obeys the rules.
function whyNever(data, found) {
  const { code, kept = 0n, rule = "", rules, needed } = found.chosen.reason;
  const [least, room] = apart(kept, found.capacity, "bytes", 14);
  return fill(data.said[`never, ${code}`], { kept: least, room, rule, rules: rules.map((one) => one.words).join(" and "), needed: told(needed) });
}

// The most that is not counted at one moment on one device, at a number of them; null where none is known, as of shares that are typed.
function beyondAt(data, { setting: { shares, values }, ledger: { beside } }, at) {
  return beside && at && !Object.keys(shares).length ? numbersOf(data.nodes, { ...values, [n]: at })(beside) : null;
}

// The answer and what it must not say alone.
function sentence(data, found) {
  const { value, setting: { shows } } = found, said = answerOf(data, found);
  if (beyondAt(data, found, value) === null) return said;
  const tried = shows === null || shows === value || !fitsAt(found, shows) ? [value] : [value, shows];
  const most = (one) => (one === value ? found : found.given).most(one);
  const full = tried.filter((one) => !holdsIn(found, plus(most(one), beyondAt(data, found, one))));
  if (full.length === tried.length) return [...said, " ", ...data.said.beside];
  return said.concat(...full.map((one) => [" ", ...fill(data.said["beside at"], { value: told(one) })]));
}

// Whether a number that is given fits, and the smallest.
function answerOf(data, found) {
  const smallest = smallestSentence(data, found);
  const { shows } = found.setting;
  if (shows !== null && shows === found.value && !found.rules.length) {
    const left = told(minus(found.capacity, found.given.most(shows)), found.held.unit);
    return [...smallest, " ", ...fill(data.said["that is"], { left })];
  }
  return found.setting.shows === null ? smallest : [...givenSentence(data, found, found.setting.shows), " ", ...smallest];
}

function smallestSentence(data, found) {
  const { placement, held } = found, reading = placement.reading, steps = found.chosen.steps;
  const look = (reading === null ? "" : ", read") + (steps.length ? ", ruled" : ""), rules = listed(steps.map(({ rule }) => rule.short));
  if (found.value === null) {
    const why = found.chosen.reason === null ? whyNone(data, found, found.setting) : whyNever(data, found);
    const ideals = found.moments.map((one) => one.ideal), ideal = ideals.includes(null) ? 0n : ideals.reduce((a, b) => (a > b ? a : b));
    return fill(data.said["none" + look], { reading, why, rules, ideal: told(ideal) });
  }
  const [share, room] = apart(found.share, found.capacity, held.unit), number = found.value * found.ranks;
  const pieces = {
    reading, share, rules, counted: held.few || room, value: told(found.value), number: told(number),
    devices: held.devices[number === 1n ? 0 : 1] + placement.beside, each: data.said.each[eachOf(found, number)],
  };
  return fill(data.said[placement.placed || steps.length ? "enough" + look : "unplaced"], pieces);
}

// The place of what must fit: what each keeps or its peak, and the same of an only device.
const eachOf = (found, number) => (found.ledger.step ? 1 : 0) + (number === 1n ? 2 : 0);

const brokenBy = (found, value) => found.rules.filter((rule) => !rule.layout && !allowedBy([rule]).admits(value));
const fitsAt = (found, value) => !brokenBy(found, value).length && holdsIn(found.limit, found.given.most(value));

function givenSentence(data, found, value) {
  const { held, placement, ranks } = found, broken = brokenBy(found, value);
  if (broken.length) return fill(data.said.breaks, { value: told(value), rules: listed(broken.map((rule) => rule.words)) });
  const most = found.given.most(value), [share, room] = apart(most, found.capacity, held.unit);
  const device = data.devices.find((one) => one.name === found.setting.device).title, amount = held.devices[1] === data.amounts.devices[1];
  const pieces = { word: "devices", device, value: told(value) };
  const devices = ranks === 1n ? held.devices[value === 1n ? 0 : 1] : fill(data.said[amount ? "devices" : "devices of"], pieces);
  const left = told(size(minus(found.capacity, most)), held.unit), each = data.said.each[eachOf(found, value * ranks)];
  const look = (holdsIn(found.limit, most) ? "given" : "lacks") + (placement.reading === null ? "" : ", read");
  return fill(data.said[look], { reading: placement.reading, value: told(value * ranks), devices, each, share, counted: room, left });
}

const inPlain = (parts) => parts.map((part) => (typeof part === "string" ? part : part[0])).join("");

// What the sizes of a setting must be to each other, and are not: the words of the first refusal, or null.
function refused(data, setting, derived) {
  const said = data.said.refusals, number = numbersOf(data.nodes, setting.values);
  const write = (value) => (whole(value) ? value.toString() : `${value[0]}/${value[1]}`);
  const put = (template, pieces) => template.replace(/\{(\w+)\}/g, (_, name) => pieces[name]);
  const made = madeOf(setting.chosen);
  if (made === undefined) return data.said.absent;
  if (typeof made === "string") return made;
  const other = data.held.find(([name, value]) => name in setting.values && order(setting.values[name], BigInt(value)));
  if (other) return put(said.held, { name: other[0], own: other[1] });
  for (const [name, formula] of derived) {
    const value = setting.values[name];
    if (!whole(value) || value <= 0n) return put(said.derived, { name, formula, value: write(value) });
  }
  const [plans, sizes] = [true, false].map((plan) => data.demands.filter(([kind]) => (kind === "plan") === plan));
  for (const [, , one, , other, words] of plans)
    if (!whole(over(number(one), number(other)))) return put(words, { size: write(number(one)) });
  for (const [p, q, words, itself] of setting.shows === null ? [] : data.groups) {
    const part = times(fractionOf([p, q]), setting.shows);
    if (!whole(part)) return put(words, { found: write(itself ? setting.shows : part) });
  }
  for (const [kind, name, one, of, other, formula] of sizes) {
    const a = number(one), b = number(other);
    const holds = kind === "at most" ? order(a, b) <= 0 : whole(kind === "whole" ? a : over(b, a));
    if (!holds) return put(said[kind], { name, of, formula, size: write(a), other: write(b) });
  }
  if (made[5]) {
    const tokens = times(setting.values.B, setting.values.S);
    if (tokens % BigInt(made[5])) return put(said.chunks, { loss: `'${made[6]}'`, tokens, chunks: made[5] });
  }
  const blocks = unmet(ledgerOf(data, made[0], number), number);
  return blocks ? put(data.said.blocks, { which: blocks[1] }) : null;
}
