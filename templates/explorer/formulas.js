// Formulas on lines of the page, and after each the same with the numbers put in.

function numbersPut(found) {
  const parts = Object.entries(data.defined);
  const known = Object.fromEntries(parts.map(([name, [place]]) => [name, found.number(place)]));
  return (name) => (name === "" ? true : found.setting.values[name] ?? known[name]);
}

// A formula in pieces between which a line can break: before the signs of a sum, and `inner` ones, where parentheses alone
// are wider than a line.
function pieces(place, put) {
  const own = data.trees[place], head = Array.isArray(own) ? own[0] : "", found = [[]];
  const join = (more, first) => {
    if (first && found.at(-1).length) found.push([]);
    found.at(-1).push(...more[0]);
    found.push(...more.slice(1));
  };
  const breaks = (at) => Array.isArray(data.trees[at]) && "r(*".includes(data.trees[at][0]);
  if (head === "r") for (const part of own.slice(1)) join(pieces(part, put), Array.isArray(data.trees[part]) && data.trees[part][0] === "o");
  else if (head === "*" && own.slice(1).some(breaks)) {
    const dotted = put !== undefined;
    own.slice(1).forEach((part, at) => {
      if (at) found.at(-1).push(inMath.between(dotted));
      join(pieces(part, put), false);
    });
  } else if (head === "(" && breaks(own[2])) {
    const inner = pieces(own[2], put);
    if (inner.flat().some((one) => one.localName === "mfrac" || one.querySelector("mfrac, msqrt"))) return [[typeset(data, inMath, place, put)]];
    inner[0].unshift(inMath.fence(own[1], "prefix"));
    inner.at(-1).push(inMath.fence(own[3], "postfix"));
    for (const piece of inner.slice(1)) piece.inner = true;
    join(inner, false);
  } else found[0].push(typeset(data, inMath, place, put));
  return found;
}

// Pieces as one <math> each, with a place where a line can break before each but the first, which has the words for all.
function broken(lines, words) {
  const made = [];
  lines.forEach((parts, place) => {
    if (place && parts[0].localName === "mo") parts[0].setAttribute("form", "infix");
    const own = math(parts, place ? "" : words);
    if (!parts.inner) return made.push(...(place ? [node("wbr"), own] : [own]));
    if (made.at(-1).localName === "math") made.push(node("span", { class: "whole" }, made.pop()));
    made.at(-1).append(node("wbr"), own);
  });
  return made;
}

// A formula and, after it, the same with the numbers put in. It is made once; `line.write` puts other numbers in.
function line(tree, spoken) {
  const put = numbersPut(last), slots = [];
  put.made = (name, number) => slots.push([name, number]);
  const formula = pieces(tree), numbers = pieces(tree, put);
  numbers[0].unshift(inMath.sign("="));
  const equal = broken(numbers, spoken), first = equal[0].localName === "math" ? equal[0] : equal[0].firstChild;
  const write = (value) => {
    const put = numbersPut(last);
    for (const [name, number] of slots) {
      const text = inDigits(grouped(decimalOf(put(name))));
      if (number.textContent !== text) number.textContent = text;
    }
    first.setAttribute("alttext", `= ${value}`);
  };
  return { nodes: [...broken(formula, spoken), ...(slots.length ? [formula.length > 2 ? node("br") : " ", ...equal] : [])], write };
}
