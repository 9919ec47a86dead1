build();
if (hasAddress && location.hash) setting = readAddress();
update();
if (hasAddress) addEventListener("hashchange", () => {
  if (location.hash.slice(1) === addressOf()) return;
  setting = readAddress();
  update();
});
// For programs and the console: the answer at a setting of names and texts, in exact numbers written as texts.
globalThis.explorer = {
  answer({ values = {}, device = own.device, reading = own.reading, amount = null, chosen = own.chosen }) {
    const given = copyOf({ ...own, device, reading, amount, chosen });
    const known = data.devices.find((one) => one.name === device);
    if (!known) return { refused: `unknown device ${device}; known: ${data.devices.map((one) => one.name).join(", ")}` };
    if (!(reading in known.readings)) return { refused: `${device} has no reading ${reading}; known: ${Object.keys(known.readings).join(", ")}` };
    try {
      for (const [name, value] of Object.entries(values)) {
        if (!(name in own.values)) throw `unknown symbol ${name}; known: ${Object.keys(own.values).join(", ")}`;
        given.values[name] = numberOf(name, String(value));
        given.typed.push(name);
      }
      if (amount !== null) heldOfAmount(data, amount);
    } catch (refusal) {
      if (typeof refusal !== "string") throw refusal;
      return { refused: refusal };
    }
    const refusal = refused(data, given, derive(given));
    if (refusal !== null) return { refused: refusal };
    const found = solve(data, given), write = (value) => (value === null ? null : whole(value) ? String(value) : value.join("/"));
    return {
      sentence: inPlain(sentence(data, found)), value: write(found.value), bytes: write(found.share),
      divided: write(found.chosen.divided), fixed: write(found.chosen.fixed), command: data.command && commandOf(given),
    };
  },
  latex: () => latexOf(last),
};
let wide = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === wide) return;
  wide = innerWidth;
  drawAll();
  region();
});
