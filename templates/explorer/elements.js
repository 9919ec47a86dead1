// Elements of the page. Every text is set as text, never as markup.

const $ = (id) => document.getElementById(id);

function node(name, attributes = {}, ...parts) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...parts);
  return made;
}

const symbolMath = (name) => math([inMath.name(data.names[name] || [name, ""])], name);
const put = (parts) => parts.map((part) => (typeof part === "string" ? part : symbolMath(part[0])));

const swatch = (place) => node("span", { class: `swatch series-${place}`, "aria-hidden": "true" });
