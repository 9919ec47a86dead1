// The smallest n under the rules of real clusters: whole sequences, whole rows, multiples, powers, divisors, a largest number.

// What one device holds as fixed + divided/n + rows, each cut over `over` n devices into whole ones, + rows gathered again.
function profileOf(terms, layouts) {
  const found = { fixed: 0n, divided: 0n, rows: [], gathered: [] };
  for (const { pieces, cut } of terms)
    for (const { share, bytes, by, byN } of pieces) {
      const cuts = cut && (cut.kind === "gathered" ? layouts.includes("rows") : byN && layouts.includes(cut.kind));
      if (!cuts && byN) found.divided = plus(found.divided, over(bytes, by));
      else if (!cuts) found.fixed = plus(found.fixed, over(bytes, by));
      else {
        if (cut.rest) found.divided = plus(found.divided, over(times(share, cut.rest), by));
        const into = cut.kind === "gathered" ? found.gathered : found.rows;
        for (const [rows, each] of cut.rows) into.push({ rows, each: times(share, each), over: by });
      }
    }
  return found;
}

const heldRows = ({ rows, over: by }, m) => ceiling(over(rows, times(by, m)));

// Bytes of one device at m devices.
function profileAt(profile, m) {
  let held = plus(profile.fixed, over(profile.divided, m));
  for (const part of profile.rows) held = plus(held, times(part.each, heldRows(part, m)));
  for (const part of profile.gathered) held = plus(held, times(times(part.each, times(part.over, m)), heldRows(part, m)));
  return held;
}

// The same as a function of doubles, for pixels.
function profileInDoubles(profile) {
  const parts = (rows) => rows.map((one) => [double(one.each), double(over(one.rows, one.over)), double(one.over)]);
  const [fixed, divided, rows, gathered] = [double(profile.fixed), double(profile.divided), parts(profile.rows), parts(profile.gathered)];
  return (m) => fixed + divided / m + rows.reduce((all, [each, count]) => all + each * Math.ceil(count / m), 0)
    + gathered.reduce((all, [each, count, by]) => all + each * by * m * Math.ceil(count / m), 0);
}

// The most of several profiles as such a function; one that another exceeds at every n is left out.
function mostInDoubles(profiles) {
  const [even, cut] = [true, false].map((one) => profiles.filter(({ rows, gathered }) => (rows.length + gathered.length === 0) === one));
  const lines = even.map(({ fixed, divided }) => [double(fixed), double(divided)]).sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  const top = lines.filter(([, divided], place) => lines.slice(0, place).every((one) => one[1] < divided)), others = cut.map(profileInDoubles);
  return (n) => Math.max(...top.map(([fixed, divided]) => fixed + divided / n), ...others.map((one) => one(n)));
}

const bytesIn = (rows, size) => rows.reduce((all, part) => plus(all, size(part)), 0n);
const holdsIn = (limit, held) => (limit.strict ? order(held, limit.capacity) < 0 : order(held, limit.capacity) <= 0);

// What is left of a profile, however many devices there are, where nothing grows with them.
const floorOf = (profile) => plus(profile.fixed, bytesIn(profile.rows, (part) => part.each));

// The first number that fits where the memory never grows with it, or null.
function firstFit(profile, limit) {
  const least = floorOf(profile);
  if (!(profile.divided === 0n ? holdsIn(limit, least) : order(least, limit.capacity) < 0)) return null;
  const unrounded = plus(profile.divided, bytesIn(profile.rows, (part) => over(times(part.each, part.rows), part.over)));
  let low = firstDegree(unrounded, profile.fixed, limit.capacity, limit.strict) || 1n, high = low, step = 1n;
  while (!holdsIn(limit, profileAt(profile, high))) [low, high, step] = [high, high + step, 2n * step];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (holdsIn(limit, profileAt(profile, middle))) high = middle;
    else low = middle;
  }
  return high;
}

function rootOf(a) {
  if (a < 2n) return a;
  let x = 1n << BigInt(Math.ceil(a.toString(2).length / 2));
  for (;;) {
    const next = (x + a / x) / 2n;
    if (next >= x) return x;
    x = next;
  }
}

// The number from which on the memory only grows, where rows are gathered.
function turningOf(profile) {
  const grows = bytesIn(profile.gathered, (part) => times(part.each, part.over));
  const single = [...profile.rows, ...profile.gathered].map((part) => ceiling(over(part.rows, part.over)));
  return [rootOf(floor(over(profile.divided, grows))) + 1n, ...single].reduce((a, b) => (a > b ? a : b));
}

function smallestIn(profile, limit, allowed) {
  const whole = bytesIn(profile.gathered, (part) => times(part.each, part.rows));
  const start = firstFit({ ...profile, fixed: plus(profile.fixed, whole), gathered: [] }, limit);
  if (start === null) return null;
  let m = allowed.first(start);
  if (!profile.gathered.length) return m;
  while (m !== null && !holdsIn(limit, profileAt(profile, m))) {
    if (m >= turningOf(profile)) return null;
    m = allowed.first(m + 1n);
  }
  return m;
}

// Which numbers some rules of numbers allow.
function allowedBy(rules) {
  const of = (kind) => rules.filter((rule) => rule.kind === kind).map((rule) => rule.number);
  const factor = of("multiple").reduce((a, b) => (a * b) / common(a, b), 1n), power = of("power").length > 0;
  const numbers = of("divides"), limits = of("most"), least = limits.length ? limits.reduce((a, b) => (a < b ? a : b)) : null;
  const admits = (m) => m % factor === 0n && (!power || (m & (m - 1n)) === 0n) && numbers.every((one) => one % m === 0n) && (least === null || m <= least);
  const first = (start) => {
    let found;
    if (numbers.length && !power) found = divisorsOf(numbers.reduce(common)).find((m) => m >= start && admits(m));
    else if (power) {
      found = 1n << BigInt(start > 1n ? (start - 1n).toString(2).length : 0);
      if (found < factor) found = factor;
    } else found = ((start + factor - 1n) / factor) * factor;
    return found !== undefined && admits(found) ? found : null;
  };
  return { admits, first };
}

function divisorsOf(number) {
  const low = [], high = [];
  for (let k = 1, whole = Number(number); k * k <= whole; k++)
    if (whole % k === 0) {
      low.push(BigInt(k));
      if (k * k !== whole) high.unshift(BigInt(whole / k));
    }
  return [...low, ...high];
}

// A smallest group of rules that no number from `start` on obeys together; none where some does.
function contradiction(rules, start) {
  if (allowedBy(rules).first(start) !== null) return [];
  return rules.reduce((group, rule) => {
    const without = group.filter((one) => one !== rule);
    return allowedBy(without).first(start) === null ? without : group;
  }, rules);
}

// Rules with their numbers at a setting.
const rulesAt = (told, number) => told.map(([kind, node, words, short]) => {
  const own = kind === "samples" || kind === "rows" ? null : number(node);
  const put = (template) => template.replaceAll("{number}", String(own));
  return { kind, number: own, words: put(words), short: put(short), layout: own === null };
});

// The smallest n of some terms: without rules, then rule by rule; and why there is none.
function degreeUnder(terms, rules, limit) {
  const even = { fixed: sum(terms, "fixed"), divided: sum(terms, "divided"), rows: [], gathered: [] };
  const ideal = { divided: even.divided, fixed: even.fixed, value: firstDegree(even.divided, even.fixed, limit.capacity, limit.strict) };
  const layouts = rules.filter((rule) => rule.layout), numbers = rules.filter((rule) => !rule.layout);
  const found = { ideal, value: ideal.value, profile: even, steps: [], reason: null };
  for (const [place, rule] of [...layouts, ...numbers].entries()) {
    if (found.value === null) break;
    if (rule.layout) found.profile = profileOf(terms, layouts.slice(0, place + 1).map((one) => one.kind));
    const held = allowedBy(numbers.slice(0, Math.max(0, place + 1 - layouts.length)));
    const after = smallestIn(found.profile, limit, held);
    found.steps.push({ rule, before: found.value, after });
    found.value = after;
  }
  if (found.value === null && found.steps.length) found.reason = reasonOf(found, numbers);
  return found;
}

function reasonOf({ steps, profile }, numbers) {
  const last = steps.at(-1).rule;
  if (last.layout) return { code: profile.gathered.length ? "gathered" : "rows", kept: floorOf(profile), rule: last.words, rules: [], needed: 1n };
  const never = contradiction(numbers, 1n);
  if (never.length) return { code: "contradiction", rules: never, needed: 1n };
  const needed = steps.find((step) => !step.rule.layout).before, conflict = contradiction(numbers, needed);
  return { code: conflict.length ? "limit" : "unfit", rules: conflict.length ? conflict : numbers, needed };
}

const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);
