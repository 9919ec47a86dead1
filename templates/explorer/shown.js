// How a number is shown: its figures, its unit, and whether they are all of it (else it is marked with ≈). As base/shown.py does.

const FAMILIES = { GiB: ["GiB", "MiB", "KiB"], GB: ["GB", "MB", "kB"] };
const BYTES = { B: 1n };
[..."kMGTPE"].forEach((prefix, place) => { BYTES[`${prefix}B`] = 1000n ** BigInt(place + 1); });
[..."KMGTPE"].forEach((prefix, place) => { BYTES[`${prefix}iB`] = 1024n ** BigInt(place + 1); });
const LONG = 9; // whole figures from which a rounded number needs no decimals

const size = (a) => (order(a, 0n) < 0 ? minus(0n, a) : a);

function places(denominator) {
  let twos = 0, fives = 0;
  for (; denominator % 2n === 0n; twos++) denominator /= 2n;
  for (; denominator % 5n === 0n; fives++) denominator /= 5n;
  return denominator === 1n ? Math.max(twos, fives) : null;
}

function decimals(value, count) {
  const scaled = nearest(times(size(value), 10n ** BigInt(count)));
  const sign = order(value, 0n) < 0 && scaled ? "-" : "";
  const text = scaled.toString().padStart(count + 1, "0");
  return count ? `${sign}${text.slice(0, -count)}.${text.slice(-count)}` : sign + text;
}

const read = (figures) => {
  const [before, after = ""] = figures.split(".");
  return ratio(BigInt(before + after), 10n ** BigInt(after.length));
};

function figuresOf(value, digits) {
  if (whole(value)) return [value.toString(), true];
  const ends = places(value[1]);
  if (ends !== null) {
    const all = decimals(value, ends);
    if (all.replace(/^[-0.]+|[-0.]+$/g, "").replace(".", "").length <= digits + 2) return [all, true];
  }
  let count;
  if (order(size(value), 1n) < 0) {
    count = digits;
    for (let scaled = times(size(value), 10n); order(scaled, 1n) < 0; scaled = times(scaled, 10n)) count++;
  } else {
    const figures = floor(size(value)).toString().length;
    count = Math.max(digits - figures, figures >= LONG ? 0 : 1);
  }
  const figures = decimals(value, count);
  return [figures, order(read(figures), value) === 0];
}

function shown(value, unit = "", digits = 5, fixed = false) {
  if (FAMILIES[unit] && !fixed) unit = FAMILIES[unit].find((one) => order(size(value), BYTES[one]) >= 0) || "B";
  const scaled = BYTES[unit] ? over(value, BYTES[unit]) : value;
  const [figures, exact] = figuresOf(scaled, digits);
  if (unit === "B" || unit === "bytes") unit = order(size(scaled), 1n) === 0 ? "byte" : "bytes";
  return { figures, unit, exact };
}

function grouped(figures) {
  const [before, after] = figures.split(".");
  const sign = before.startsWith("-") ? "-" : "", digits = before.slice(sign.length);
  const parted = digits.length > 4 ? digits.replace(/\B(?=(\d{3})+$)/g, ",") : digits;
  return sign + parted + (after === undefined ? "" : `.${after}`);
}

const plain = ({ figures, unit, exact }) => (exact ? "" : "≈ ") + grouped(figures) + (unit && ` ${unit}`);
const told = (value, unit, digits) => plain(shown(value, unit, digits));

// Two amounts of one unit with digits enough to tell them apart, where they differ.
function apart(one, other, unit, digits = 5) {
  const same = () => {
    const a = shown(one, unit, digits), b = shown(other, unit, digits);
    return a.unit === b.unit && order(read(a.figures), read(b.figures)) === 0;
  };
  while (order(one, other) !== 0 && same()) digits++;
  return [told(one, unit, digits), told(other, unit, digits)];
}
