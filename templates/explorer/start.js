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
    for (const [name, value] of Object.entries(values)) {
      given.values[name] = BigInt(value);
      given.typed.push(name);
    }
    let refusal = refused(data, given, derive(given));
    try {
      heldIn(data, given);
    } catch (words) {
      if (typeof words !== "string") throw words;
      refusal = words;
    }
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
