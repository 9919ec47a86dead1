// Formulas as Python has typeset them, set in MathML or in LaTeX: with symbols, or with the numbers put in for them.

const MATH = "http://www.w3.org/1998/Math/MathML";
const THIN = "\u202f", APPLY = "\u2061", TIMES = "\u2062";
const GREEK = { α: "\\alpha", β: "\\beta", τ: "\\tau", φ: "\\varphi", Ψ: "\\Psi" };
const SIGNS = { "-": "-", "·": "\\cdot", "≈": "\\approx", "≤": "\\le", "≥": "\\ge" };
const FENCES = { "(": "(", ")": ")", "⌈": "\\lceil ", "⌉": "\\rceil ", "⌊": "\\lfloor ", "⌋": "\\rfloor " };

function element(name, parts = [], attributes = {}) {
  const made = document.createElementNS(MATH, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...parts);
  return made;
}

const inDigits = (text) => text.replaceAll(",", THIN).replace("-", "−");

const inMath = {
  row: (parts) => (parts.length === 1 ? parts[0] : element("mrow", parts)),
  digits: (text) => element("mn", [inDigits(text)]),
  words: (text) => element("mtext", [text]),
  sign: (sign) => element("mo", [sign === "-" ? "−" : sign]),
  name([base, sub], exponent) {
    const own = element("mi", [base], /^[Α-Ω]$/.test(base) ? { mathvariant: "normal" } : {});
    const below = sub && element("mtext", [sub]);
    if (below && exponent) return element("msubsup", [own, below, exponent]);
    if (below) return element("msub", [own, below]);
    return exponent ? element("msup", [own, exponent]) : own;
  },
  between: (dotted) => (dotted ? element("mo", ["\u22c5"]) : element("mo", [TIMES], { rspace: ".17em" })),
  product: (factors, dotted) => element("mrow", factors.flatMap((one, place) => (place ? [inMath.between(dotted), one] : [one]))),
  fraction: (above, below) => element("mfrac", [above, below]),
  small: (above, below) => element("mstyle", [element("mfrac", [above, below])], { displaystyle: "false" }),
  power: (base, exponent) => element("msup", [base, exponent]),
  root: (inner) => element("msqrt", [inner]),
  fence: (sign, form) => element("mo", [sign], { stretchy: "false", ...(form ? { form } : {}) }),
  fenced: (left, inner, right) => {
    const tall = inner.localName === "mfrac" || inner.querySelector("mfrac, msqrt");
    const fence = (sign) => (tall ? element("mo", [sign]) : inMath.fence(sign));
    return element("mrow", [fence(left), inner, fence(right)]);
  },
  call(name, parts) {
    const listed = parts.flatMap((one, place) => (place ? [element("mo", [","]), one] : [one]));
    return element("mrow", [element("mi", [name]), element("mo", [APPLY]), this.fenced("(", element("mrow", listed), ")")]);
  },
};

const inTex = {
  row: (parts) => parts.join(""),
  digits: (text) => text.replaceAll(",", "\\,"),
  words: (text) => `\\text{${text}}`,
  sign: (sign) => ` ${SIGNS[sign] || sign} `,
  name([base, sub], exponent) {
    const own = base.length > 1 ? `\\mathrm{${base}}` : GREEK[base] || base;
    return own + (sub ? `_{\\mathrm{${sub}}}` : "") + (exponent ? `^{${exponent}}` : "");
  },
  product: (factors, dotted) => factors.join(dotted ? " \\cdot " : " \\, "),
  fraction: (above, below) => `\\frac{${above}}{${below}}`,
  small: (above, below) => `\\tfrac{${above}}{${below}}`,
  power: (base, exponent) => `{${base}}^{${exponent}}`,
  root: (inner) => `\\sqrt{${inner}}`,
  fenced: (left, inner, right) =>
    left === "(" && !inner.includes("\\frac") ? `(${inner})` : `\\left${FENCES[left]}${inner}\\right${FENCES[right]}`,
  call: (name, parts) => `\\${name}\\left(${parts.join(", ")}\\right)`,
};

// Set the tree at a place; `put` gives the number of a symbol, which then stands for it, or undefined. `put.made` is told of
// each number that is set.
function typeset(data, face, place, put = () => undefined) {
  const set = (at) => typeset(data, face, at, put);
  const tree = data.trees[place];
  const symbol = (name, exponent) => {
    const value = put(name);
    if (value === undefined) return face.name(data.names[name] || [name, ""], exponent);
    const number = face.digits(grouped(decimalOf(value)));
    put.made?.(name, number);
    return exponent ? face.power(number, exponent) : number;
  };
  if (typeof tree === "string") return symbol(tree);
  const [head, ...parts] = tree;
  switch (head) {
    case "n": return face.digits(parts[0]);
    case "e": {
      const ten = face.power(face.digits("10"), face.digits(String(parts[1])));
      return parts[0] === "1" ? ten : face.row([face.digits(parts[0]), face.sign("×"), ten]);
    }
    case "t": return face.words(parts[0]);
    case "o": return face.sign(parts[0]);
    case "*": return face.product(parts.map(set), put("") !== undefined);
    case "r": return face.row(parts.map(set));
    case "/": return face.fraction(set(parts[0]), set(parts[1]));
    case "k": return face.small(set(parts[0]), set(parts[1]));
    case "v": return face.root(set(parts[0]));
    case "(": return face.fenced(parts[0], set(parts[1]), parts[2]);
    case "F": return face.call(parts[0], parts.slice(1).map(set));
    case "^": {
      const base = data.trees[parts[0]];
      return typeof base === "string" ? symbol(base, set(parts[1])) : face.power(set(parts[0]), set(parts[1]));
    }
  }
}

const decimalOf = (value) => (whole(value) ? value.toString() : shown(value, "", 9).figures);

// A line of mathematics with the words that stand for it where there is no mathematics.
const math = (parts, spoken) => element("math", [inMath.row(parts)], { alttext: spoken });
