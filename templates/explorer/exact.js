// Exact numbers: a BigInt, or a fraction [p, q] of two in lowest terms with q > 1. No double is ever part of an answer.

function common(a, b) {
  if (a < 0n) a = -a;
  while (b) [a, b] = [b, a % b];
  return a;
}

function ratio(p, q) {
  if (q < 0n) [p, q] = [-p, -q];
  const shared = common(p, q);
  if (shared > 1n) [p, q] = [p / shared, q / shared];
  return q === 1n ? p : [p, q];
}

const above = (x) => (typeof x === "bigint" ? x : x[0]);
const below = (x) => (typeof x === "bigint" ? 1n : x[1]);
const whole = (x) => typeof x === "bigint";

function plus(a, b) {
  if (whole(a) && whole(b)) return a + b;
  return ratio(above(a) * below(b) + above(b) * below(a), below(a) * below(b));
}

const minus = (a, b) => plus(a, whole(b) ? -b : [-b[0], b[1]]);

function times(a, b) {
  if (whole(a) && whole(b)) return a * b;
  return ratio(above(a) * above(b), below(a) * below(b));
}

const over = (a, b) => (b === 1n ? a : ratio(above(a) * below(b), below(a) * above(b)));

function power(a, k) {
  if (k < 0) return over(1n, power(a, -k));
  const times = BigInt(k);
  return whole(a) ? a ** times : ratio(a[0] ** times, a[1] ** times);
}

// Negative, zero or positive as a is less than, equal to or more than b.
function order(a, b) {
  const apart = above(a) * below(b) - above(b) * below(a);
  return apart < 0n ? -1 : apart > 0n ? 1 : 0;
}

function floor(a) {
  if (whole(a)) return a;
  const down = a[0] / a[1];
  return a[0] < 0n ? down - 1n : down;
}

const ceiling = (a) => (whole(a) ? a : floor(a) + 1n);

// The nearest whole number; of two as near the even one, as Python rounds.
function nearest(a) {
  if (whole(a)) return a;
  const down = floor(a), twice = order(times(2n, minus(a, down)), 1n);
  return twice < 0 || (twice === 0 && down % 2n === 0n) ? down : down + 1n;
}

// The nearest double, for pixels alone.
function double(a) {
  if (whole(a)) return Number(a);
  const bits = (n) => n.toString(2).length;
  const shift = BigInt(Math.max(0, 64 - (bits(a[0] < 0n ? -a[0] : a[0]) - bits(a[1]))));
  return Number((a[0] << shift) / a[1]) / 2 ** Number(shift);
}

const fractionOf = (pair) => ratio(BigInt(pair[0]), BigInt(pair[1]));

// The numbers of nodes at values of symbols, each found once; `known` are numbers that stay from another setting.
function numbersOf(nodes, values, known = []) {
  const found = known.slice();
  Object.assign(number, { found, values });
  return number;
  function number(place) {
    const there = found[place];
    if (there !== undefined) return there;
    const node = nodes[place];
    let made;
    if (typeof node === "number") made = BigInt(node);
    else if (typeof node === "string") made = values[node];
    else {
      const [sign, ...rest] = node;
      switch (sign) {
        case "n": made = BigInt(rest[0]); break;
        case "q": made = fractionOf(rest); break;
        case "+": made = rest.reduce((sum, part) => plus(sum, number(part)), 0n); break;
        case "*": made = rest.reduce((product, part) => times(product, number(part)), 1n); break;
        case "^": made = power(number(rest[0]), rest[1]); break;
        case "c": made = ceiling(number(rest[0])); break;
        case "f": made = floor(number(rest[0])); break;
        case "M": made = rest.map(number).reduce((most, x) => (order(x, most) > 0 ? x : most)); break;
        case "m": made = rest.map(number).reduce((least, x) => (order(x, least) < 0 ? x : least)); break;
      }
    }
    return (found[place] = made);
  }
}

// For each node whether it changes with one of some symbols.
function depending(nodes, symbols) {
  const moves = [];
  nodes.forEach((node, place) => {
    if (typeof node === "string") moves[place] = symbols.includes(node);
    else if (typeof node === "number" || node[0] === "n" || node[0] === "q") moves[place] = false;
    else if (node[0] === "^") moves[place] = moves[node[1]];
    else moves[place] = node.slice(1).some((part) => moves[part]);
  });
  return moves;
}
