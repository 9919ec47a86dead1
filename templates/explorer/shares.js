// A share of a kind that is typed, as `--place` takes it: kind=fraction, and after a comma whether the rest is kept or dropped.

const KIND_CHOICES = new Map(data.choices.map(([name, , option, options], place) => [name, option === "--place" && options.length > 1 ? place : -1]).filter(([, place]) => place >= 0));

// Kinds with their shares, of a text such as "weights=1/3 activations=0.25,dropped"; what is none is thrown as a refusal.
function readShares(text) {
  const found = {};
  for (const one of text.split(/[\s;]+/).filter(Boolean)) {
    const match = /^(\w+)=(\d{1,9}(?:\.\d{1,9})?)(?:\/([1-9]\d{0,8}))?(?:,(kept|dropped))?$/.exec(one);
    const share = match && over(read(match[2]), BigInt(match[3] ?? 1));
    if (!match || !KIND_CHOICES.has(match[1]) || order(share, 1n) > 0) throw putIn(data.said.refusals.share, { text: quoted(one.slice(0, 40)), kinds: listed([...KIND_CHOICES.keys()]) });
    const [p, q] = [above(share), below(share)].map(String), kept = (match[4] ?? restOf(match[1])) === "kept";
    found[match[1]] = { p, q, kept, name: p === q ? `${match[1]}=1` : `${match[1]}=${q === "1" ? p : `${p}/${q}`},${kept ? "kept" : "dropped"}` };
  }
  return found;
}

// What the study does with the rest of a kind.
function restOf(kind) {
  const made = madeOf(own.chosen), placed = data.placements[made[1]].kinds[kind];
  return placed[2] ? "kept" : "dropped";
}

// Take over shares: one that can be chosen is chosen, and another goes by an option that is divided as far: in part, or not at all.
function takeShares(to, shares) {
  const found = Object.entries(shares).map(([kind, share]) => {
    const place = KIND_CHOICES.get(kind), names = data.choices[place][3].map(([name]) => name), same = names.indexOf(share.name);
    const alike = names.findIndex((name) => !name.endsWith("=1") && name.includes("=0,") === (share.p === "0"));
    if (same < 0 && (alike < 0 || share.p === share.q)) throw putIn(data.said.refusals["not here"], { text: share.name });
    return { kind, share, place, same, alike };
  });
  for (const kind in to.shares) to.chosen[KIND_CHOICES.get(kind)] = 0;
  to.shares = {};
  for (const { kind, share, place, same, alike } of found) {
    to.chosen[place] = same < 0 ? alike : same;
    if (same < 0) to.shares[kind] = share;
  }
}

// Where each kind lives, with the shares that are typed in place of those of the options.
function placementOf(data, place, shares) {
  const placement = data.placements[place];
  if (!Object.keys(shares).length) return placement;
  const kinds = Object.fromEntries(Object.entries(placement.kinds).map(([kind, placed]) =>
    [kind, kind in shares ? [shares[kind].p, shares[kind].q, shares[kind].kept, ...placed.slice(3)] : placed]));
  const parts = Object.entries(kinds).filter(([, [p, q]]) => p !== "0" && p !== q).map(([kind, [p, q, kept]]) => {
    const rest = minus(1n, fractionOf([p, q])), half = above(rest) === 1n && below(rest) === 2n;
    const pieces = { rest: half ? data.said.half : `${above(rest)}/${below(rest)}`, kind: data.kinds[data["kind names"].indexOf(kind)] };
    return putIn(data.said.undivided[kept ? "kept" : "dropped"], pieces);
  });
  return { ...placement, kinds, reading: parts.length ? listed(parts) : null };
}

const sharesText = (shares) => Object.values(shares).map((one) => one.name).join(" ");
const shareWords = ({ p, q, kept }) => (p === "0" ? data.said.dropped : putIn(data.said.part, { fraction: `${p}/${q}`, rest: kept ? "kept" : "dropped" }));
