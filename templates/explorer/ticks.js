// Where the ticks of an axis of bytes stand, exactly: round numbers, as document/ticks.py has them.

const MANY_TICKS = 6; // that are enough

// The smallest of 1, 2 and 5 times a power of ten of a unit that is not below so many bytes.
function roundStep(least, unit) {
  for (let exponent = Math.floor(Math.log10(least / Number(unit))) - 1; ; exponent++)
    for (const first of [1n, 2n, 5n]) {
      const tens = 10n ** BigInt(Math.abs(exponent)), step = exponent < 0 ? ratio(first * unit, tens) : first * unit * tens;
      if (double(step) >= least * (1 - 1e-12)) return step;
    }
}

const unitBelow = (high, family) => BYTES[[...FAMILIES[family === "GiB" ? family : "GB"], "B"].find((one) => one === "B" || high >= Number(BYTES[one]))];

// Even steps between two amounts.
function evenTicks(low, high, family) {
  const step = roundStep((high - low) / (MANY_TICKS - 1), unitBelow(high, family)), size = double(step), found = [];
  for (let k = Math.ceil(low / size); k * size <= high; k++) found.push(times(step, BigInt(k)));
  return found;
}

// Even factors: powers of two of GiB, of ten of GB; even steps where too few of these are there.
function factorTicks(low, high, family) {
  const base = family === "GiB" ? 2n : 10n, powers = [];
  for (let k = 0; Number(base ** BigInt(k)) <= high; k++) if (Number(base ** BigInt(k)) >= low) powers.push(k);
  const step = [1, 2, 3, 4, 5, 10, 20, 40, 80, 400].find((one) => Math.ceil(powers.length / one) <= MANY_TICKS);
  const found = powers.filter((k) => k % step === 0).map((k) => base ** BigInt(k));
  return found.length < 3 ? evenTicks(low, high, family).filter((one) => order(one, 0n)) : found;
}
