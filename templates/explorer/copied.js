// What is copied: the terms and the bound in LaTeX, and how a text comes to the clipboard.

function latexOf(found) {
  const { moment } = stateOf(found), put = numbersPut(found);
  const rows = moment.terms.filter((term) => term.there).map((term) => {
    const formula = typeset(data, inTex, term.tree), numbers = typeset(data, inTex, term.tree, put);
    const equal = formula === numbers ? "" : ` = ${numbers}`;
    return `\\text{${inTexText(term.name)}:}\\quad & ${formula}${equal} = ${grouped(decimalOf(term.bytes)).replaceAll(",", "\\,")}\\ \\text{bytes}`;
  });
  const told = inPlain(sentence(data, found));
  return `% ${told}\n\\begin{align*}\n${rows.join(" \\\\\n")}\n\\end{align*}\n${[boundSides(inTex), lackSides(inTex)].filter((one) => one.length).map((one) => `\\[ ${one.flat().join("")} \\]\n`).join("")}`;
}

const inTexText = (text) => text.replace(/[\\{}$&#%_^~]/g, (sign) => (sign === "\\" ? "\\textbackslash{}" : sign === "^" || sign === "~" ? `\\${sign}{}` : `\\${sign}`));

async function copy(button, text) {
  const given = $("given");
  try {
    await navigator.clipboard.writeText(text);
    given.hidden = true;
    $("copied").textContent = `${button.textContent}: done`;
  } catch {
    given.hidden = false;
    given.value = text;
    given.select();
    $("copied").textContent = document.execCommand("copy") ? `${button.textContent}: done` : "Select the text and copy it";
  }
}
