const early = [...document.querySelectorAll("#fields input")].filter((one) => one.value !== one.defaultValue).map((one) => [one, one.value]);
document.head.append(node("style", {}, data.looks));
document.documentElement.hidden = $("put").hidden = false;
build();
if (hasAddress && location.hash) setting = readAddress(location.href);
update();
for (const [one, value] of early) { // what was written or moved while the script came
  one.value = value;
  one.dispatchEvent(new Event("input", { bubbles: true }));
}
// What is reached with the keyboard comes to stand below the answer, not under it.
new ResizeObserver(([{ target }]) => { document.documentElement.style.scrollPaddingTop = `${target.offsetHeight + 16}px`; }).observe($("said"));
// In a tall window what is further down is seen at once: it is drawn as soon as the rest stands.
const near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && flush(), { rootMargin: "0px 0px -20%" });
for (const id of ["step-figure", "region"]) near.observe($(id));
if (hasAddress) addEventListener("hashchange", ({ newURL }) => { // not what may have been written since
  if (new URL(newURL).hash.slice(1) === addressOf()) return;
  setting = readAddress(newURL);
  update();
});
// For programs and the console: what follows from a setting of names and texts, in exact numbers written as texts.
const exactly = (value) => (value === null ? null : whole(value) ? String(value) : value.join("/"));

// The setting that a program gives, or throws why it is refused.
function givenBy({ values = {}, device = own.device, reading = own.reading, amount = null, chosen = own.chosen, shares = "", shows = null }) {
  const given = copyOf({ ...own, device, reading, amount, chosen });
  const known = data.devices.find((one) => one.name === device);
  if (!known) throw `unknown device ${device}; known: ${data.devices.map((one) => one.name).join(", ")}`;
  if (!(reading in known.readings)) throw `${device} has no reading ${reading}; known: ${Object.keys(known.readings).join(", ")}`;
  for (const [name, value] of Object.entries(values)) {
    if (!(name in own.values)) throw `unknown symbol ${name}; known: ${Object.keys(own.values).join(", ")}`;
    given.values[name] = numberOf(name, String(value));
    given.typed.push(name);
  }
  if (amount !== null) heldOfAmount(data, amount);
  takeShares(given, readShares(shares));
  if (shows !== null) given.shows = numberOf(n, String(shows));
  const refusal = refused(data, given, derive(given));
  if (refusal !== null) throw refusal;
  return given;
}

// What a function makes of the setting that a program gives, or the words of its refusal.
function toldOf(setting, make) {
  try {
    return make(givenBy(setting));
  } catch (refusal) {
    if (typeof refusal !== "string") throw refusal;
    return { refused: refusal };
  }
}

globalThis.explorer = {
  answer: (setting = {}) => toldOf(setting, (given) => {
    const found = solve(data, given);
    return {
      sentence: inPlain(sentence(data, found)), value: exactly(found.value), bytes: exactly(found.share),
      divided: exactly(found.chosen.divided), fixed: exactly(found.chosen.fixed), command: data.command && commandOf(given),
    };
  }),
  // The largest values of the batch and of the length on so many devices as `shows` says.
  largest: (setting = {}) => toldOf(setting, (given) => Object.fromEntries(asked().map((name) => [name, exactly(largestOf(given, name, given.shows))]))),
  // Bytes of one device, part by part, as the bar and the comparison with A have them.
  parts: (setting = {}) => toldOf(setting, (given) => Object.fromEntries([...everyPart(solve(data, given))].map(([name, size]) => [name, exactly(size)]))),
  latex: () => latexOf(last),
};
let wide = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === wide) return;
  wide = innerWidth;
  widths.clear();
  drawAll();
  drawBelow();
});
