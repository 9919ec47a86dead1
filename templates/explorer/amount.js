// An amount of memory that is typed with its unit, read as base/units.py reads it, and what then counts of one device.

// A text as Python quotes it in a sentence.
function quoted(text) {
  const sign = text.includes("'") && !text.includes('"') ? '"' : "'";
  const written = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return sign + (sign === "'" ? written.replaceAll("'", "\\'") : written) + sign;
}

const putIn = (template, pieces) => template.replace(/\{(\w+)\}/g, (_, name) => pieces[name]);

// The bytes of an amount and its unit; what is none is thrown as the words of the refusal.
function readAmount(said, text) {
  if (text.length > 2 * said.most) throw putIn(said.long, { text: quoted(text.slice(0, 40)), length: text.length });
  const match = /^\s*([0-9]+(?:[_,][0-9]{3})*(?:\.[0-9]+)?(?:[eE]\+?[0-9]{1,2})?)\s*([A-Za-z]*)\s*$/.exec(text);
  if (!match) throw putIn(said.none, { text: quoted(text) });
  const [, number, unit] = match, bare = quoted(text.trim());
  if (!Object.hasOwn(BYTES, unit)) {
    const letter = unit.slice(0, 1).toLowerCase(), place = letter ? [..."kmgtpe"].indexOf(letter) : -1;
    if (place >= 0 && ["", "b", "ib", "i"].includes(unit.slice(1).toLowerCase())) {
      const prefix = "kMGTPE"[place], units = { decimal: `${prefix}B`, binary: `${prefix.toUpperCase()}iB` };
      throw putIn(said.which, { text: bare, number, ...units, ten: 3 * (place + 1), two: 10 * (place + 1) });
    }
    throw unit ? putIn(said.unknown, { text: bare, unit: quoted(unit), known: Object.keys(BYTES).join(", ") }) : putIn(said.bare, { text: bare, number });
  }
  const [figures, exponent = "0"] = number.replace(/[_,]/g, "").toLowerCase().split("e");
  const value = times(times(read(figures), power(10n, Number(exponent))), BYTES[unit]);
  if (!order(value, 0n)) throw putIn(said.positive, { text: quoted(text) });
  return [value, unit];
}

// What counts of a device of an amount, as a reading of a device of the list is given.
function heldOfAmount(data, text) {
  const { said, reserved, usable, devices, sentence, "in bytes": inBytes } = data.amounts;
  const [nominal, unit] = readAmount(said, text), kept = fractionOf(reserved);
  if (order(kept, nominal) >= 0) throw putIn(said.reserved, { reserved: told(kept, "GiB"), nominal: told(nominal, "GiB") });
  const counted = times(minus(nominal, kept), fractionOf(usable));
  const pieces = { amount: plain(shown(nominal, unit, 5, true)), counted: told(nominal, "bytes", 14) };
  const words = inPlain(fill(unit === "B" ? inBytes : sentence, pieces));
  return { bytes: [above(counted), below(counted)], unit, few: null, said: words, devices };
}

// What counts of one device in a setting: the amount that is typed, or a reading of a device.
function heldIn(data, setting) {
  if (setting.amount !== null) return heldOfAmount(data, setting.amount);
  const { devices, title, readings } = data.devices.find((one) => one.name === setting.device), found = readings[setting.reading];
  const said = inPlain(fill(found.said, { title, bytes: told(fractionOf(found.bytes), "bytes", 14) }));
  return { ...found, said, devices: devices.map((one) => inPlain(fill(one, { title }))) };
}
